import type { Commands } from '../../lib/health/finding.ts'
import { postgresContainer } from '../../lib/platform/postgres-client.ts'
import { gateRun, gateTimer } from '../../lib/platform/standby/gate.ts'
import type { UnitState } from '../../lib/resources/unit.ts'
import { quote } from '../../lib/shell/sh.ts'
import { durationText } from '../../lib/std/duration.ts'
import { type PairWanted, pairFaults } from '../../roles/postgres/replication/shown.ts'
import type { ServerState } from '../../roles/postgres/replication/state.ts'
import type { GateState } from '../../roles/standby/gate.ts'
import { parsePrimaryRecord, primaryRecordPath } from '../../roles/standby/primary-record.ts'
import type { Container } from './container-reading.ts'
import { type Fault, judged, type Promised, type Verdict } from './verdict.ts'

/** What a host of a pair says of it. */
export interface PairSeen {
  readonly wanted: PairWanted
  readonly server: ServerState | undefined
  readonly gate: GateState | undefined
  /** The text of its record. */
  readonly record: string | undefined
  readonly timer: UnitState | undefined
}

/** In milliseconds: the gate judges every 15 seconds, and may wait for its peer and for Telegram. */
const oldVerdict = 120_000

/** What is promised of the two hosts of a pair, as far as this one of them can tell. `now`: its clock, in milliseconds since 1970. */
export function pairVerdicts(
  host: string,
  seen: PairSeen,
  containers: readonly Container[] | undefined,
  now: number,
  commands: Commands & { readonly other: Commands },
): Verdict[] {
  const { is, other } = seen.wanted
  const say = (id: string, promise: string): Promised => ({ id, promise })
  const site = commands.playbook('site')
  const untried: Fault = { what: 'it could not be tried: Docker does not answer', mend: site }
  return [
    judged(say('gate', `its gate judges all the time whether it or ${other} serves`), gateFaults(seen, now, commands)),
    judged(
      say('gate-record', 'its record of who is the primary is that of the inventory'),
      recordFaults(host, seen, site),
    ),
    is === 'primary'
      ? judged(say('gate-open', 'its gate is open, as that of the primary'), shutFaults(host, seen, commands))
      : judged(
          say('standby-idle', 'no bot runs on the standby'),
          containers === undefined ? [untried] : idleFaults(seen, containers, commands),
        ),
    judged(
      say('gate-mounts', 'no boot starts a bot or the database server past the gate'),
      containers === undefined ? [untried] : mountFaults(seen, containers, commands),
    ),
    judged(say('standby', 'the standby has what was written, but for the last moments'), standbyFaults(seen, commands)),
  ]
}

function gateFaults({ gate, timer }: PairSeen, now: number, { playbook, onHost }: Commands): Fault[] {
  const mend = playbook('site')
  if (timer?.active !== 'active') return [{ what: `${gateTimer} does not run`, mend }]
  if (timer.enabled !== 'enabled') return [{ what: `${gateTimer} does not come with a boot`, mend }]
  if (gate?.at !== undefined && now - gate.at <= oldVerdict) return []
  const since = gate?.at === undefined ? 'since the boot' : `for ${durationText(now - gate.at)}`
  const look = onHost('sudo journalctl -n 20 -u botgarden-gate.service')
  return [{ what: `it has not judged ${since}`, mend: `${mend} or, where that changes nothing, ${look}` }]
}

/** What differs is not mended but told: site.ts names the lines of the inventory, and writes a record that is lost. */
function recordFaults(host: string, { wanted, record: text }: PairSeen, site: string): Fault[] {
  const record = parsePrimaryRecord(text ?? '')
  if (record === undefined)
    return [{ what: `${primaryRecordPath} ${text === undefined ? 'is gone' : 'cannot be read'}`, mend: site }]
  const primary = wanted.is === 'primary' ? host : wanted.other
  const standby = wanted.is === 'primary' ? wanted.other : host
  if (record.primary === primary && record.standby === standby) return []
  const what = `by ${primaryRecordPath} ${record.primary} is the primary since epoch ${record.epoch}, and ${record.standby} its standby`
  return [{ what, mend: site }]
}

function shutFaults(
  host: string,
  { wanted, gate }: PairSeen,
  { playbook, other }: Commands & { other: Commands },
): Fault[] {
  if (gate?.open) return []
  const verdict = gate?.verdict || 'shut, and was not judged since the boot'
  const back = (more = '') => playbook('failover', `--from ${wanted.other} --to ${host}${more}`)
  let mend = playbook('site')
  // Only who knows that the other one is off may open it then.
  if (/does not answer/.test(verdict))
    mend = `${other.playbook('status')}; where ${wanted.other} serves nothing: ${back(' --old-host-is-gone')}`
  // Who stopped it knows whether it is to end or to be given up, which a run of site.ts does not.
  if (/stopped for a failover/.test(verdict)) mend = back()
  // What somebody has taken away is open by its last verdict.
  const what = verdict.startsWith('open') ? `${gateRun}/bots is gone` : `it is ${verdict}`
  return [{ what, mend }]
}

function idleFaults({ gate }: PairSeen, containers: readonly Container[], { onHost }: Commands): Fault[] {
  const shut = onHost('sudo systemctl start botgarden-gate.service')
  return [
    ...(gate?.open ? [{ what: `its gate is open for bots: ${gateRun}/bots is there`, mend: shut }] : []),
    ...containers
      .filter((each) => each.running && isBot(each))
      .map(({ name }): Fault => ({ what: `${name} runs`, mend: onHost(`sudo docker stop ${quote(name)}`) })),
  ]
}

/** What a boot would start by itself, or serves now, is held by the gate: by a folder that is not there after a boot. */
function mountFaults({ wanted }: PairSeen, containers: readonly Container[], { playbook, onHost }: Commands): Fault[] {
  return containers.flatMap((each): Fault[] => {
    const { name, mounts, running, restart } = each
    const folder = name === postgresContainer ? 'postgres' : isBot(each) ? 'bots' : undefined
    if (folder === undefined || !(running || restart === 'always')) return []
    if (mounts.some(({ source }) => source === `${gateRun}/${folder}`)) return []
    // What does not serve is needed by nobody, and what serves is made anew by its role.
    const isStray = folder === 'bots' && (!running || wanted.is === 'standby')
    const mend = isStray ? onHost(`sudo docker rm -f ${quote(name)}`) : playbook('site')
    return [{ what: `${name} does not have ${gateRun}/${folder} mounted`, mend }]
  })
}

/** Replicas of bots of other hosts are the swarm's, which starts them where it wants. */
function isBot({ labels }: Container): boolean {
  return labels['botgarden.bot'] !== undefined && labels['com.docker.swarm.service.name'] === undefined
}

function standbyFaults({ wanted, server }: PairSeen, { playbook, other }: Commands & { other: Commands }): Fault[] {
  const own = playbook('site')
  if (server === undefined) return [{ what: 'it could not be tried: its server does not answer', mend: own }]
  // What follows has to be started, or copied anew, where it is.
  const mend = wanted.is === 'primary' && !server.inRecovery && !server.standby ? other.playbook('site') : own
  return pairFaults(wanted, server).map((what) => ({ what, mend }))
}
