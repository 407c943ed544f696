import { hasTerminal, runInteractively } from '../../../lib/cli/interactive.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { noteEvent } from '../../../lib/engine/events.ts'
import { lockRequestOf } from '../../../lib/engine/host-lock.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { HostError, UsageError } from '../../../lib/std/errors.ts'
import { writeErr, writeOut } from '../../../lib/std/output.ts'
import { suggest } from '../../../lib/std/suggest.ts'
import { layoutOf } from '../../../roles/bot/spec/layout.ts'
import { processContainer } from '../../../roles/bot/spec/processes.ts'
import { parseRelease, type Release } from '../../../roles/bot/spec/release-record.ts'
import { byLine } from '../by-line.ts'
import { psqlScript } from './psql.ts'

/** Runs a command in the serving container of a bot, or of one of its processes. Returns the exit code of the command. */
export async function execInBot(
  session: Session,
  host: InventoryHost,
  bot: string,
  { command, process }: { command: readonly string[]; process: string | undefined },
): Promise<number> {
  return interactively(session, host, 'exec', async (connection) => {
    const { release, running } = await servingOn(connection, bot)
    const container = containerOf(bot, release, process, { host: host.name, running })
    if (!running.includes(container))
      throw new HostError(`${host.name}: ${container} does not run: npx zx playbooks/bot.ts --name ${bot} --logs`)
    return execScript(bot, container, command, hasTerminal())
  })
}

/** psql in the database of a bot, as its role. Returns the exit code of psql. */
export async function psqlOfBot(session: Session, host: InventoryHost, bot: string): Promise<number> {
  return interactively(session, host, 'psql', async (connection) => {
    const { release } = await servingOn(connection, bot)
    if (release.spec.external)
      throw new UsageError(
        `--psql: the database of ${bot} is on ${release.spec.external.host}: reach it by what its provider offers`,
      )
    if (!release.spec.database)
      throw new UsageError(`--psql: ${bot} has no database: its bot.yaml has to say "database: true", or nothing of it`)
    const uid = Number((await ask(connection, sh`stat -c %u ${layoutOf(bot).secrets}/pgpass`)).trim())
    if (!Number.isInteger(uid) || uid === 0)
      throw new HostError(`${host.name}: ${layoutOf(bot).secrets}/pgpass is missing: npx zx playbooks/site.ts`)
    return consoleScript(`psql:${bot}`, 'opened its database', psqlScript(bot, uid, hasTerminal()))
  })
}

async function interactively(
  session: Session,
  host: InventoryHost,
  action: 'exec' | 'psql',
  prepare: (connection: Connection) => Promise<Script>,
): Promise<number> {
  if (session.options.check) throw new UsageError(`--${action} may change anything, and --check changes nothing`)
  const script = await session.connected(host, prepare, { quiet: true })
  session.report.close()
  const [out, err] = [byLine(writeOut), byLine(writeErr)]
  const code = await runInteractively(session, host, script, { out: out.take, err: err.take })
  out.end()
  err.end()
  if (code !== 0) writeErr(`${host.name}: exit code ${code}`)
  return code
}

/** Shell text: runs a command in a container, with standard input. */
export function execScript(bot: string, container: string, command: readonly string[], terminal: boolean): Script {
  // Its arguments may say what is for nobody else.
  return consoleScript(
    `exec:${bot}`,
    `ran ${command[0] ?? ''} in ${container}`,
    sh`docker exec ${terminal ? ['-i', '-t'] : ['-i']} ${container} ${command}`,
  )
}

/** Shell text: notes that a console was opened, and ends as what is run there does, but for 255, which is ssh's own. */
export function consoleScript(id: string, summary: string, script: Script): Script {
  return sh`
    ${noteEvent(lockRequestOf('bot', false), id, summary)}
    ${script}
    code=$?
    [ "$code" != 255 ] || code=254
    exit "$code"`
}

/** The release that serves, and the names of the containers that run. Throws a `UsageError` where there is none. */
async function servingOn(
  connection: Connection,
  bot: string,
): Promise<{ release: Release; running: readonly string[] }> {
  const answer = await ask(
    connection,
    sh`base64 --wrap=0 ${layoutOf(bot).current} 2>/dev/null; echo; docker ps --format '{{.Names}}'`,
  )
  const [record = '', ...running] = answer.split('\n')
  const release = parseRelease(Buffer.from(record, 'base64').toString() || undefined)
  if (release === undefined) throw new UsageError(`${bot} has no release on this host: deploy it first`)
  return { release, running }
}

function containerOf(
  bot: string,
  { spec, colour }: Release,
  process: string | undefined,
  { host, running }: { host: string; running: readonly string[] },
): string {
  if (spec.replicas !== undefined && (process === undefined || process === 'bot')) {
    const own = running.find((each) => each.startsWith(`${layoutOf(bot).network}_bot.`))
    if (own === undefined)
      throw new HostError(
        `no replica of ${bot} runs on ${host}: on a host that has one: docker exec -it $(docker ps -q --filter label=botgarden.bot=${bot} | head -n 1) COMMAND`,
      )
    return own
  }
  const names = Object.keys(spec.processes ?? {})
  if (process === undefined || (process === 'bot' && !names.includes('bot'))) return layoutOf(bot).container(colour)
  if (!names.includes(process))
    throw new UsageError(
      `${bot} has no process "${process}"${suggest(process, names)}: it has ${['bot', ...names].join(', ')}`,
    )
  return processContainer(bot, process, colour)
}
