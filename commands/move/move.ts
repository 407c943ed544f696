import { onInterrupt } from '../../lib/cli/main.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { ConnectError, HostError, RunnerError } from '../../lib/std/errors.ts'
import { botRole } from '../../roles/bot/index.ts'
import { uidOf } from '../../roles/bot/spec/layout.ts'
import type { Place } from '../../roles/bot/spec/place.ts'
import { imagesIn } from '../../roles/bot/spec/processes.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import { domainRoles } from '../deploy/deployment.ts'
import { copyCertificates } from './certificates.ts'
import type { Course } from './course.ts'
import { moveDatabase } from './database.ts'
import { compareFiles, copyFiles, type FilesKind, folderScript } from './files/index.ts'
import { copyImages, imagesOn, missingImages } from './images.ts'
import { clearScript, historyScript, numberScript, readyScript } from './new-host.ts'
import { obstaclesTo } from './obstacles.ts'
import { bringBack, giveAway, stopBot } from './old-host/index.ts'
import { isPinned, pullPinned } from './pinned-images.ts'
import { type Route, routeOf, sometimes } from './route.ts'
import { copySecrets } from './secrets.ts'
import { serve } from './serve.ts'
import type { Situation } from './survey.ts'
import { deploymentOf, withBot } from './version.ts'

/** A move under way. */
interface Move {
  readonly session: Session
  readonly entry: BotEntry
  readonly from: Situation
  readonly to: Situation
  readonly record: Release
  readonly place: Place
  readonly route: Route
  readonly say: (line: string) => void
}

/**
 * Moves a bot that serves to another host: all is prepared there, then it is stopped, the rest follows and is compared, and one rename
 * on the old host decides. Whatever fails before that has it serve where it was. Returns the exit code.
 */
export async function moveBot(
  session: Session,
  entry: BotEntry,
  { from, to, number }: Extract<Course, { kind: 'move' }>,
): Promise<number> {
  const { name: bot } = entry
  const { record } = from
  if (record === undefined) throw new HostError(`${bot} was never released on ${from.host.name}`)
  const place = { number, serves: to.host.name, from: from.host.name, at: new Date().toISOString() }
  const say = (line: string) => session.report.line(`${entry.name}  ▸ ${line}`)
  const move: Move = { session, entry, from, to, record, place, route: routeOf(session, from.host, to.host), say }
  if (from.isStopped && (await broughtBackUnderLock(session, bot, from)))
    say(`serves on ${from.host.name} again: an earlier move was cut`)
  const stoppedAt = await session.connected(
    from.host,
    async (here) => {
      await prepare(move, here)
      return session.connected(
        to.host,
        async (there) => {
          // In one order for all: two moves in opposite directions would else wait for each other.
          const both = [[from.host, here] as const, [to.host, there] as const]
          for (const [host, connection] of both.sort(([a], [b]) => (a.name < b.name ? -1 : 1)))
            await session.hold(host, connection)
          return leave(move, here, there)
        },
        { quiet: true },
      )
    },
    { quiet: true },
  )
  return serve(session, entry, { from, to, record, place, stoppedAt })
}

/** All that can be there before the bot is stopped. */
async function prepare({ session, entry, from, to, record, place, route, say }: Move, here: Connection): Promise<void> {
  const { name: bot } = entry
  const { spec } = record
  const names = [...new Set([...imagesIn(spec), ...from.past.flatMap((each) => imagesIn(each.spec))])]
  await session.connected(
    to.host,
    async (there) => {
      const missing = missingImages(await imagesOn(here, names), await imagesOn(there, names))
      const bytes = missing.reduce((sum, each) => sum + each.bytes, 0)
      const obstacles = obstaclesTo(bot, from, to, Math.ceil((2 * bytes) / 2 ** 20))
      if (obstacles.length > 0) throw new HostError(obstacles.join('\n'))
      if (missing.length > 0) say(`images: ${missing.map(({ name }) => name).join(', ')}`)
      const pinned = missing.filter(isPinned)
      await copyImages(
        route,
        there,
        missing.filter((each) => !pinned.includes(each)),
        sometimes('images', say),
      )
      await pullPinned(here, there, pinned, imagesIn(spec), say)
      await session.hold(to.host, there)
      await perform(there, clearScript(bot, { ...place, serves: place.from, from: place.serves }))
      const past = from.past.some(({ id }) => id === record.id) ? from.past : [...from.past, record]
      await perform(there, historyScript(bot, past))
      const secrets = await copySecrets(here, there, bot, spec)
      const copied = await copyCertificates(here, there, domainsOf(entry))
      say([`${secrets} secrets`, ...copied.map((domain) => `the certificate of ${domain}`)].join(', '))
    },
    { quiet: true },
  )
  const host = withBot(to.host, entry)
  const deployments = new Map([[bot, deploymentOf(record, from.host.name)]])
  // A certificate that cannot be had before DNS has changed holds nothing up.
  if (domainsOf(entry).length > 0 && (await session.converge([host], domainRoles(host, [bot]))) !== 0)
    say(`not all is there yet for ${domainsOf(entry).join(', ')}: see above`)
  const code = await session.converge([host], [botRole(deployments, { move: 'place' })])
  if (code !== 0)
    throw new HostError(`${to.host.name} could not be prepared: ${bot} serves on ${from.host.name} as before`)
}

/** The bot is stopped, all is brought over and compared, and given away. Returns when it was stopped, by this machine's clock. */
async function leave(move: Move, here: Connection, there: Connection): Promise<number> {
  const { entry, from, to, record, place, route, say } = move
  const { name: bot } = entry
  const { spec } = record
  const number = Number(/^number (\d+)$/m.exec(await perform(there, numberScript(bot)))?.[1] ?? 0)
  if (number === 0) throw new HostError(`${bot} has no number on ${to.host.name}`)
  const kinds: FilesKind[] = [
    ...(spec.data?.length ? (['data'] as const) : []),
    ...(spec.cache?.persist ? (['cache'] as const) : []),
  ]
  for (const kind of kinds) {
    await perform(there, folderScript(bot, kind, uidOf(number)))
    await copyFiles(route, bot, kind, { rest: false, progress: sometimes(kind, say) })
  }
  const end = onInterrupt(async () =>
    (await broughtBack(move)) ? `${bot} serves on ${from.host.name} as before` : cut(move),
  )
  const stoppedAt = performance.now()
  try {
    say(`stopped on ${from.host.name}: its updates wait`)
    const startedAt = await stopBot(here, bot, record)
    for (const kind of kinds) {
      await copyFiles(route, bot, kind, { rest: true })
      say(`${kind}: ${await compareFiles(here, there, bot, kind)} files are the same on both, by checksum`)
    }
    if (spec.database) {
      const { tables, rows } = await moveDatabase(route, here, there, bot, number)
      say(`database: ${tables} tables with ${rows} rows are the same on both, by checksum`)
    }
    await perform(there, readyScript(bot, place))
    await giveAway(here, bot, startedAt, place)
    say(`decided: it serves on ${to.host.name} (number ${place.number})`)
    return stoppedAt
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    const back = await broughtBack(move, here)
    const seconds = ((performance.now() - stoppedAt) / 1000).toFixed(1)
    const left = `what was prepared on ${to.host.name} is replaced by the next move, or goes by --forget ${to.host.name}`
    const note = back
      ? `${bot} serves on ${from.host.name} as before; it answered nothing for ${seconds} s; ${left}`
      : cut(move)
    throw error instanceof ConnectError
      ? new ConnectError(`${error.message}\n${note}`)
      : new HostError(`${error.message}\n${note}`)
  } finally {
    end()
  }
}

/** As of a run that was cut: no other run has it stopped now. */
export function broughtBackUnderLock(session: Session, bot: string, { host }: Situation): Promise<boolean> {
  return session.connected(
    host,
    async (connection) => {
      await session.hold(host, connection)
      return bringBack(connection, bot)
    },
    { quiet: true },
  )
}

/** By a connection of its own where the first is what has failed. */
async function broughtBack({ session, entry, from }: Move, here?: Connection): Promise<boolean> {
  try {
    if (here !== undefined) return await bringBack(here, entry.name)
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
  }
  try {
    return await session.connected(from.host, (connection) => bringBack(connection, entry.name), { quiet: true })
  } catch (error) {
    if (error instanceof RunnerError) return false
    throw error
  }
}

function cut({ entry, from, to }: Move): string {
  return `${entry.name} is stopped on ${from.host.name}: run this again, which moves it to ${to.host.name} or has it serve on ${from.host.name}`
}
