import * as v from 'valibot'
import { guarded } from '../../lib/model/combinators.ts'
import { becomes, type Resource } from '../../lib/model/resource.ts'
import { role } from '../../lib/model/role.ts'
import { file } from '../../lib/resources/file.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { aptPackage } from '../../lib/resources/package.ts'
import { type UnitState, unit, unitState } from '../../lib/resources/unit.ts'
import { containerRules } from './containers.ts'
import { refuseConflicts } from './obstacles.ts'
import { guard, refuseForeign, ufwDefaults, ufwEnabled, ufwRules } from './resources.ts'
import { isNetwork, isRule, parseRule, type Rule } from './rules.ts'
import { defaultSettings, ufwState } from './state.ts'

const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535), v.description('a port'))
const portRule = 'PORT, PORT/tcp or FIRST:LAST/udp, and "from ADDRESS" or "from NETWORK/BITS" behind it if need be'
const network = 'an address or NETWORK/BITS'

const schema = v.strictObject({
  /** Rules on the host that are not wanted here are deleted. */
  exclusive: v.optional(v.boolean(), true),
  /** The ports of nginx: open to everybody, and the only ones of the host's that containers reach. Left out: 80 and the host's `httpsPort`. */
  web: v.optional(v.pipe(v.array(port), v.maxLength(15))),
  /** Further open ports, whoever listens there: a container that publishes one of them is reached, others never are. */
  allow: v.optional(v.array(v.pipe(v.string(), v.check(isRule, portRule), v.description(portRule))), []),
  /** The only addresses that ssh is open to. Left out: everywhere. */
  sshFrom: v.optional(
    v.pipe(v.array(v.pipe(v.string(), v.check(isNetwork, network), v.description(network))), v.minLength(1)),
  ),
})

/** Lets in ssh, the web and the listed ports, and nothing else, not even through Docker. */
export const ufw = role('ufw', schema, (vars, { sshPort, clientAddress, resolvers }, host) => {
  const { exclusive, allow, sshFrom, web = [...new Set([80, host.httpsPort])] } = vars
  const ssh = (sshFrom ?? [undefined]).map((from): Rule => ({ ports: `${sshPort}`, protocol: 'tcp', from }))
  const asked = allow.map(parseRule)
  const rules = [...ssh, ...web.map((each) => parseRule(`${each}/tcp`)), ...asked]
  const containers = containerRules(web, asked, resolvers)
  return [
    refuseConflicts(
      aptPackage('ufw', [
        becomes(ufwState, (now) => ({ ...now, settings: { ...defaultSettings, ...now.settings, ENABLED: 'no' } })),
        becomes(unitState('ufw.service'), stoppedUnit),
      ]),
    ),
    // Rules come before the switch: enabled first, ufw would cut the connection that it is driven through.
    ...[
      containersFile(containers.script),
      ufwDefaults(),
      ufwRules(rules, { exclusive, ssh: { port: sshPort, from: clientAddress } }),
      ufwEnabled(containers),
      unit('ufw.service', 'running'),
    ].map((each) => guarded(each, guard)),
  ]
})

const stoppedUnit: UnitState = { load: 'loaded', active: 'inactive', enabled: 'enabled', needsReload: false }

/** What ufw runs behind its own rules. Its package brings one that does nothing and leaves ours alone. */
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
