import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { databaseName } from '../../lib/platform/database-name.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { dataOf } from '../../roles/bot/data/layout.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { type Place, parsePlace } from '../../roles/bot/spec/place.ts'
import { corruption, parseRelease, parseReleases, type Release } from '../../roles/bot/spec/release-record.ts'

/** What a host has of a bot, and what it has room for. */
export interface Situation {
  readonly host: InventoryHost
  /** As Docker calls it: `amd64`. */
  readonly architecture: string
  /** Its database server and its nginx run. */
  readonly isReady: boolean
  /** The major version of its database server. */
  readonly postgres?: number
  /** The release that serves. */
  readonly record?: Release
  /** Why the record of what serves cannot be read. */
  readonly torn?: string
  readonly place?: Place
  /** The release that served until the bot was moved away, where all that it had is still there. */
  readonly released?: Release
  /** The host has given it a number, and so has something of it. */
  readonly isKnownThere: boolean
  /** A move was cut while the bot was stopped for it. */
  readonly isStopped: boolean
  readonly past: readonly Release[]
  readonly runs: readonly string[]
  /** In MiB. */
  readonly databaseMiB: number
  readonly dataMiB: number
  readonly cacheMiB: number
  /** The least of what is free for images, and for all else. */
  readonly freeMiB: number
  /** An authority has signed its certificate. */
  readonly isSigned: boolean
}

/** A host that could not be asked, and why. */
export interface Unknown {
  readonly host: InventoryHost
  readonly error: RunnerError
}

export function isKnown(each: Situation | Unknown): each is Situation {
  return !('error' in each)
}

const script = shellFile(new URL('survey.sh', import.meta.url))

/** Asks these hosts, side by side. */
export function survey(
  { connected, options }: Session,
  hosts: readonly InventoryHost[],
  bot: string,
): Promise<readonly (Situation | Unknown)[]> {
  return mapConcurrent(options.forks, hosts, async (host) => {
    try {
      return await connected(host, (connection) => situationOn(connection, host, bot), { quiet: true })
    } catch (error) {
      if (error instanceof RunnerError) return { host, error }
      throw error
    }
  })
}

export async function situationOn(connection: Connection, host: InventoryHost, bot: string): Promise<Situation> {
  const told = await ask(connection, surveyScript(bot, publicName(host, connection.facts)))
  return { host, architecture: connection.facts.architecture, ...parseSurvey(told) }
}

/** Shell text: prints what the host has of a bot. */
export function surveyScript(bot: string, name: string): Script {
  return sh`
    bot=${bot} state=${layoutOf(bot).state} data=${dataOf(bot).all} database=${databaseName(bot)} host_name=${name}
    ${script}`
}

export function parseSurvey(told: string): Omit<Situation, 'host' | 'architecture'> {
  const word = (name: string) => new RegExp(`^${name} (.*)$`, 'm').exec(told)?.[1]?.trim()
  const file = (name: string) => {
    const text = word(name)
    return text === undefined ? undefined : Buffer.from(text, 'base64').toString()
  }
  const all = (name: string) => [...told.matchAll(new RegExp(`^${name} (.*)$`, 'gm'))].map(([, value = '']) => value)
  const current = file('current.json')
  const [record, torn] = [parseRelease(current), corruption(current)]
  const place = parsePlace(file('place.json') ?? '')
  const released = parseRelease(file('released.json'))
  const postgres = Math.floor(Number(word('postgres') || 0) / 10_000)
  return {
    isReady: all('server').length === 2,
    ...(postgres > 0 && { postgres }),
    ...(record && { record }),
    ...(torn !== undefined && { torn }),
    ...(place && { place }),
    ...(released && { released }),
    isKnownThere: (word('number') ?? '') !== '',
    isStopped: /^stopped$/m.test(told),
    past: parseReleases(file('releases') ?? '').releases,
    runs: all('runs'),
    databaseMiB: Math.ceil(Number(word('database') || 0) / 2 ** 20),
    dataMiB: Number(word('current') || 0),
    cacheMiB: Number(word('cache') || 0),
    freeMiB: Math.min(...all('free').map(Number)),
    isSigned: word('signed') === '2',
  }
}
