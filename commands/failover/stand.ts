import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { gateProgram, pairKey } from '../../lib/platform/standby/gate.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { clustersFolder } from '../../roles/postgres/cluster.ts'
import { type GateState, gateStateScript, parseGateState } from '../../roles/standby/gate.ts'
import { newestRecord, type PrimaryRecord, primaryIn, readPrimary } from '../../roles/standby/primary-record.ts'

/** What a host says of its pair. */
export interface Stand {
  readonly host: InventoryHost
  /** Its public name, and the network's of its bots. */
  readonly name: string
  readonly record: PrimaryRecord | undefined
  /** It has a record that cannot be read. */
  readonly torn: boolean
  readonly gate: GateState
  /** Its server follows another one: it is that of a standby. */
  readonly follows: boolean
  /** The checksum of the key of the pair; undefined where it has none. */
  readonly key: string | undefined
  /** Where its gate has its peer served: `https://vps2.example.org`. */
  readonly peerOrigin: string | undefined
}

/** A host that could not be asked, and why. */
export interface Silent {
  readonly host: InventoryHost
  readonly error: RunnerError
}

export function isKnown(each: Stand | Silent): each is Stand {
  return !('error' in each)
}

export const standQuestion: Script = sh`
  ${readPrimary}
  ${gateStateScript}
  for file in ${clustersFolder}/*/docker/standby.signal; do [ ! -e "$file" ] || echo follows; done
  [ ! -s ${pairKey} ] || echo "key $(sha256sum <${pairKey} | cut -c 1-64)"
  sed -n "s/.* peer_origin='\\{0,1\\}\\([^ ']*\\).*/peer-origin \\1/p" ${`${gateProgram}/gate`} 2>/dev/null | head -n 1`

export async function standOf({ connected }: Session, host: InventoryHost): Promise<Stand | Silent> {
  try {
    return await connected(
      host,
      async (connection) => {
        const told = await ask(connection, standQuestion)
        const record = primaryIn(told)
        return {
          ...{ host, name: publicName(host, connection.facts), gate: parseGateState(told), torn: record === 'torn' },
          follows: /^follows$/m.test(told),
          peerOrigin: /^peer-origin (\S+)$/m.exec(told)?.[1],
          ...{ record: record === 'torn' ? undefined : record, key: /^key ([0-9a-f]{64})$/m.exec(told)?.[1] },
        }
      },
      { quiet: true },
    )
  } catch (error) {
    if (error instanceof RunnerError) return { host, error }
    throw error
  }
}

/** The record of the highest epoch that these hosts have. */
export function recordOf(stands: readonly (Stand | Silent)[]): PrimaryRecord | undefined {
  return newestRecord(stands.filter(isKnown).map(({ record }) => record))
}
