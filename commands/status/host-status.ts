import { lastCheckOf } from '../../lib/cli/last-check.ts'
import type { Session } from '../../lib/cli/session.ts'
import { botFindings } from '../../lib/health/bot-findings.ts'
import { byUrgency, type Commands, type Finding, needsPerson } from '../../lib/health/finding.ts'
import { hostFindings } from '../../lib/health/host-findings.ts'
import type { BotHealth, HostHealth } from '../../lib/health/state.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { quote } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { destination } from '../../lib/ssh/ssh-arguments.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { settingsFor } from '../backup/host-settings.ts'
import { copiesOf } from '../backup/local-copies.ts'
import { botHealth } from './bot-health.ts'
import { hostHealth, type KnownHere } from './host-health.ts'
import { questionsFor } from './questions.ts'
import { readAll } from './read.ts'

/** A host as it is now. Without `health` it could not be read. */
export interface HostStatus {
  readonly host: string
  readonly health?: HostHealth
  readonly bots: readonly BotHealth[]
  /** The most urgent first. */
  readonly findings: readonly Finding[]
  readonly roundTrips: number
  /** 0, 3 where it needs a person, 4 where it was not reached. */
  readonly exitCode: number
}

/** Reads a host in one round trip, and finds what needs a person. */
export async function hostStatus(session: Session, host: InventoryHost): Promise<HostStatus> {
  const commands = commandsFor(session, host)
  const here = knownHere(session, host)
  try {
    return await session.connected(
      host,
      (connection) => read(host, session.inventory.hosts, connection, here, commands),
      { quiet: true },
    )
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    const [what = ''] = error.message.replace(`${host.name}: `, '').split('\n')
    const id = error.exitCode === 4 ? 'unreachable' : 'unreadable'
    const finding: Finding = { level: 'error', id, what, next: commands.playbook('site', '--check -v') }
    return { host: host.name, bots: [], findings: [finding], roundTrips: 0, exitCode: error.exitCode === 4 ? 4 : 3 }
  }
}

async function read(
  host: InventoryHost,
  hosts: readonly InventoryHost[],
  connection: Connection,
  here: KnownHere,
  commands: Commands,
): Promise<HostStatus> {
  const before = connection.roundTrips
  const questions = questionsFor(host, hosts, connection.facts)
  const readings = await readAll(connection, questions.all)
  const health = hostHealth(host, questions, readings, connection.facts, here)
  const bots = questions.bots.map((bot) => botHealth(bot, readings))
  // Where nothing is known of containers, each bot would be said not to be there.
  const ofBots = health.engine ? bots.flatMap((bot) => botFindings(bot, health.clock.there, commands)) : []
  const findings = byUrgency([...hostFindings(health, commands), ...ofBots])
  const exitCode = needsPerson(findings) ? 3 : 0
  return { host: host.name, health, bots, findings, roundTrips: connection.roundTrips - before, exitCode }
}

function knownHere({ inventory }: Session, host: InventoryHost): KnownHere {
  const lastCheck = lastCheckOf(inventory.file, host.name)
  return { ...backupHere(host), ...(lastCheck && { lastCheck }) }
}

/** A folder of copies that cannot be read has none. */
function backupHere(host: InventoryHost): { backup?: number } {
  try {
    const newest = copiesOf(host.name, settingsFor(host).local)
      .list()
      .find(({ only }) => only === undefined)
    return newest === undefined ? {} : { backup: newest.time }
  } catch (error) {
    if (error instanceof RunnerError) return {}
    throw error
  }
}

/** How the next commands are typed: with the inventory of this run, unless it is the default, and for this host alone. */
export function commandsFor({ inventory, options, hosts }: Session, { name, ssh }: InventoryHost): Commands {
  const given = options.inventory === 'inventory/sandbox.yaml' ? '' : ` -i ${quote(options.inventory)}`
  const target = destination({ name, ssh, sshConfig: inventory.sshConfig, acceptNew: false }).map(quote).join(' ')
  const limited = inventory.hosts.length > 1 || hosts.length !== inventory.hosts.length ? ` --limit ${name}` : ''
  return {
    playbook: (playbook, more = '') =>
      `npx zx playbooks/${playbook}.ts${given}${['bot', 'failover'].includes(playbook) ? '' : limited}${more === '' ? '' : ` ${more}`}`,
    removal: (bot) => `npx zx playbooks/bot.ts${given} --name ${quote(bot)} --limit ${name} --remove`,
    onHost: (command) => `ssh ${target} ${quote(command)}`,
  }
}
