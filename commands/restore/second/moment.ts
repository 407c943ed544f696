import { type Script, sh } from '../../../lib/shell/sh.ts'
import { HostError, UsageError } from '../../../lib/std/errors.ts'

/** A second, or a part of one, that `--at` names. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly time: number
  /** As it was given, and in UTC. */
  readonly shown: string
}

const pattern = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(\.\d{1,3})?( ?(?:Z|UTC|[+-]\d\d:?\d\d))?$/

/** Whether `--at` names a second; a day, or a time without seconds, is that of the backup before it. */
export function isMoment(at: string | undefined): at is string {
  return at !== undefined && pattern.test(at)
}

/** Shell text: prints the seconds since 1970 of a time without an offset, in the zone of the host; `wrong` where it had no such time, and `twice` where two. */
export function zoneScript(at: string): Script {
  const { day, clock } = partsOf(at)
  const local = `${day} ${clock}`
  return sh`
    if found=$(date -d ${local} +%s 2>/dev/null); then
      for other in $((found - 3600)) $((found + 3600)); do
        [ "$(date -d "@$other" '+%F %T')" != ${local} ] || { echo twice; exit; }
      done
      echo "$found $(date -d "@$found" +%Z)"
    else echo wrong
    fi`
}

/** The moment that a time names; `zone` is what that script has printed, undefined for a time with an offset of its own. */
export function momentOf(at: string, zone: string | undefined): Moment {
  const { day, clock, fraction, offset } = partsOf(at)
  // The language takes February 30 for March 2.
  const isDay = new Date(`${day}T00:00:00Z`).getUTCDate() === Number(day.slice(8))
  if (!isDay) throw new UsageError(`--at ${at}: there is no such time`)
  const whole = offset === undefined ? inZone(at, zone ?? '') : Date.parse(`${day}T${clock}${offset}`)
  if (Number.isNaN(whole)) throw new UsageError(`--at ${at}: there is no such time`)
  const time = whole + Math.round(Number(`0${fraction}`) * 1000)
  const utc = new Date(time).toISOString().replace('.000Z', 'Z')
  const word = offset === undefined ? ` ${zone?.split(' ')[1] ?? ''}, in the time zone of the host` : ''
  return { time, shown: offset === 'Z' ? utc : `${at}${word} (${utc})` }
}

export function hasOffset(at: string): boolean {
  return partsOf(at).offset !== undefined
}

function inZone(at: string, zone: string): number {
  if (zone === 'wrong') throw new UsageError(`--at ${at}: there is no such time in the time zone of the host`)
  if (zone === 'twice')
    throw new UsageError(
      `--at ${at}: this time was there twice in the time zone of the host, when its clocks were put back: add an offset: '${at}+01:00'`,
    )
  const seconds = /^(\d+) /.exec(zone)?.[1]
  if (seconds === undefined) throw new HostError(`the time zone of the host cannot be told: ${zone}`)
  return Number(seconds) * 1000
}

function partsOf(at: string) {
  const [, day = '', clock = '', fraction = '', offset] = pattern.exec(at) ?? []
  const plain = offset?.trim().replace('UTC', 'Z')
  return {
    ...{ day, clock, fraction },
    offset:
      plain === undefined || plain === 'Z' || plain.includes(':') ? plain : `${plain.slice(0, 3)}:${plain.slice(3)}`,
  }
}
