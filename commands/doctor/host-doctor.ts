import type { Session } from '../../lib/cli/session.ts'
import type { Commands } from '../../lib/health/finding.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { botHealth } from '../status/bot-health.ts'
import { commandsFor } from '../status/host-status.ts'
import { alertVerdict, type ProveAlert } from './alert-promise.ts'
import { attemptsScript, parseAttempts, type Tried } from './attempts.ts'
import { backupVerdicts } from './backup-promises.ts'
import { attemptVerdicts, confinedVerdict, guestVerdict } from './bot-promises.ts'
import { exposureReading } from './exposure-reading.ts'
import { containerVerdicts, filesVerdict, firewallVerdict } from './host-promises.ts'
import { type Look, lookAt } from './look.ts'
import { outsideAddress } from './outside/address.ts'
import { loginVerdict } from './outside/login-promise.ts'
import {
  notOutside,
  type Outside,
  portVerdicts,
  redirectVerdict,
  tlsVerdicts,
  webPorts,
} from './outside/outside-promises.ts'
import { webhookVerdict } from './outside/webhook-promise.ts'
import { pairVerdicts } from './pair-promises.ts'
import { secretVerdicts } from './secret-promises.ts'
import { secretSearch } from './secret-reading.ts'
import { targetsOf } from './targets.ts'
import { telegramVerdict } from './telegram-promise.ts'
import { type Fault, skipped, type Verdict } from './verdict.ts'
import { guestsOf, knownBots, meshPortOf, pairCommands } from './with-others.ts'

/** What is tried, beside the hosts of the session. */
export interface Wanted {
  /** Of this bot alone, and nothing of its host. */
  readonly bot: string | undefined
  readonly allPorts: boolean
  readonly identities: readonly Secret[]
  readonly proveAlert: ProveAlert
}

/** How the promises to a host and its bots were found. */
export interface HostVerdicts {
  readonly host: string
  /** Those of the host first. Empty where it could not be asked. */
  readonly verdicts: readonly Verdict[]
  /** Why it could not be asked. */
  readonly lost?: Fault
  readonly roundTrips: number
  /** 0, 3 where a promise is broken, 4 where the host was not reached. */
  readonly exitCode: number
}

/** Tries all that is wanted on a host: two requests, and from outside what a stranger would. */
export async function examine(session: Session, host: InventoryHost, wanted: Wanted): Promise<HostVerdicts> {
  const commands = commandsFor(session, host)
  try {
    const { verdicts, roundTrips } = await session.connected(
      host,
      (connection) => tried(session, host, connection, wanted, commands),
      { quiet: true },
    )
    return {
      ...{ host: host.name, verdicts, roundTrips },
      exitCode: verdicts.some(({ result }) => result === 'broken') ? 3 : 0,
    }
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    const [what = ''] = error.message.replace(`${host.name}: `, '').split('\n')
    const lost = { what, mend: commands.playbook('site', '--check -v') }
    return { host: host.name, verdicts: [], lost, roundTrips: 0, exitCode: error.exitCode === 4 ? 4 : 3 }
  }
}

async function tried(
  session: Session,
  host: InventoryHost,
  connection: Connection,
  wanted: Wanted,
  commands: Commands,
): Promise<{ verdicts: readonly Verdict[]; roundTrips: number }> {
  const before = connection.roundTrips
  const say = (line: string) => session.report.line(`${host.name}  ▸ ${line}`)
  say('asking the host')
  const look = await lookAt(host, session.inventory.hosts, connection, wanted.bot === undefined)
  say('trying what a bot and a stranger could')
  const [ofBots, outside] = await Promise.all([
    fromBots(host, connection, look, wanted, commands),
    fromOutside(session, host, connection, look, wanted, commands),
  ])
  const webhooks: Verdict[] = []
  // One after the other: to nginx we are a stranger, who gets a few requests a second.
  for (const bot of look.serving.filter((each) => isWanted(each.name, wanted)))
    webhooks.push(await webhookVerdict(bot, outside.outside, look.readings.get(exposureReading)?.own ?? [], commands))
  const ofHost = wanted.bot === undefined ? await fromHost(session, host, connection, look, wanted, commands) : []
  return {
    verdicts: [...outside.verdicts, ...ofHost, ...inOrder(look, [...ofBots, ...webhooks], wanted)],
    roundTrips: connection.roundTrips - before,
  }
}

function isWanted(bot: string, { bot: only }: Wanted): boolean {
  return only === undefined || only === bot
}

/** Bot by bot; one that was never released has kept none yet. */
function inOrder({ bots }: Look, verdicts: readonly Verdict[], wanted: Wanted): Verdict[] {
  return bots
    .filter(({ name }) => isWanted(name, wanted))
    .flatMap(({ name }) => {
      const own = verdicts.filter(({ bot }) => bot === name)
      return own.length > 0
        ? own
        : [
            skipped(
              { id: 'bot', bot: name, promise: 'keeps its promises' },
              'it is not deployed, or its record is torn',
            ),
          ]
    })
}

/** What each bot comes by, tried from where it stands. */
async function fromBots(
  host: InventoryHost,
  connection: Connection,
  { serving, readings: all, containers = [], bots, clock }: Look,
  wanted: Wanted,
  commands: Commands,
): Promise<Verdict[]> {
  const listening = all.get(exposureReading)?.ports ?? []
  const own = serving.filter(({ name }) => isWanted(name, wanted))
  const around = { facts: connection.facts, listening, web: webPorts(host) }
  const targets = new Map(own.map((bot) => [bot.name, targetsOf(bot, serving, containers, around)]))
  const places = [...targets.values()].flatMap((each) => each?.place ?? [])
  const tried: Tried = places.length === 0 ? new Map() : parseAttempts(await ask(connection, attemptsScript(places)))
  return own.flatMap((bot) => {
    const health = bots.filter(({ name }) => name === bot.name).map((each) => botHealth(each, all))
    return [
      ...attemptVerdicts(bot.name, targets.get(bot.name), tried, commands),
      confinedVerdict(bot, containers, commands),
      ...health.map((each) => telegramVerdict(each, clock, commands)),
    ]
  })
}

async function fromOutside(
  { inventory, options }: Session,
  host: InventoryHost,
  { facts }: Connection,
  { readings, containers = [], clock }: Look,
  wanted: Wanted,
  commands: Commands,
): Promise<{ verdicts: readonly Verdict[]; outside: Outside | undefined }> {
  const target = { name: host.name, ssh: host.ssh, sshConfig: inventory.sshConfig, acceptNew: options.acceptNew }
  const { ports: listening = [], hostKeys = [] } = readings.get(exposureReading) ?? {}
  const found = await outsideAddress(target, facts.address, hostKeys, [...webPorts(host), facts.sshPort])
  const outside = 'none' in found ? undefined : { host, name: publicName(host, facts), address: found.address }
  if (wanted.bot !== undefined) return { verdicts: [], outside }
  const published = containers.flatMap(({ ports }) =>
    ports.map((port) => Number(/\d+$/.exec(port)?.[0])).filter(Boolean),
  )
  const scan = { listening, published, sshPort: facts.sshPort, all: wanted.allPorts }
  const login = loginVerdict(target, commands)
  if (outside === undefined)
    return { verdicts: [await login, ...notOutside('none' in found ? found.none : '')], outside }
  const verdicts = await Promise.all([
    portVerdicts(outside, scan, commands),
    tlsVerdicts(outside, clock, commands),
    redirectVerdict(outside, commands),
  ])
  return { verdicts: [await login, ...verdicts.flat()], outside }
}

/** What only the host itself can tell. */
async function fromHost(
  session: Session,
  host: InventoryHost,
  connection: Connection,
  { readings, containers, pair, serving, firewall, clock }: Look,
  wanted: Wanted,
  commands: Commands,
): Promise<Verdict[]> {
  const exposure = readings.get(exposureReading)
  const { hosts } = session.inventory
  return [
    firewallVerdict(firewall.resources, firewall.state, commands),
    ...containerVerdicts(containers, knownBots(host, hosts), commands, meshPortOf(host, hosts)),
    ...guestsOf(host, hosts).map((bot) => guestVerdict(bot, containers ?? [], commands)),
    ...(pair === undefined
      ? []
      : pairVerdicts(host.name, pair, containers, clock, pairCommands(session, host, commands))),
    filesVerdict(exposure, commands),
    ...secretVerdicts(readings.get(secretSearch), serving, commands),
    await alertVerdict(host, connection, wanted.proveAlert, commands),
    ...(await backupVerdicts(session, host, exposure, clock, wanted.identities, commands)),
  ]
}
