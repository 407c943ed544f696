import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as v from 'valibot'
import { knownBots, namedBots, refuseUnknownBots } from '../../lib/cli/named-bots.ts'
import type { Session } from '../../lib/cli/session.ts'
import { botName } from '../../lib/inventory/file-schema.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { role } from '../../lib/model/role.ts'
import { stripControl } from '../../lib/report/status-lines.ts'
import { confirm } from '../../lib/std/confirm-prompt.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { writeOut } from '../../lib/std/output.ts'
import { botAbsent } from '../../roles/bot/remove.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { dumpAt, type LocalDump } from './database-sources.ts'
import { type Deployments, deploymentsOf, release, type Spread } from './deployment.ts'
import { refusingEmptyHost } from './empty-host.ts'
import { execInBot, psqlOfBot } from './exec/index.ts'
import { jobsOnHost, jobsText } from './jobs.ts'
import { logFlags, logQueryOf, showLogs } from './logs/index.ts'
import { dropPendingUpdates, refuseToDrop } from './pending-updates.ts'
import { history, historyText } from './releases.ts'
import { rollback } from './rollback.ts'
import { runJob } from './run-job.ts'

/** The options of bot.ts beyond those of every playbook. */
export const deployFlags = {
  name: { value: 'BOT', multiple: true, help: 'a bot of the inventory' },
  all: { help: 'every bot of the inventory: the first alone, then side by side; after a failure no other begins' },
  source: { value: 'FOLDER', help: "this folder instead of the bot's source, as in CI" },
  build: { value: 'WHERE', help: 'where the image is built: host (default), or local for a host with little memory' },
  rollback: { help: 'go back to the previous version, with the configuration it had' },
  'rollback-to': { value: 'RELEASE', help: 'go back to this release' },
  import: {
    value: 'FILE',
    help: 'fill the new database of a bot from a dump before its first release (SQL, or pg_dump)',
  },
  releases: { help: 'list the releases of a bot' },
  run: { value: 'JOB', help: 'run a job of a bot now, and show what it prints' },
  jobs: { help: 'list the jobs of a bot: their times, when each runs next, how it went the last time' },
  logs: { help: 'show what a bot has printed, over its releases: the last 100 lines' },
  follow: { help: 'with --logs: go on until Ctrl-C, through releases' },
  since: { value: 'TIME', help: 'with --logs: all from then on: 90s, 15m, 1h, 2d, or 2026-11-20T12:00 in UTC' },
  grep: { value: 'WORD', help: 'with --logs: only lines that contain it' },
  lines: { value: 'N', help: 'with --logs: so many lines at the most' },
  process: { value: 'NAME', help: 'with --logs or --exec: this process of the bot; bot is the bot itself' },
  exec: { rest: 'COMMAND', help: 'run a command in the serving container; the exit code is that of the command' },
  psql: { help: 'open psql in the database of a bot, as its role; SQL may come by a pipe' },
  'drop-pending': { help: 'afterwards, have Telegram drop the pending updates' },
  remove: { help: 'remove a bot from its host, after a final dump of its database' },
  new: { help: 'start with empty databases on a bare host, although there are backups of it' },
  purge: { help: 'with --remove: delete all its data, without a dump' },
  yes: { help: 'do not ask before data is destroyed' },
} as const

const actionFlags = [
  ...(['rollback', 'rollback-to', 'releases', 'run', 'jobs', 'logs', 'exec', 'psql', 'remove'] as const),
]

/** The command bot.ts: deploy, roll back, remove, list releases or jobs, run a job, show logs, or open a console. Returns the exit code; throws a `UsageError`. */
export async function deploy(
  session: Session,
  hasBackups: (host: InventoryHost) => boolean,
  spread?: Spread,
): Promise<number> {
  const { options } = session
  const given = (name: keyof typeof deployFlags) => options.own.has(name)
  const actions = actionFlags.filter(given)
  if (actions.length > 1) throw new UsageError(`--${actions[0]} and --${actions[1]} cannot be combined`)
  if (given('purge') && !given('remove')) throw new UsageError('--purge needs --remove')
  for (const flag of logFlags) if (given(flag) && !given('logs')) throw new UsageError(`--${flag} needs --logs`)
  if (given('process') && !given('logs') && !given('exec')) throw new UsageError('--process needs --logs or --exec')
  const names = namesOf(session)
  const [action] = actions
  if (action !== undefined && (given('all') || names.length > 1))
    throw new UsageError(`--${action} takes exactly one bot: --name BOT`)
  if (given('drop-pending') && action !== undefined && !action.startsWith('rollback'))
    throw new UsageError(`--drop-pending goes with a release or a rollback, not with --${action}`)
  if (given('import') && (action !== undefined || given('all') || names.length > 1))
    throw new UsageError(`--import goes with the first release of one bot: --name BOT --import FILE`)
  if (given('source') && (action !== undefined || given('all') || names.length > 1))
    throw new UsageError(`--source goes with the release of one bot: --name BOT --source FOLDER`)
  const hosts = isOfNobody(session, names) ? session.hosts : session.hosts.filter(hasOneOf(names))
  if (hosts.length === 0) throw new UsageError(`none of the hosts selected by --limit has ${names.join(', ')}`)
  const [bot = '', host = hosts[0] as InventoryHost] = [names[0], hosts[0]]

  if (action === 'releases')
    return print(
      await session.connected(host, async (c) =>
        historyText(await history(bot, c, (line) => session.report.line(`${host.name}  ${line}`))),
      ),
    )
  if (action === 'jobs') return print(await session.connected(host, async (c) => jobsText(await jobsOnHost(bot, c))))
  if (action === 'run') return runJob(session, host, bot, options.own.get('run')?.[0] ?? '')
  if (action === 'logs') return showLogs(session, host, bot, logQueryOf(options.own))
  if (action === 'exec')
    return execInBot(session, host, bot, {
      command: options.own.get('exec') ?? [],
      process: options.own.get('process')?.[0],
    })
  if (action === 'psql') return psqlOfBot(session, host, bot)
  if (action === 'remove') return remove(session, host, bot, { purge: given('purge') })
  if (action === 'rollback' || action === 'rollback-to')
    return rollback(session, host, bot, options.own.get('rollback-to')?.[0], given('drop-pending'))

  const deployments = await deploymentsOf(hosts, (name) => names.includes(name), sourceGiven(session))
  const specs = new Map([...deployments].map(([name, { spec }]) => [name, spec]))
  if (given('drop-pending')) refuseToDrop(specs)
  const dump = await dumpFor(session, deployments)
  const code = await release(session, hosts, deployments, {
    runsHooks: true,
    buildsHere: buildsHere(session),
    ...(dump && { dump }),
    ...(spread && { spread }),
    forHost: (role, host) => (!given('new') && hasBackups(host) ? refusingEmptyHost(role, host.name) : role),
  })
  if (code !== 0 || !given('drop-pending')) return code
  return dropPendingUpdates(session, hosts, specs)
}

async function dumpFor({ options }: Session, deployments: Deployments): Promise<LocalDump | undefined> {
  const path = options.own.get('import')?.[0]
  if (path === undefined) return undefined
  for (const [bot, { spec }] of deployments)
    if (spec.external)
      throw new UsageError(
        `--import: the database of ${bot} is on ${spec.external.host}: load the dump there with pg_restore`,
      )
    else if (!spec.database)
      throw new UsageError(`--import: ${bot} has no database: take "database: false" out of its bot.yaml`)
  return dumpAt(path)
}

function sourceGiven({ options }: Session): string | undefined {
  const folder = options.own.get('source')?.[0]
  if (folder !== undefined && !existsSync(join(folder, 'bot.yaml')))
    throw new UsageError(`--source ${folder}: ${existsSync(folder) ? 'no bot.yaml in it' : 'no such folder'}`)
  return folder
}

function buildsHere({ options }: Session): boolean {
  const where = options.own.get('build')?.[0] ?? 'host'
  if (where !== 'host' && where !== 'local') throw new UsageError(`--build ${where}: should be host or local`)
  return where === 'local'
}

function hasOneOf(names: readonly string[]): (host: InventoryHost) => boolean {
  return ({ bots }) => bots.some(({ name }) => names.includes(name))
}

/** A bot that the inventory has no longer can be removed from the one host that `--limit` names. */
function isOfNobody({ options, inventory, hosts }: Session, names: readonly string[]): boolean {
  const isChosen = options.own.has('remove') && options.limit.length > 0 && hosts.length === 1
  return (
    isChosen &&
    names.length === 1 &&
    names.every((name) => v.is(botName, name)) &&
    !inventory.hosts.some(hasOneOf(names))
  )
}

function namesOf(session: Session): string[] {
  const { options, inventory } = session
  const known = knownBots(session)
  const names = namedBots(session)
  const all = options.own.has('all')
  if (all === names.length > 0)
    throw new UsageError(
      `which bot: --name BOT, or --all${known.length > 0 ? `; the inventory has ${known.join(', ')}` : ''}`,
    )
  if (isOfNobody(session, names)) return names
  if (known.length === 0) throw new UsageError(`${inventory.file} has no bots: add them under "bots:"`)
  refuseUnknownBots(session, names)
  return all ? known : [...new Set(names)]
}

async function remove(
  session: Session,
  host: InventoryHost,
  bot: string,
  { purge }: { purge: boolean },
): Promise<number> {
  const { options, inventory } = session
  const what = `remove ${bot} from ${host.name} (${inventory.file})${purge ? ', with its database and without a dump' : ''}`
  if (!options.check && !options.own.has('yes')) await confirm(what)
  const { telegram } = host.vars.bot as BotVars
  return session.converge([host], [role('bot', v.any(), () => [botAbsent(bot, telegram, { purge })])])
}

function print(text: string): 0 {
  writeOut(text.trimEnd().split('\n').map(stripControl).join('\n'))
  return 0
}
