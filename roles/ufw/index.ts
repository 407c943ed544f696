import * as v from 'valibot'
import { fromReading, guarded } from '../../lib/model/combinators.ts'
import { endpointsIn, type MeshFirewall, meshFile } from '../../lib/model/mesh.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { type Role, role } from '../../lib/model/role.ts'
import { file } from '../../lib/resources/file.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { type UnitState, unit, unitState } from '../../lib/resources/unit.ts'
import { refuseConflicts } from './conflicts.ts'
import { containerRules } from './containers.ts'
import { guard, refuseForeign, ufwDefaults, ufwEnabled, ufwRules } from './resources.ts'
import { isNetwork, isRule, parseRule, type Rule } from './rules.ts'
import { defaultSettings, ufwState } from './state.ts'

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535), v.description('a port'))
const portRule =
  'PORT, PORT/tcp or FIRST:LAST/udp, and behind it "on INTERFACE", "from ADDRESS" or "from NETWORK/BITS" if need be'
const network = 'an address or NETWORK/BITS'

const schema = v.strictObject({
  /** Deletes the rules on the host that are not in the inventory. */
  exclusive: v.optional(v.boolean(), true),
  /** The ports of nginx: open to all, and the only ones of the host that containers reach. Left out: 80 and `httpsPort`. */
  web: v.optional(v.pipe(v.array(port), v.maxLength(15))),
  /** Further open ports, of the host or published by a container; other published ports are not reached. */
  allow: v.optional(v.array(v.pipe(v.string(), v.check(isRule, portRule), v.description(portRule))), []),
  /** The only addresses that SSH is open to. Left out: all. */
  sshFrom: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.check(isNetwork, network), v.description(network))), v.minLength(1)),
  ),
})

/** Lets in SSH, HTTP, HTTPS and the listed ports, and nothing else, also not through Docker. */
export const ufw = ufwRole()

/** The same for a host in a mesh: inside of it nothing is open but its doors. */
export function ufwRole(mesh?: MeshFirewall): Role {
  return role('ufw', schema, (vars, { sshPort, clientAddress, resolvers }, host) => {
    const { exclusive, allow, sshFrom, web = [...new Set([80, host.httpsPort])] } = vars
    const ssh = (sshFrom ?? [undefined]).map((from): Rule => ({ ports: `${sshPort}`, protocol: 'tcp', from }))
    const asked = [...new Set([...allow, ...(mesh?.doors ?? [])])].map(parseRule)
    const rules = [...ssh, ...web.map((each) => parseRule(`${each}/tcp`)), ...asked]
    const containers = containerRules(web, asked, resolvers, mesh)
    const opened = (more: readonly Rule[]) =>
      ufwRules([...rules, ...more], { exclusive, ssh: { port: sshPort, from: clientAddress } })
    return [
      refuseConflicts(
        aptPackage('ufw', [
          becomes(ufwState, (now) => ({ ...now, settings: { ...defaultSettings, ...now.settings, ENABLED: 'no' } })),
          becomes(unitState('ufw.service'), stoppedUnit),
        ]),
      ),
      // Rules come before ufw is enabled: else it would cut the connection of this run.
      ...[
        containersFile(containers.script),
        ufwDefaults(),
        mesh === undefined
          ? opened([])
          : fromReading(textOf(meshFile), undefined, (text) => opened(fromPeers(mesh, text))),
        ufwEnabled(containers),
        unit('ufw.service', 'running'),
      ].map((each) => guarded(each, guard)),
    ]
  })
}

function fromPeers({ port }: MeshFirewall, text: string | undefined): Rule[] {
  return endpointsIn(text).map((from) => ({ ports: `${port}`, protocol: 'udp', from }))
}

const stoppedUnit: UnitState = { load: 'loaded', active: 'inactive', enabled: 'enabled', needsReload: false }

/** ufw runs it after loading its own rules. Its package has one that does nothing, and keeps ours at upgrades. */
function containersFile(content: string): Resource {
  const path = '/etc/ufw/after.init'
  const inner = file(path, { content, mode: '0750' })
  return {
    ...inner,
    plan: (read) => {
      refuseForeign(path, read(fileState(path)), read(textOf(path)))
      return inner.plan(read)
    },
  }
}
