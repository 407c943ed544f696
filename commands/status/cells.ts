import type { BotHealth, ContainerHealth, HostHealth } from '../../lib/health/state.ts'
import { durationText } from '../../lib/std/duration.ts'

/** What is shown of a bot or one of its processes, a cell each, in the order of `columns`. */
export type Row = readonly string[]

export const columns: Row = [
  'bot',
  'release',
  'age',
  'mode',
  'health',
  'restarts',
  'memory',
  'updates',
  'errors',
  'webhook',
]

/** The row of a bot, and one below it for each of its processes. `now`: the clock of the host, in milliseconds since 1970. */
export function rowsOf(bot: BotHealth, now: number): Row[] {
  const { release, traffic } = bot
  if (typeof release === 'string')
    return [[bot.name, release === 'absent' ? 'not deployed' : 'record torn', ...columns.slice(2).map(() => '')]]
  const age = release.at === undefined ? '' : durationText(now - release.at)
  const perMinute = traffic === undefined ? '' : `${(traffic.delivered / traffic.minutes).toFixed(1)}/min`
  return [
    [
      ...[bot.name, release.id, age, bot.mode ?? ''],
      ...containerCells(bot.container),
      ...[perMinute, traffic === undefined ? '' : String(traffic.failed), webhookCell(bot)],
    ],
    ...replicaRows(bot),
    ...Object.entries(bot.processes).map(([name, state]) => [
      `  ${name}`,
      '',
      '',
      '',
      ...containerCells(state),
      '',
      '',
      '',
    ]),
  ]
}

/** How many replicas run on each host. */
function replicaRows({ replicas }: BotHealth): Row[] {
  if (replicas === undefined) return []
  const where = [...Map.groupBy(replicas.on, (host) => host)]
  const total = [`  replicas`, '', '', '', `${replicas.on.length} of ${replicas.wanted}`, '', '', '', '', '']
  return [
    total,
    ...where.map(([host, { length }]) => [`  on ${host}`, '', '', '', `${length} running`, '', '', '', '', '']),
  ]
}

function containerCells(state: ContainerHealth | 'absent'): string[] {
  if (state === 'absent') return ['absent', '', '']
  const { status, health, restarts, memoryMB, limitMB } = state
  const limit = limitMB > 0 ? `/${Math.round(limitMB)}` : ''
  const memory = memoryMB === undefined ? '' : `${Math.round(memoryMB)}${limit} MB`
  return [status === 'running' ? health || status : status, String(restarts), memory]
}

function webhookCell({ webhook, mode }: BotHealth): string {
  if (webhook === undefined) return ''
  if (webhook === 'unreachable') return 'no answer'
  if (webhook === 'refused') return 'token rejected'
  const { url, pending } = webhook
  if (mode === 'polling') return url === 'none' ? `${pending} pending` : 'one is set'
  return url === 'own' ? `${pending} pending` : url === 'none' ? 'not set' : 'not ours'
}

/** What is shown of a host: a name and a value each. */
export function hostCells(host: HostHealth): readonly (readonly [name: string, value: string])[] {
  const percent = (share: number) => `${Math.round(100 * share)} %`
  const { memory, backups, clock, connections, lastCheck, heldUpdates, pendingReboot } = host
  const used = memory.totalMB === 0 ? 0 : 1 - memory.availableMB / memory.totalMB
  const ago = (at: number | undefined, now: number) => (at === undefined ? 'none' : `${durationText(now - at)} old`)
  return [
    ['up', durationText(host.uptimeSeconds * 1000)],
    ...(host.load === undefined ? [] : [['load', `${host.load.toFixed(2)} on ${host.cpus} cpus`] as const]),
    ['memory', `${percent(used)} of ${memory.totalMB} MB`],
    ...host.disks.map(
      ({ path, used: share, sizeMB }) =>
        [`disk ${path}`, `${percent(share)} of ${Math.round(sizeMB / 1024)} GB`] as const,
    ),
    ...(connections === undefined ? [] : [['connections', `${connections.used} of ${connections.most}`] as const]),
    ...host.certificates.map(
      ({ name, ends, issuer }) =>
        [`certificate ${name}`, ends === '' ? 'none' : `ends ${ends}, by ${issuer || 'itself'}`] as const,
    ),
    [
      'backup',
      backups === undefined
        ? 'none wanted'
        : `on the host ${ago(backups.there, clock.there)}, here ${ago(backups.here, clock.here)}`,
    ],
    ...(host.archive === undefined ? [] : [['archive', host.archive.line] as const]),
    ...(host.pair === undefined ? [] : [['database', host.pair.line] as const]),
    ...(heldUpdates.length > 0 ? [['held updates', String(heldUpdates.length)] as const] : []),
    ...(pendingReboot.length > 0 ? [['reboot', 'due'] as const] : []),
    ['checked from here', lastCheck === undefined ? 'never' : checkCell(lastCheck, clock.here)],
  ]
}

function checkCell({ at, differences }: NonNullable<HostHealth['lastCheck']>, now: number): string {
  const found = differences.length === 0 ? 'as wanted' : `${differences.length} differences`
  return `${durationText(now - at)} ago: ${found}`
}

/** A line for each job of a bot. */
export function jobLines({ name, jobs }: BotHealth): string[] {
  return Object.entries(jobs).map(([job, { last }]) => `${name} job ${job}: ${last}`)
}
