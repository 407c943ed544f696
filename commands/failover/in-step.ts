import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { perform, performBoth } from '../../lib/ssh/perform.ts'
import { ConnectError, HostError, RunnerError } from '../../lib/std/errors.ts'
import { formatBytes } from '../../roles/backups/backup-name.ts'
import { botRole } from '../../roles/bot/index.ts'
import { uidOf } from '../../roles/bot/spec/layout.ts'
import { imagesIn } from '../../roles/bot/spec/processes.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import { primaryIn, readPrimary } from '../../roles/standby/primary-record.ts'
import { copyCertificates } from '../move/certificates.ts'
import { allFilesScript, copyFiles, type FilesKind, folderScript } from '../move/files/index.ts'
import { copyImages, imagesOn, missingImages } from '../move/images.ts'
import { historyScript } from '../move/new-host.ts'
import { isPinned, pullPinned } from '../move/pinned-images.ts'
import { type Route, routeOf, sometimes } from '../move/route.ts'
import { copySecrets } from '../move/secrets.ts'
import { awaitSent } from '../move/sending.ts'
import { deploymentOf, withBot } from '../move/version.ts'
import { cedeScript, keepScript } from './cede.ts'
import { type Kept, keptOn } from './kept.ts'
import type { HostPair } from './pairs.ts'

/** A bot that serves on the primary, and what both hosts have of it. */
interface Followed {
  readonly entry: BotEntry
  readonly record: Release
  readonly here: Kept
  readonly there: Kept
}

/**
 * Has the standby of a pair ready for all bots of its primary, by what differs: images, secrets, the history of releases, certificates,
 * network and user, and the files. Databases come by themselves. What one bot lacks keeps no other from it. Returns the exit code;
 * where a host does not answer it throws, if it `isAsked` for by itself, and warns after another run.
 */
export async function keepInStep(
  session: Session,
  pair: HostPair,
  { isAsked = false }: { isAsked?: boolean } = {},
): Promise<number> {
  const { primary, standby } = pair
  const say = (line: string) => session.report.line(`${standby.name}  ▸ ${line}`)
  const lacking: string[] = []
  try {
    const followed = await onBoth(session, pair, async (here, there) => {
      if ((await followedBots(primary, here, there)).length === 0) return []
      await session.hold(standby, there)
      await refusePromoted(pair, there)
      const found = await followedBots(primary, here, there)
      for (const each of found) await noteKept(each, primary.name, there)
      await copyImagesOf(routeOf(session, primary, standby), found, here, there, say)
      const whole: Followed[] = []
      for (const each of found)
        try {
          await copySmall(each, here, there, say)
          whole.push(each)
        } catch (error) {
          if (!(error instanceof RunnerError) || error instanceof ConnectError) throw error
          lacking.push(`${each.entry.name}: ${error.message}`)
        }
      return whole
    })
    if (followed.length === 0) return refuseLacking()
    const role = botRole(deploymentsOf(followed, primary), { move: 'place', standby: true })
    const code = await session.converge([hostWith(standby, primary, followed)], [role])
    if (code !== 0) return code
    await onBoth(session, pair, (here, there) => finish(session, pair, followed, here, there, say))
    return refuseLacking()
  } catch (error) {
    if (isAsked || !(error instanceof ConnectError)) throw error
    say(`warning: nothing was brought there for a failover: ${error.message}`)
    return 0
  }

  function refuseLacking(): number {
    if (lacking.length === 0) return 0
    throw new HostError(`not brought to ${standby.name} for a failover: ${lacking.join('\n')}`)
  }
}

/** A failover may have come between: what serves there now is not written over. */
async function refusePromoted({ primary, standby }: HostPair, there: Connection): Promise<void> {
  const record = primaryIn(await ask(there, readPrimary))
  if (typeof record !== 'object' || record.primary !== standby.name) return
  throw new HostError(`${standby.name} is the primary since epoch ${record.epoch}, and ${primary.name} is not any more`)
}

function onBoth<T>(
  { connected }: Session,
  { primary, standby }: HostPair,
  use: (here: Connection, there: Connection) => Promise<T>,
): Promise<T> {
  const quiet = { quiet: true }
  return connected(primary, (here) => connected(standby, (there) => use(here, there), quiet), quiet)
}

async function followedBots(primary: InventoryHost, here: Connection, there: Connection) {
  const names = primary.bots.map(({ name }) => name)
  if (names.length === 0) return []
  const [has, had] = await Promise.all([keptOn(here, names), keptOn(there, names)])
  return primary.bots.flatMap((entry): Followed[] => {
    const [one, other] = [has.get(entry.name), had.get(entry.name)]
    if (one?.record === undefined || other === undefined) return []
    return [{ entry, record: one.record, here: one, there: other }]
  })
}

async function copyImagesOf(
  route: Route,
  followed: readonly Followed[],
  here: Connection,
  there: Connection,
  say: (line: string) => void,
): Promise<void> {
  const names = [...new Set(followed.flatMap(({ record }) => imagesIn(record.spec)))]
  const missing = missingImages(await imagesOn(here, names), await imagesOn(there, names))
  if (missing.length === 0) return
  say(`images: ${missing.map(({ name }) => name).join(', ')}`)
  const pinned = missing.filter(isPinned)
  const sent = missing.filter((each) => !pinned.includes(each))
  await copyImages(route, there, sent, sometimes('images', say))
  await pullPinned(here, there, pinned, names, say)
}

async function copySmall(
  { entry, record, here: has, there: had }: Followed,
  here: Connection,
  there: Connection,
  say: (line: string) => void,
): Promise<void> {
  const { name: bot } = entry
  const past = has.past.some(({ id }) => id === record.id) ? has.past : [...has.past, record]
  if (had.past.at(-1)?.id !== past.at(-1)?.id || had.past.length !== past.length)
    await perform(there, historyScript(bot, past))
  if (has.secrets === undefined || has.secrets !== had.secrets)
    say(`${bot}: ${await copySecrets(here, there, bot, record.spec)} secrets`)
  for (const domain of await copyCertificates(here, there, domainsOf(entry), { renew: true }))
    say(`${bot}: the certificate of ${domain}`)
}

/** First of all: the bot does not serve there. */
async function noteKept({ entry, here: has, there: had }: Followed, primary: string, there: Connection): Promise<void> {
  const { name: bot } = entry
  if (had.record === undefined && had.place?.standby === true && had.place.serves === primary) return
  const number = 1 + Math.max(has.place?.number ?? 0, had.place?.number ?? 0)
  const at = new Date().toISOString()
  const place = { number, serves: primary, from: primary, at } as const
  // It has served there until a failover, and was stopped: what was left of that is brought up to what serves now.
  if (had.record !== undefined) await perform(there, cedeScript(bot, place))
  await perform(there, keepScript(bot, place))
}

/** What needs the bot's user on the standby: its files. */
async function finish(
  session: Session,
  { primary, standby }: HostPair,
  followed: readonly Followed[],
  here: Connection,
  there: Connection,
  say: (line: string) => void,
): Promise<void> {
  await session.hold(standby, there)
  await refusePromoted({ primary, standby }, there)
  const now = await keptOn(
    there,
    followed.map(({ entry }) => entry.name),
  )
  for (const { entry, record } of followed) {
    const { name: bot } = entry
    const { number } = now.get(bot) ?? {}
    if (number === undefined) throw new HostError(`${bot} has no number on ${standby.name}`)
    for (const kind of kindsOf(record))
      await followFiles(routeOf(session, primary, standby), here, there, bot, kind, number, say)
  }
}

function kindsOf({ spec }: Release): FilesKind[] {
  return [...(spec.data?.length ? (['data'] as const) : []), ...(spec.cache?.persist ? (['cache'] as const) : [])]
}

/** Files are sent whole where any differs: they are compared first, by checksum. */
async function followFiles(
  route: Route,
  here: Connection,
  there: Connection,
  bot: string,
  kind: FilesKind,
  number: number,
  say: (line: string) => void,
): Promise<void> {
  await perform(there, awaitSent(bot))
  await perform(there, folderScript(bot, kind, uidOf(number)))
  const script = allFilesScript(bot, kind)
  const [before, after] = await performBoth(here, there, script)
  if (before === after) return
  const bytes = await copyFiles(route, bot, kind, { rest: false, progress: sometimes(`${bot}: ${kind}`, say) })
  say(`${bot}: ${kind}, ${formatBytes(bytes)}`)
}

/** The deployments by which the standby releases what serves on the primary: from its own history. */
export function deploymentsOf(followed: readonly Pick<Followed, 'entry' | 'record'>[], from: InventoryHost) {
  return new Map(followed.map(({ entry, record }) => [entry.name, deploymentOf(record, from.name)]))
}

/** A host as it is once it is the primary of its pair: with these bots, and the other one as its standby. */
export function hostWith(
  host: InventoryHost,
  other: InventoryHost,
  bots: readonly Pick<Followed, 'entry'>[],
): InventoryHost {
  const { standby: _, ...rest } = host.vars.postgres as Record<string, unknown>
  const { synchronous } = other.vars.postgres as { synchronous?: boolean }
  const postgres = { ...rest, standby: other.name, ...(synchronous !== undefined && { synchronous }) }
  const whole = bots.reduce((each, { entry }) => withBot(each, entry), host)
  return { ...whole, vars: { ...whole.vars, postgres } }
}
