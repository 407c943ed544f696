import { meshInterface, meshKey, meshUnit } from '../../lib/model/mesh.ts'
import { becomes, type Change, type Resource, resource } from '../../lib/model/resource.ts'
import { lines, type Script, sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Mesh, Peer } from './peer.ts'
import { type LinkedPeer, type MeshLink, type MeshState, meshState } from './reading.ts'

/** The interface runs, now and after a boot, with the key of the host and these peers alone. */
export function runningInterface(mesh: Mesh): Resource {
  return resource({
    id: 'mesh:interface',
    wants: mesh,
    reads: { now: meshState },
    plan: ({ now }): Change[] => {
      const { unit, link } = now
      if (unit.load === 'masked')
        throw new HostError(`unit ${meshUnit} is masked on this host: to undo it: systemctl unmask ${meshUnit}`)
      const predicts = [becomes(meshState, (state) => after(state, mesh))]
      const isUp = unit.active === 'active' && link !== undefined
      if (!isUp || !isAddressed(link, mesh))
        return [{ summary: isUp ? 'start it again with its address' : 'start', script: restart, predicts }]
      const differing = differences(now, link, mesh)
      const enabling = unit.enabled === 'enabled' ? [] : [enable]
      if (differing.length > 0)
        return [
          {
            summary: `set ${differing.join(', ')}`,
            script: lines([
              ...enabling,
              ...link.peers.filter((each) => isSpoilt(each, mesh)).map(plainly),
              synchronise,
            ]),
            predicts,
            diff: () => differing.join('\n'),
          },
        ]
      return enabling.map((script) => ({ summary: 'enable', script, predicts }))
    },
  })
}

const enable = sh`systemctl enable --quiet ${meshUnit}`

/** What is left of an interface that somebody has removed, or has made by hand, would keep the unit from starting. */
const restart = sh`
  ${enable}
  systemctl stop ${meshUnit} || :
  ip link delete ${meshInterface} 2>/dev/null || :
  systemctl reset-failed ${meshUnit} 2>/dev/null || :
  systemctl start ${meshUnit}`

/** Without a restart, which would cut all connections; the key stays out of arguments. Without it wg would forget the key. */
const synchronise = sh`
  { printf '[Interface]\nPrivateKey = '; cat ${meshKey}; wg-quick strip ${meshInterface}; } | wg syncconf ${meshInterface} /dev/stdin`

/** `wg syncconf` leaves both where the file has none. */
function plainly({ key }: LinkedPeer): Script {
  return sh`wg set ${meshInterface} peer ${key} preshared-key /dev/null persistent-keepalive off`
}

function isSpoilt({ shared, keepalive }: LinkedPeer, mesh: Mesh): boolean {
  return shared || keepalive !== String(mesh.keepalive ?? 'off')
}

function addressOf({ address, network }: Mesh): string {
  return `${address}/${network.split('/')[1] ?? ''}`
}

function isAddressed({ addresses, mtu }: MeshLink, mesh: Mesh): boolean {
  return addresses.length === 1 && addresses[0] === addressOf(mesh) && mtu === mesh.mtu
}

/** What of a running interface is not as wanted, in words. */
function differences({ ownKey }: MeshState, { key, port, peers }: MeshLink, mesh: Mesh): string[] {
  const known = mesh.peers.map((each) => each.key)
  const strangers = peers.filter((each) => !known.includes(each.key)).length
  return [
    ...(key === ownKey ? [] : ['its key']),
    ...(port === mesh.port ? [] : ['its port']),
    ...mesh.peers.filter((peer) => !peers.some((each) => isSame(each, peer, mesh))).map(({ name }) => name),
    ...(strangers === 0 ? [] : [`${strangers} peer${strangers === 1 ? '' : 's'} less`]),
  ]
}

function isSame(linked: LinkedPeer, { key, address, endpoint }: Peer, { keepalive }: Mesh): boolean {
  return (
    linked.key === key &&
    linked.allowed === `${address}/32` &&
    linked.keepalive === String(keepalive ?? 'off') &&
    !linked.shared &&
    (linked.endpoint ?? endpoint) === endpoint
  )
}

function after(state: MeshState, mesh: Mesh): MeshState {
  const { port, mtu, keepalive, peers } = mesh
  return {
    ...state,
    unit: { load: 'loaded', active: 'active', enabled: 'enabled' },
    link: {
      ...{ addresses: [addressOf(mesh)], mtu, port, key: state.ownKey ?? 'none' },
      peers: peers.map(({ key = '', address, endpoint }) => ({
        ...{ key, allowed: `${address}/32`, keepalive: String(keepalive ?? 'off'), shared: false, endpoint },
      })),
    },
  }
}
