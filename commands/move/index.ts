import type { Flags } from '../../lib/cli/flags.ts'
import { namedBots, refuseUnknownBots } from '../../lib/cli/named-bots.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { standbyOf } from '../../lib/platform/standby/gate.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { type Course, courseOf } from './course.ts'
import { forget } from './forget.ts'
import { nameHost } from './inventory-entry.ts'
import { broughtBackUnderLock, moveBot } from './move.ts'
import { whatWouldHappen } from './preview.ts'
import { serve, takeBack } from './serve.ts'
import { survey } from './survey.ts'

/** The options of bot.ts that concern where a bot is. */
export const moveFlags = {
  'move-to': {
    value: 'HOST',
    help: 'move a bot to this host with all that it has, and name the host in the inventory; updates wait meanwhile',
  },
  forget: { value: 'HOST', help: 'delete what a bot has left on the host that it was moved from' },
} as const satisfies Flags

/** Whether a run of bot.ts is about where a bot is. */
export function isMove({ options: { own } }: Session): boolean {
  return own.has('move-to') || own.has('forget')
}

/** The command bot.ts: move a bot to another host, or forget what it has left. Returns the exit code; throws a `UsageError`. */
export async function move(session: Session): Promise<number> {
  const { own } = session.options
  const action = own.has('move-to') ? 'move-to' : 'forget'
  const stranger = [...own.keys()].find((flag) => ![action, 'name', 'yes'].includes(flag))
  if (stranger !== undefined) throw new UsageError(`--${action} and --${stranger} cannot be combined`)
  if (session.options.limit.length > 0)
    throw new UsageError(`--${action} names its host itself, and asks all hosts where the bot is: leave out --limit`)
  const entry = entryOf(session, action)
  const host = hostOf(session, action)
  return action === 'forget' ? forget(session, host, entry.name) : moveTo(session, entry, host)
}

async function moveTo(session: Session, entry: BotEntry, target: InventoryHost): Promise<number> {
  const { options, inventory } = session
  const bot = entry.name
  const primary = inventory.hosts.find((each) => standbyOf(each) === target.name)
  if (primary !== undefined)
    throw new UsageError(
      `--move-to ${target.name}: it is the standby of ${primary.name}, and serves nothing before a failover: npx zx playbooks/failover.ts --from ${primary.name} --to ${target.name}`,
    )
  const now = async () => courseOf(bot, target, await survey(session, inventory.hosts, bot))
  const seen = await now()
  if (options.check) return whatWouldHappen(session, bot, seen)
  await settled(session, seen)
  const course = await now()
  const code = await follow(session, entry, course)
  if (code !== 0 && course.kind !== 'there') return code
  const served = course.kind === 'back' ? course.to.host.name : target.name
  const said = nameHost(inventory.file, bot, served)
  if (said !== undefined) session.report.line(said)
  if (course.kind === 'back' && served !== target.name)
    throw new HostError(
      `${bot} serves on ${served} again, since a move had failed and was being undone: run this again to move it`,
    )
  return code
}

/** What a run that was cut has begun on the hosts of a course ends by itself, and may be what decides: that is waited for. */
async function settled(session: Session, { from, to }: Course): Promise<void> {
  for (const host of [...(from === undefined ? [] : [from.host]), to.host])
    await session.connected(host, (connection) => session.hold(host, connection), { quiet: true })
}

async function follow(session: Session, entry: BotEntry, course: Course): Promise<number> {
  const { name: bot } = entry
  if (course.kind === 'move') return moveBot(session, entry, course)
  if (course.kind === 'back') return takeBack(session, entry, course)
  if (course.kind === 'finish') return serve(session, entry, course)
  const { from, to } = course
  session.report.line(`${bot}  ▸ is to serve on ${to.host.name} already`)
  if (to.isStopped) await broughtBackUnderLock(session, bot, to)
  return serve(session, entry, { from, to })
}

function entryOf(session: Session, action: string): BotEntry {
  const names = namedBots(session)
  if (names.length !== 1) throw new UsageError(`--${action} takes exactly one bot: --name BOT`)
  refuseUnknownBots(session, names)
  const known = session.inventory.hosts.flatMap(({ bots }) => bots)
  return known.find(({ name }) => name === names[0]) as BotEntry
}

function hostOf({ options, inventory }: Session, action: string): InventoryHost {
  const name = options.own.get(action)?.[0] ?? ''
  const host = inventory.hosts.find((each) => each.name === name)
  if (host !== undefined) return host
  const names = inventory.hosts.map((each) => each.name)
  throw new UsageError(
    `--${action}: unknown host "${name}"${suggest(name, names)}: ${inventory.file} has ${names.join(', ')}`,
  )
}
