import type { Facts } from '../../../lib/model/facts.ts'
import { becomes, type Resource, resource } from '../../../lib/model/resource.ts'
import { file } from '../../../lib/resources/file.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { sysctl } from '../../../lib/resources/sysctl.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { postgresPort, type ServerNetwork, serverBridge } from './remote.ts'

/** Docker's name of it. */
export const serverNetworkName = 'botgarden-postgres'
const sysctlFile = '/etc/sysctl.d/98-botgarden-postgres.conf'
const setting = 'net.ipv4.ip_nonlocal_bind'

/**
 * What must be there before the server listens in the mesh. Without the setting Docker would not start a container that publishes a
 * port at an address which the host does not have yet, and a mesh that is late at boot would take the socket from local bots too.
 */
export function beforeListening(facts: Facts): Resource[] {
  const content = `# Written by botgarden; changes made here are overwritten.\n${setting} = 1\n`
  return [file(sysctlFile, { content }), sysctl(setting, '1', facts, { optional: true })]
}

/** The server's container was made anew without its network, which is removed with the setting. */
export function notListening(): Resource {
  // A bridge is there as long as its network is: no need to ask Docker.
  const reads = { network: fileState(`/sys/class/net/${serverBridge}`), file: fileState(sysctlFile) }
  return resource({
    id: 'postgres:network',
    wants: 'absent',
    reads,
    plan: ({ network, file }) => {
      if (network === 'absent' && file === 'absent') return []
      const script = sh`
        ! docker network inspect ${serverNetworkName} >/dev/null 2>&1 || docker network rm ${serverNetworkName} >/dev/null
        rm -f ${sysctlFile}
        echo 0 >/proc/sys/net/ipv4/ip_nonlocal_bind`
      const predicts = [becomes(reads.network, 'absent' as const), becomes(reads.file, 'absent' as const)]
      return [{ summary: 'remove its way into the mesh', script, predicts }]
    },
  })
}

/** The keys of compose(5) for the service, and beside the services. */
export function composeNetwork(network: ServerNetwork | undefined): {
  service: Readonly<Record<string, unknown>>
  more?: Readonly<Record<string, unknown>>
} {
  if (network === undefined) return { service: { network_mode: 'none' } }
  const options = { 'com.docker.network.bridge.name': serverBridge }
  return {
    service: { networks: { mesh: {} }, ports: [`${network.address}:${postgresPort}:${postgresPort}`] },
    more: { networks: { mesh: { name: serverNetworkName, driver_opts: options } } },
  }
}
