import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { botFolders } from '../spec/layout.ts'

/** What a host has of the jobs of a bot; undefined where that is nothing. */
export type JobsState =
  | {
      /** By path: mode, number of the owner and SHA-256 of its content. */
      readonly files: Readonly<Record<string, string>>
      /** By the name of the job. */
      readonly timers: Readonly<Record<string, TimerState>>
      /** The names of jobs that run now. */
      readonly running: readonly string[]
      /** By the name of the job: how its last run went. */
      readonly results: Readonly<Record<string, JobResult>>
    }
  | undefined

export interface TimerState {
  readonly active: boolean
  readonly enabled: boolean
  /** Its files changed since systemd read them. */
  readonly needsReload: boolean
  /** When it elapses next, in milliseconds since 1970; undefined where it does not. */
  readonly next?: number
}

/** The record of a run. Without `how` it has not ended, or was cut. */
export interface JobResult {
  /** Seconds since 1970. */
  readonly start: number
  readonly image: string
  readonly seconds?: number
  /** `stopped`: from outside, as by a shutdown. `gone`: its container was removed. */
  readonly how?: 'ended' | 'timeout' | 'memory' | 'stopped' | 'not started' | 'gone'
  readonly code?: number
  /** Its last lines. */
  readonly output?: string
}

export function jobsState(bot: string): Reading<JobsState> {
  return reading(kind, bot)
}

const kind: Kind<JobsState> = {
  name: 'jobs',
  volatile: true,
  // No process where no bot has jobs.
  script: () => sh`
    any=''
    for path in /etc/systemd/system/botgarden-job-*.* ${botFolders.compose}/*/jobs/*; do [ ! -e "$path" ] || { any=yes; break; }; done
    [ -z "$any" ] || {
      set -- /etc/systemd/system/botgarden-job-*.timer /etc/systemd/system/botgarden-job-*.service ${botFolders.compose}/*/jobs/*
      stat --format 'file %a %u %n' -- "$@" 2>/dev/null
      sha256sum -- "$@" 2>/dev/null
      set --
      for path in /etc/systemd/system/botgarden-job-*.timer; do
        unit=\${path##*/}
        set -- "$@" "$unit" "\${unit%.timer}.service"
      done
      TZ=UTC systemctl show --property=Id,ActiveState,UnitFileState,NeedDaemonReload,NextElapseUSecRealtime -- "$@"
      for path in ${botFolders.state}/*/jobs/*.json; do
        [ ! -e "$path" ] || { printf 'result %s ' "$path"; head -c 8000 "$path"; echo; }
      done
    }`,
  parse: (output, bots) => new Map(bots.map((bot) => [bot, stateOf(output, bot)])),
}

function stateOf(output: string, bot: string): JobsState {
  const modes = new Map([...output.matchAll(/^file (\d+ \d+) (.+)$/gm)].map(([, mode = '', path]) => [path, mode]))
  const files = [...output.matchAll(/^([0-9a-f]{64}) {2}(.+)$/gm)]
    .filter(([, , path = '']) => isOf(bot, path))
    .map(([, sum, path = '']) => [path, `${modes.get(path)} ${sum}`])
  const units = [...output.matchAll(/(?:^[A-Z]\w+=.*\n?)+/gm)].flatMap(([block]) => unitIn(block, bot) ?? [])
  if (files.length === 0 && units.length === 0) return undefined
  const timers = units.filter(({ kind: each }) => each === 'timer')
  const found = [...output.matchAll(/^result \S*\/([^/]+)\/jobs\/([^/]+)\.json (.*)$/gm)].filter(([, of]) => of === bot)
  return {
    files: Object.fromEntries(files),
    timers: Object.fromEntries(timers.map(({ job, ...state }) => [job, timerOf(state)])),
    running: units.filter((each) => each.kind === 'service' && each.active === 'activating').map(({ job }) => job),
    results: Object.fromEntries(found.map(([, , job, text = '']) => [job, resultOf(text)])),
  }
}

function isOf(bot: string, path: string): boolean {
  return (
    path.startsWith(`${botFolders.compose}/${bot}/jobs/`) ||
    path.startsWith(`/etc/systemd/system/botgarden-job-${bot}.`)
  )
}

function unitIn(block: string, bot: string) {
  const property = Object.fromEntries(block.split('\n').map((line) => line.split('=', 2)))
  const [, of, job = '', kind = ''] = /^botgarden-job-([^.]+)\.([^.]+)\.(timer|service)$/.exec(property.Id ?? '') ?? []
  if (of !== bot) return undefined
  return {
    ...{ job, kind, active: property.ActiveState, enabled: property.UnitFileState === 'enabled' },
    ...{ needsReload: property.NeedDaemonReload === 'yes', next: property.NextElapseUSecRealtime ?? '' },
  }
}

function timerOf({
  active,
  enabled,
  needsReload,
  next,
}: Omit<NonNullable<ReturnType<typeof unitIn>>, 'job'>): TimerState {
  const [, day, time] = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/.exec(next) ?? []
  return {
    ...{ active: active === 'active', enabled, needsReload },
    ...(day !== undefined && { next: Date.parse(`${day}T${time}Z`) }),
  }
}

function resultOf(text: string): JobResult {
  try {
    const { lines, ...result } = JSON.parse(text)
    return { ...result, ...(lines && { output: Buffer.from(lines, 'base64').toString() }) }
  } catch {
    return { start: 0, image: '' }
  }
}
