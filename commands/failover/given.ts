import type { Finder, Given } from '../../lib/cli/given.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Role } from '../../lib/model/role.ts'
import { gateTimer } from '../../lib/platform/standby/gate.ts'
import { HostError } from '../../lib/std/errors.ts'
import { originOf } from '../../roles/bot/release/nginx-route.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { clustersFolder, majorOf } from '../../roles/postgres/cluster.ts'
import { serverVars } from '../../roles/postgres/server.ts'
import { noGate } from '../../roles/standby/absent.ts'
import { gateResources } from '../../roles/standby/gate.ts'
import type { PrimaryRecord } from '../../roles/standby/primary-record.ts'
import { membersOf } from '../mesh/members.ts'
import { shareKey } from './pair-key.ts'
import { type HostPair, inventoryLines, pairsOf } from './pairs.ts'
import { isKnown, recordOf, type Silent, type Stand, standOf } from './stand.ts'

/**
 * Gives the hosts of a pair their gate. Both are asked first: a host that another has taken over from is not brought to serve by an
 * inventory that does not know of it yet.
 */
export const pairGiven: Finder = async (session, roles) => {
  const pairs = pairsOf(session, session.hosts)
  const given = new Map<string, (role: Role) => Role>()
  for (const pair of pairs) {
    const stands = await refuseFormer(session, pair)
    if (!roles.some(({ name }) => name === 'postgres')) continue
    const [one, other] = stands
    if (isKnown(one) && isKnown(other)) {
      const isWhole = one.key !== undefined && one.key === other.key
      if (!isWhole && !session.options.check) await shareKey(session, one, other)
    }
    for (const [own, peer] of [stands, stands.toReversed()] as [Stand | Silent, Stand | Silent][])
      given.set(own.host.name, withGate(session, pair, own, peer, wantedRecord(pair, stands)))
  }
  const give: Given = (host, role) =>
    role.name === 'postgres' ? (given.get(host.name)?.(role) ?? withoutGate(role)) : role
  return give
}

/** What a host never had is not looked for there. */
function withoutGate(role: Role): Role {
  return {
    ...role,
    resources: (vars, facts, entry) => {
      const own = role.resources(vars, facts, entry)
      // First: where the record of the pair is gone the gate would stop what is started.
      return facts.timers.includes(gateTimer) ? [noGate(entry.name), ...own] : own
    },
  }
}

/** Throws a `HostError` where another host has taken over from the one that the inventory has as the primary. */
export async function refuseFormer(
  session: Session,
  { primary, standby }: HostPair,
): Promise<readonly [Stand | Silent, Stand | Silent]> {
  const [one, other] = await Promise.all([standOf(session, primary), standOf(session, standby)])
  const latest = recordOf([one, other])
  if (latest !== undefined && latest.primary !== primary.name) {
    const lines = inventoryLines(latest, session.inventory.hosts).map((line) => `  ${line}`)
    throw new HostError(
      [
        `${latest.primary} is the primary since epoch ${latest.epoch}, and ${primary.name} is not any more; nothing was changed; change ${session.inventory.file}, and run this again:`,
        ...lines,
      ].join('\n'),
    )
  }
  for (const each of [one, other])
    if (!isKnown(each) && !session.hosts.includes(each.host))
      session.report.line(`${each.host.name}  warning: not asked which host is the primary: ${each.error.message}`)
  return [one, other]
}

/** A standby that is another one than before is a new epoch too: what the former one says counts no more. */
function wantedRecord({ primary, standby }: HostPair, stands: readonly (Stand | Silent)[]): PrimaryRecord {
  const latest = recordOf(stands)
  const names = { primary: primary.name, standby: standby.name }
  if (latest === undefined) return { epoch: 1, ...names }
  return latest.standby === standby.name ? latest : { epoch: latest.epoch + 1, ...names }
}

function withGate(
  { inventory }: Session,
  { primary }: HostPair,
  own: Stand | Silent,
  peer: Stand | Silent,
  record: PrimaryRecord,
): (role: Role) => Role {
  const { host } = own
  return (role) => ({
    ...role,
    resources: (vars, facts, entry) => {
      const [member] = membersOf([peer.host])
      if (member === undefined) return role.resources(vars, facts, entry)
      const settings = {
        ...{ host: host.name, peer: peer.host.name, peerMesh: member.address },
        ownOrigin: originOf(nameOf(own), host.httpsPort),
        // One that does not answer is where it was.
        peerOrigin:
          (isKnown(peer) || !isKnown(own) ? undefined : own.peerOrigin) ?? originOf(nameOf(peer), peer.host.httpsPort),
        telegram: (primary.vars.bot as BotVars).telegram,
        cluster: `${clustersFolder}/${majorOf(serverVars(entry).image)}/docker`,
      }
      const isCertain = isKnown(peer) || !isKnown(own) || own.record === undefined
      return [...gateResources(settings, record, isCertain), ...role.resources(vars, facts, entry)]
    },
  })
  function nameOf(each: Stand | Silent): string {
    return isKnown(each) ? each.name : (each.host.domain ?? addressOf(each.host))
  }
  function addressOf(each: InventoryHost): string {
    return membersOf(inventory.hosts).find((member) => member.host === each)?.endpoint ?? each.name
  }
}
