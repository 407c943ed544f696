import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { ipv4Number } from '../../lib/model/ipv4.ts'
import { meshFile, meshKey } from '../../lib/model/mesh.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { peersIn } from '../../roles/mesh/config.ts'
import { isPublicKey } from '../../roles/mesh/peer.ts'

/** What a host tells of its part in a mesh. */
export interface Answer {
  /** Its public key; undefined where it has none yet. */
  readonly key: string | undefined
  /** The address of its default route; undefined where it has none. */
  readonly address: string | undefined
  /** What it knows of its peers, by their addresses in the mesh: for itself, where they cannot be asked. */
  readonly peers: ReturnType<typeof peersIn>
}

/** Asks a host, in one round trip; undefined where it cannot be asked. */
export async function askMember(
  { connected, hosts, report }: Session,
  host: InventoryHost,
): Promise<Answer | undefined> {
  try {
    return await connected(
      host,
      async (connection) => answerOf(await ask(connection, question), connection.facts.address),
      {
        quiet: true,
      },
    )
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    // A run of the host itself says so in any case.
    if (!hosts.includes(host))
      report.line(
        `${host.name}  warning: not asked for its key: the others keep what they know of it: ${error.message}`,
      )
    return undefined
  }
}

/** The public key alone leaves the host. */
export const question: Script = sh`
  [ ! -s ${meshKey} ] || echo "own $(wg pubkey <${meshKey} 2>/dev/null)"
  sed -n -E '/^(\[Peer\]$|(PublicKey|AllowedIPs|Endpoint) = )/p' ${meshFile} 2>/dev/null | head -c 100000`

export function answerOf(output: string, address: string): Answer {
  const [, own = ''] = /^own (.*)$/m.exec(output) ?? []
  return {
    key: isPublicKey(own) ? own : undefined,
    address: ipv4Number(address) === undefined ? undefined : address,
    peers: peersIn(output),
  }
}
