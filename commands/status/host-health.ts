import type { HostHealth } from '../../lib/health/state.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { nginxContainer, nginxState } from '../../lib/platform/nginx.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { parseBackupName } from '../../roles/backups/backup-name.ts'
import { type ArchiveState, archiveFaults, archiveLine, archiveReading } from '../../roles/backups/continuous/status.ts'
import { type LastRun, lastRun } from '../../roles/backups/last-backup.ts'
import type { BackupsVars } from '../../roles/backups/schema.ts'
import { updatesWaiting } from '../../roles/base/upgrades.ts'
import { deployedBots, movedBots, movedIn } from '../../roles/bot/status.ts'
import { type PairWanted, pairFaults, pairLine } from '../../roles/postgres/replication/shown.ts'
import type { ReplicationState } from '../../roles/postgres/replication/state.ts'
import { type GateState, gateFaults, gateReading } from '../../roles/standby/gate.ts'
import { clockReading } from './clock-reading.ts'
import { connectionsReading } from './connections-reading.ts'
import { containersReading } from './container-reading.ts'
import { type HostReading, hostReading } from './host-reading.ts'
import type { Questions } from './questions.ts'
import type { Readings } from './read.ts'

/** What only this machine knows of a host. */
export interface KnownHere {
  /** When its newest copy of a backup of the whole host was taken, in milliseconds since 1970. */
  readonly backup?: number
  readonly lastCheck?: HostHealth['lastCheck']
}

/** The health of a host, from what it has answered. */
export function hostHealth(
  host: InventoryHost,
  { certificates, pair, archived }: Questions,
  { get, at, took }: Readings,
  { cpus, container }: Pick<Facts, 'cpus' | 'container'>,
  here: KnownHere,
): HostHealth {
  const { firewall, load, failedUnits, ...kernel } = get(hostReading) ?? unread
  const containers = get(containersReading)
  const [nginx, connections, updates] = [get(nginxState), get(connectionsReading), get(updatesWaiting)]
  const servers = Object.fromEntries(
    [nginxContainer, postgresContainer].map((name) => [name, containers?.get(name) ?? ('absent' as const)]),
  )
  const server = servers[nginxContainer]
  const nginxRuns = server !== undefined && server !== 'absent' && server.status === 'running'
  const moved = movedIn(get(movedBots) ?? [])
    .filter(({ standby }) => !standby)
    .map(({ bot, serves, from }) => ({ bot, serves, from }))
  const wantsBackups = (host.vars.backups as BackupsVars | undefined)?.recipients !== undefined
  return {
    ...kernel,
    cpus,
    // A job that failed is told with its bot.
    failedUnits: failedUnits.filter((unit) =>
      host.bots.every(({ name }) => !unit.startsWith(`botgarden-job-${name}.`)),
    ),
    ...(container === '' && { load }),
    clock: { there: get(clockReading) ?? at, here: at, slack: took + 1000 },
    engine: containers !== undefined,
    servers,
    ...(firewall !== undefined && { firewall }),
    ...(connections && { connections }),
    ...(nginxRuns && nginx !== undefined && nginx !== 'absent' && { nginxInForce: nginx.inForce }),
    certificates: certificates.map(({ name, signed, reading }) => {
      const { ends, issuer, wrong = false } = get(reading) ?? { ends: '', issuer: '' }
      return { name, ends, issuer, wrong, signed }
    }),
    ...(wantsBackups && { backups: backupsOf(get(lastRun), here.backup) }),
    ...(archived && { archive: archiveOf(get(archiveReading)) }),
    ...(pair && { pair: pairHealth({ ...pair.wanted, own: host.name }, get(pair.reading), get(gateReading)) }),
    heldUpdates: updates?.held ?? [],
    pendingReboot: updates?.reboot ?? [],
    unknownBots: (get(deployedBots) ?? []).filter((name) => host.bots.every((bot) => bot.name !== name)),
    ...(moved.length > 0 && { movedBots: moved }),
    ...(here.lastCheck && { lastCheck: here.lastCheck }),
  }
}

/** A host that cannot tell has nothing archived. */
function archiveOf(state: ArchiveState | undefined): NonNullable<HostHealth['archive']> {
  const told = state ?? { now: 0, status: undefined, key: '' }
  return { line: archiveLine(told), faults: archiveFaults(told) }
}

function pairHealth(
  wanted: PairWanted & { readonly own: string },
  state: ReplicationState | undefined,
  gate: GateState | undefined,
): NonNullable<HostHealth['pair']> {
  return {
    line: pairLine(wanted, state?.server),
    faults: [...gateFaults(wanted, gate), ...pairFaults(wanted, state?.server)],
  }
}

const unread: HostReading = {
  ...{ uptimeSeconds: 0, load: 0, memory: { totalMB: 0, availableMB: 0 }, disks: [], failedUnits: [] },
}

function backupsOf(run: LastRun | undefined, here: number | undefined): NonNullable<HostHealth['backups']> {
  const { status } = run ?? {}
  const there = parseBackupName(status?.lastGood ?? '')?.time
  const failure = status?.result === 'failed' || status?.result === 'incomplete'
  return {
    ...(there !== undefined && { there }),
    ...(here !== undefined && { here }),
    ...(failure && {
      failure: `FAILED ${status.result === 'incomplete' ? 'in part ' : ''}at ${status.at}: ${status.reason}`,
    }),
  }
}
