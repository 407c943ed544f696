import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Facts } from '../../lib/model/facts.ts'
import type { Reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { gateTimer } from '../../lib/platform/standby/gate.ts'
import { textOf } from '../../lib/resources/file-state.ts'
import { unitState } from '../../lib/resources/unit.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { allocations } from '../../roles/bot/spec/allocations.ts'
import { parseRelease } from '../../roles/bot/spec/release-record.ts'
import { gateReading } from '../../roles/standby/gate.ts'
import { primaryRecordPath } from '../../roles/standby/primary-record.ts'
import { ufwRole } from '../../roles/ufw/index.ts'
import { meshFirewall } from '../mesh/database.ts'
import { clockReading } from '../status/clock-reading.ts'
import { type BotQuestions, type Questions, questionsFor } from '../status/questions.ts'
import { type Readings, readAll } from '../status/read.ts'
import { type Container, everyContainer, everyContainerOfPair } from './container-reading.ts'
import { exposureReading } from './exposure-reading.ts'
import type { PairSeen } from './pair-promises.ts'
import { secretSearch } from './secret-reading.ts'
import type { Serving } from './targets.ts'

/** What a host says when it is asked once. */
export interface Look {
  readonly readings: Readings
  /** Undefined where the engine does not answer. */
  readonly containers: readonly Container[] | undefined
  /** Only of a host of a pair. */
  readonly pair?: PairSeen
  readonly bots: readonly BotQuestions[]
  /** The bots of the inventory that have a release, in its order. */
  readonly serving: readonly Serving[]
  readonly firewall: { readonly resources: readonly Resource[]; readonly state: ReadonlyMap<string, unknown> }
  /** Its clock, in milliseconds since 1970. */
  readonly clock: number
}

/** Reads all that is judged here: one request. `whole`: the host itself too, and not its bots alone. */
export async function lookAt(
  host: InventoryHost,
  hosts: readonly InventoryHost[],
  connection: Connection,
  whole: boolean,
): Promise<Look> {
  const { bots, pair } = questionsFor(host, hosts, connection.facts)
  const { resources, reads } = firewallOf(host, hosts, connection.facts)
  const ofBots = bots.flatMap(({ release, webhook }): Reading[] => [release, webhook])
  const ofHost = whole ? [secretSearch, ...reads] : []
  const ofPair = whole && pair !== undefined ? [pair.reading, ...gateReadings] : []
  const containers = ofPair.length > 0 ? everyContainerOfPair : everyContainer
  const readings = await readAll(connection, [
    ...[containers, exposureReading, allocations, clockReading],
    ...ofBots,
    ...ofHost,
    ...ofPair,
  ])
  const numbers = readings.get(allocations) ?? {}
  return {
    readings,
    containers: readings.get(containers),
    ...(whole && pair !== undefined && { pair: pairSeen(pair, readings) }),
    bots,
    serving: bots.flatMap(({ name, release: record }) => {
      const [release, number] = [parseRelease(readings.get(record)), numbers[name]]
      return release === undefined || number === undefined ? [] : [{ name, number, release }]
    }),
    firewall: { resources, state: new Map(ofHost.map((each) => [each.key, readings.get(each)])) },
    clock: readings.get(clockReading) ?? readings.at,
  }
}

const [record, timer] = [textOf(primaryRecordPath), unitState(gateTimer)]
const gateReadings: readonly Reading[] = [gateReading, record, timer]

function pairSeen({ wanted, reading }: NonNullable<Questions['pair']>, { get }: Readings): PairSeen {
  return { wanted, server: get(reading)?.server, gate: get(gateReading), record: get(record), timer: get(timer) }
}

function firewallOf(
  host: InventoryHost,
  hosts: readonly InventoryHost[],
  facts: Facts,
): { resources: readonly Resource[]; reads: readonly Reading[] } {
  const { resources } = resourcesOf([ufwRole(meshFirewall(host, hosts))], host.vars, facts, host)
  const reads = new Map(resources.flatMap((each) => each.reads).map((each) => [each.key, each]))
  return { resources, reads: [...reads.values()] }
}
