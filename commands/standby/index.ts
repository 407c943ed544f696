import type { Finder, Given, Stage } from '../../lib/cli/given.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Role } from '../../lib/model/role.ts'
import { HostError, InventoryError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { postgresRole } from '../../roles/postgres/index.ts'
import { secretsId } from '../../roles/postgres/replication/follower.ts'
import type { ServerPair } from '../../roles/postgres/replication/pair.ts'
import { primaryRecord } from '../../roles/standby/primary-record.ts'
import { serverNetwork } from '../mesh/database.ts'
import { type Pair, pairOf } from '../mesh/pair.ts'
import { type Answer, askServer } from './ask.ts'
import { standbyFaults } from './faults.ts'
import { handOverSecrets } from './hand-over.ts'
import { connectionsOf, sourceOf } from './pair-given.ts'
import { disagreement, type Hosts, recordOf } from './who-is-primary.ts'
import { withoutArchive } from './without-archive.ts'

type Answers = Map<InventoryHost, Answer | undefined>

/** Tells the servers of a pair what each has to know of the other one; and has the standby come after its primary. */
export const standbyGiven: Finder = async (session, roles) => {
  const { hosts } = session.inventory
  const faults = standbyFaults(hosts)
  if (faults.length > 0) throw new InventoryError(faults.join('\n'))
  const pairs = pairsOf(session.hosts, hosts)
  if (pairs.length === 0 || !roles.some(({ name }) => name === 'postgres')) return undefined
  const answers: Answers = new Map()
  const askAll = (some: readonly InventoryHost[]) =>
    mapConcurrent(session.options.forks, some, async (host) => answers.set(host, await askServer(session, host)))
  await askAll(pairs.flatMap(({ primary, standby }) => [primary, standby]))
  for (const pair of pairs) refuseDisagreement(pair, answers)
  const give = (host: InventoryHost, role: Role) => {
    const pair = pairOf(host, hosts)
    return pair === undefined ? role : roleOf(session, role, host, pair, answers)
  }
  return Object.assign(give, { stages: stagesOf(session, pairs, answers, askAll) }) satisfies Given
}

/** Each pair that a host of these belongs to, once. */
function pairsOf(some: readonly InventoryHost[], all: readonly InventoryHost[]): Hosts[] {
  const primaries = some.flatMap((host) => {
    const pair = pairOf(host, all)
    return pair === undefined ? [] : [pair.is === 'primary' ? pair.own : pair.other]
  })
  const named = new Map(primaries.map(({ host }) => [host.name, host]))
  return [...named.values()].flatMap((primary) => {
    const pair = pairOf(primary, all)
    return pair === undefined ? [] : [{ primary, standby: pair.other.host }]
  })
}

function refuseDisagreement(pair: Hosts, answers: Answers): void {
  const found = disagreement(pair, { ofPrimary: answers.get(pair.primary), ofStandby: answers.get(pair.standby) })
  if (found !== undefined) throw new HostError(`postgres.standby: ${found}`)
}

function stagesOf(
  session: Session,
  pairs: readonly Hosts[],
  answers: Answers,
  askAll: (some: readonly InventoryHost[]) => Promise<unknown>,
): Stage[] {
  const isOfRun = (host: InventoryHost) => session.hosts.includes(host)
  const { options, inventory } = session
  const standbys = pairs.filter(({ standby }) => isOfRun(standby))
  const waiting = pairs.filter(
    ({ primary }) =>
      isOfRun(primary) && pairOf(primary, inventory.hosts)?.synchronous && !answers.get(primary)?.server?.synchronous,
  )
  const primaryOf = (host: InventoryHost) => pairs.find(({ standby }) => standby === host)?.primary
  return [
    ...(standbys.length === 0
      ? []
      : [
          {
            hosts: standbys.map(({ standby }) => standby),
            begin: async () => void (await askAll(standbys.map(({ primary }) => primary))),
            prepare: async (host, _, changes) => {
              const primary = primaryOf(host)
              if (options.check || primary === undefined || !changes.some(({ id }) => id === secretsId)) return
              await handOverSecrets(session, primary, host)
            },
          } satisfies Stage,
        ]),
    // Only now is there somebody to wait for.
    ...(waiting.length === 0 || options.check
      ? []
      : [
          {
            hosts: waiting.map(({ primary }) => primary),
            again: ['postgres'],
            begin: async () => void (await askAll(waiting.map(({ primary }) => primary))),
          } satisfies Stage,
        ]),
  ]
}

function roleOf(session: Session, role: Role, host: InventoryHost, pair: Pair, answers: Answers): Role {
  const { inventory, options } = session
  const [primary, standby] = pair.is === 'primary' ? [host, pair.other.host] : [pair.other.host, host]
  if (role.name === 'backups') return pair.is === 'standby' ? withoutArchive(role) : role
  if (role.name !== 'postgres') return role
  const ofPrimary = answers.get(primary)
  const record = recordOf({ primary, standby }, [ofPrimary, answers.get(standby)])
  const server: ServerPair = {
    is: pair.is,
    other: { name: pair.other.host.name, address: pair.other.address },
    connections: connectionsOf([ofPrimary, answers.get(standby)]),
    ...(pair.is === 'primary'
      ? { synchronous: synchronousOf(pair, ofPrimary, options.check) }
      : { source: sourceOf(ofPrimary, record.primary === primary.name && record.epoch > 1) }),
  }
  const given = postgresRole({ network: serverNetwork(host, inventory.hosts), pair: server })
  const inner = pair.is === 'standby' ? withoutArchive(given) : given
  return { ...inner, resources: (...of) => [...inner.resources(...of), primaryRecord(record)] }
}

/** Commits begin to wait when there is a standby that could have them; they end to wait by --degrade alone, or without the key. */
function synchronousOf({ synchronous }: Pair, answer: Answer | undefined, check: boolean): boolean | undefined {
  if (!synchronous) return false
  return check || answer?.server?.standby?.state === 'streaming' ? true : undefined
}
