import type { Session } from '../../lib/cli/session.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { ConnectError, HostError } from '../../lib/std/errors.ts'
import { botRole } from '../../roles/bot/index.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import type { Place } from '../../roles/bot/spec/place.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import type { Course } from './course.ts'
import { forgetDump } from './database.ts'
import { giveBackScript } from './new-host.ts'
import { quietScript, takeBackScript } from './old-host/index.ts'
import { isKnown, type Situation, survey } from './survey.ts'
import { deploymentOf, withBot } from './version.ts'

/** A move that is decided. */
interface Decided {
  readonly from: Situation | undefined
  readonly to: Situation
  /** What served where it was; left out: the last of the releases that were brought over. */
  readonly record?: Release
  readonly place?: Place
  /** When it was stopped, by `performance.now()`. */
  readonly stoppedAt?: number
}

/**
 * Releases a bot on the host that it was given to: its container, the health check, the webhook, its jobs. Where it does not become
 * healthy, and nothing can have reached it, it goes back by itself. Returns the exit code.
 */
export async function serve(
  session: Session,
  entry: BotEntry,
  { from, to, record = to.record ?? to.past.at(-1), place, stoppedAt }: Decided,
): Promise<number> {
  const { name: bot } = entry
  const say = (line: string) => session.report.line(`${bot}  ▸ ${line}`)
  if (record === undefined)
    throw new HostError(`${to.host.name} has no releases of ${bot}: what was moved there is lost`)
  if (from !== undefined) await quiet(session, bot, from)
  const host = withBot(to.host, entry)
  const deployments = new Map([[bot, deploymentOf(record, place?.from ?? to.host.name)]])
  const code = await session.converge([host], [botRole(deployments, { move: 'serve' })])
  const gap =
    stoppedAt === undefined ? '' : `; it answered nothing for ${((performance.now() - stoppedAt) / 1000).toFixed(1)} s`
  if (await isReleased(session, bot, to)) {
    say(`serves on ${to.host.name}${gap}`)
    if (from !== undefined) await told(session, entry, from, to)
    return code
  }
  if (code === 0) return code
  if (from === undefined || place === undefined || !mayGoBack(record))
    throw new HostError(
      `${bot} is to serve on ${to.host.name}, and did not start there: see above; run this again when that is mended, or have it serve where it was, without what it has done on ${to.host.name}: npx zx playbooks/bot.ts --name ${bot} --move-to ${place?.from ?? 'HOST'}`,
    )
  say(`did not start on ${to.host.name}, where nothing can have reached it: it goes back to ${from.host.name}`)
  await takeBack(session, entry, { from: to, to: from, number: place.number + 1 })
  const late =
    stoppedAt === undefined ? '' : `, after ${((performance.now() - stoppedAt) / 1000).toFixed(1)} s without an answer`
  throw new HostError(`${bot} did not start on ${to.host.name}, and serves on ${from.host.name} as before${late}`)
}

/** Whether a version that has started elsewhere and failed can have taken no update: only who has a webhook is told of none. */
export function mayGoBack({ spec }: Pick<Release, 'spec'>): boolean {
  return spec.mode === 'webhook' && spec.webhook !== 'bot' && spec.processes === undefined
}

/** Has a bot that was given to another host, and was never released there, serve where it was. Returns the exit code. */
export async function takeBack(
  session: Session,
  entry: BotEntry,
  { from, to, number }: Pick<Extract<Course, { kind: 'back' }>, 'from' | 'to' | 'number'>,
): Promise<number> {
  const { name: bot } = entry
  const place = { number, serves: to.host.name, from: from?.host.name ?? to.host.name, at: new Date().toISOString() }
  // First the one that could begin to serve.
  if (from !== undefined && (from.place?.number ?? 0) < number)
    await session.connected(
      from.host,
      async (connection) => {
        await session.hold(from.host, connection)
        await perform(connection, giveBackScript(bot, place))
      },
      { quiet: true },
    )
  await session.connected(
    to.host,
    async (connection) => {
      await session.hold(to.host, connection)
      await perform(connection, takeBackScript(bot, place))
    },
    { quiet: true },
  )
  const host = { ...withBot(to.host, entry), bots: [entry] }
  const code = await session.converge([host], [botRole(new Map())])
  if (code === 0) session.report.line(`${bot}  ▸ serves on ${to.host.name} as before`)
  return code
}

/** What a bot that was given away must not leave running where it was. A host that is away now has no timer that runs: that comes before the decision. */
async function quiet(session: Session, bot: string, { host }: Situation): Promise<void> {
  try {
    await session.connected(host, (connection) => perform(connection, quietScript(bot)), { quiet: true })
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    session.report.line(`${bot}  ▸ ${host.name} could not be asked, and has all of it still: ${error.message}`)
  }
}

async function isReleased(session: Session, bot: string, { host }: Situation): Promise<boolean> {
  const [found] = await survey(session, [host], bot)
  if (found === undefined || !isKnown(found))
    throw new ConnectError(
      `it is decided that ${bot} serves on ${host.name}, which cannot be asked whether it does: run this again`,
    )
  return found.record !== undefined
}

/** What is left to be done by people. */
async function told(session: Session, entry: BotEntry, from: Situation, to: Situation): Promise<void> {
  const { name: bot } = entry
  const say = (line: string) => session.report.line(`${bot}  ▸ ${line}`)
  const domains = domainsOf(entry)
  if (domains.length > 0)
    say(`point the DNS of ${domains.join(', ')} to ${to.host.name}; until then they lead to ${from.host.name}`)
  await session.connected(to.host, (c) => perform(c, forgetDump(bot)), { quiet: true })
  say(
    `what it had on ${from.host.name} is kept there, stopped: ${layoutOf(bot).state} and more; when you need it no more: npx zx playbooks/bot.ts --name ${bot} --forget ${from.host.name}`,
  )
}
