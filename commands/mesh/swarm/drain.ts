import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { RunnerError } from '../../../lib/std/errors.ts'
import { drainedLabel } from '../../../roles/swarm/member.ts'
import { parseSwarm, question } from '../../../roles/swarm/state.ts'
import { type Swarm, swarmsOf } from './members.ts'

const functions = shellFile(new URL('drain.sh', import.meta.url))

/** In seconds: how long replicas may take until they run elsewhere. Then the host is left as it is, as with one that dies. */
const patience = 120

/**
 * Does `work` on a host while nothing of its swarm runs there: the replicas run on the other hosts meanwhile. A host of no swarm, and
 * one that no other can stand in for, is left alone. Returns what `work` does, and whether the host was drained. Where the runner is
 * killed in between, the next site.ts has the host take replicas again.
 */
export async function drained<T>(
  session: Session,
  host: InventoryHost,
  work: () => Promise<T>,
): Promise<{ readonly done: T; readonly wasDrained: boolean }> {
  const place = placeOf(session, host)
  if (place === undefined) return { done: await work(), wasDrained: false }
  const say = (line: string) => session.report.line(`${host.name}  ▸ ${line}`)
  const [manager = place.own] = place.others.filter((each) => each.manager)
  const tell = async (script: (node: string) => Script) => {
    const said = await session.connected(
      manager.host,
      async (connection) => {
        const { nodes } = parseSwarm(await ask(connection, question))
        const own = nodes.filter(({ address }) => address === place.own.address)
        // One that has just been rebooted may be down yet.
        const node = own.find(({ state }) => state === 'ready') ?? own[0]
        return node === undefined ? `${manager.name} knows no node ${host.name}` : ask(connection, script(node.id))
      },
      { quiet: true },
    )
    if (said.trim() !== '') say(`warning: ${said.trim()}`)
  }
  say('its replicas run elsewhere meanwhile')
  const isDrained = await tolerated(tell((node) => drainScript(node)))
  try {
    return { done: await work(), wasDrained: isDrained }
  } finally {
    // Also where it is not known whether it was drained: the connection may have been lost meanwhile.
    await tolerated(tell((node) => backScript(node)))
  }

  /** What cannot be told costs no update: the swarm notices by itself that a host is gone. */
  async function tolerated(told: Promise<void>): Promise<boolean> {
    try {
      await told
      return true
    } catch (error) {
      if (!(error instanceof RunnerError)) throw error
      say(`warning: ${error.message}`)
      return false
    }
  }
}

/** Whether replicas of a bot may run on the host, as the inventory says. */
export function isInSwarm(session: Session, host: InventoryHost): boolean {
  return swarmsWith(session, [host]).length > 0
}

/** The replicas of the swarms of these hosts are spread over all of their hosts again, without a gap. */
export async function spreadAgain(session: Session, hosts: readonly InventoryHost[]): Promise<void> {
  for (const { members } of swarmsWith(session, hosts)) {
    const [manager] = members.filter((each) => each.manager)
    if (manager === undefined) continue
    session.report.line(`${manager.name}  ▸ spreading the replicas over ${members.map(({ name }) => name).join(', ')}`)
    const said = await session.connected(manager.host, (connection) => ask(connection, spreadScript), { quiet: true })
    if (said.trim() !== '') session.report.line(`${manager.name}  ▸ warning: ${said.trim()}`)
  }
}

export function drainScript(node: string): Script {
  return sh`
    ${waiting}
    ${functions}
    drain ${node} ${drainedLabel} ${patience}`
}

/** Where it was drained by that: one that somebody else has drained stays so. */
export function backScript(node: string): Script {
  const format = `{{index .Spec.Labels "${drainedLabel}"}}`
  return sh`
    [ -z "$(docker node inspect --format ${format} ${node})" ] ||
      docker node update --availability active --label-rm ${drainedLabel} ${node} >/dev/null`
}

export const spreadScript: Script = sh`
  ${shellFile(new URL('spread.sh', import.meta.url))}
  docker service ls --format '{{.Name}}' --filter label=botgarden.bot | while read -r service; do spread "$service" </dev/null; done`

function placeOf(session: Session, host: InventoryHost) {
  const [swarm] = swarmsWith(session, [host])
  const own = swarm?.members.find((each) => each.host === host)
  if (swarm === undefined || own === undefined || own.bots.length === 0) return undefined
  const others = swarm.members.filter((each) => each !== own)
  return own.bots.every((bot) => others.some(({ bots }) => bots.includes(bot))) ? { own, others } : undefined
}

function swarmsWith({ inventory }: Session, hosts: readonly InventoryHost[]): Swarm[] {
  return swarmsOf(inventory.hosts).filter(({ members }) => members.some(({ host }) => hosts.includes(host)))
}
