import { sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { type Place, parsePlace } from '../../roles/bot/spec/place.ts'
import { parseRelease, parseReleases, type Release } from '../../roles/bot/spec/release-record.ts'

/** What a host has of a bot, as far as a failover needs it. */
export interface Kept {
  /** The release that serves there. */
  readonly record?: Release
  readonly past: readonly Release[]
  readonly place?: Place
  /** A checksum of all its secrets. */
  readonly secrets?: string
  readonly number?: number
}

const script = shellFile(new URL('in-step.sh', import.meta.url))

/** What a host has of each of these bots: one request. */
export async function keptOn(connection: Connection, bots: readonly string[]): Promise<ReadonlyMap<string, Kept>> {
  const told = await ask(connection, keptScript(bots))
  return new Map(bots.map((bot) => [bot, parseKept(told, bot)]))
}

export function keptScript(bots: readonly string[]) {
  return sh`
    bots=${bots.join(' ')}
    ${script}`
}

export function parseKept(told: string, bot: string): Kept {
  const line = (word: string) =>
    told
      .split('\n')
      .find((each) => each.startsWith(`${word} ${bot} `))
      ?.slice(word.length + bot.length + 2)
  const text = (word: string) => Buffer.from(line(word) ?? '', 'base64').toString()
  const record = line('current.json') === undefined ? undefined : parseRelease(text('current.json'))
  const place = parsePlace(text('place.json'))
  const [secrets, number] = [line('secrets'), line('number')]
  return {
    past: parseReleases(text('releases')).releases,
    ...(record && { record }),
    ...(place && { place }),
    ...(secrets !== undefined && /^[0-9a-f]{64}$/.test(secrets) && { secrets }),
    ...(number !== undefined && /^\d{1,3}$/.test(number) && { number: Number(number) }),
  }
}
