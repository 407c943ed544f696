import * as v from 'valibot'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { sh } from '../../lib/shell/sh.ts'

/** What the engine of a host says of the swarm that it is in. */
export interface SwarmState {
  /** `inactive`, `pending` while it joins, `active`, `error`, `locked`; undefined where no engine answers. */
  readonly state: string | undefined
  /** Its own address in the swarm; '' where it is in none. */
  readonly address: string
  /** It is a manager that others follow: it can tell of the nodes. */
  readonly manages: boolean
  /** The addresses of the managers that it knows. */
  readonly managers: readonly string[]
  readonly error: string
  /** What a manager tells of all nodes. */
  readonly nodes: readonly SwarmNode[]
  /** Services of the swarm, as far as this host knows of them: those that have a container here, and of a manager all. */
  readonly services: readonly string[]
}

export interface SwarmNode {
  readonly id: string
  readonly address: string
  readonly role: 'manager' | 'worker'
  /** `ready`, `down`, `unknown`, `disconnected`. */
  readonly state: string
  readonly labels: Readonly<Record<string, string>>
}

const info = v.object({ state: v.string(), address: v.string(), manages: v.boolean(), error: v.string() })

const node = v.object({
  id: v.pipe(v.string(), v.regex(/^[a-z0-9]{1,64}$/)),
  role: v.picklist(['manager', 'worker']),
  state: v.string(),
  address: v.string(),
  // Of a manager only. A leader may not know its own otherwise.
  manager: v.optional(v.string()),
  labels: v.nullish(v.record(v.string(), v.string())),
})

// Nothing that changes by itself: what is read is compared before changes begin.
const infoFormat =
  '{"state":{{json .Swarm.LocalNodeState}},"address":{{json .Swarm.NodeAddr}},"manages":{{.Swarm.ControlAvailable}},"error":{{json .Swarm.Error}}}'
const managersFormat = '{{range .Swarm.RemoteManagers}}{{println .Addr}}{{end}}'
const nodeFormat =
  '{"id":{{json .ID}},"role":{{json .Spec.Role}},"state":{{json .Status.State}},"address":{{json .Status.Addr}},"labels":{{json .Spec.Labels}}{{with .ManagerStatus}},"manager":{{json .Addr}}{{end}}}'

/** Prints what the engine says of its swarm, the nodes that a manager knows, and the names of services. */
export const question = sh`
  if docker info --format ${infoFormat} 2>/dev/null && [ -e /var/lib/docker/swarm/docker-state.json ]; then
    docker info --format ${managersFormat} | grep . | sort | sed 's/^/manager /'
    docker node ls --quiet 2>/dev/null | sort | xargs -r docker node inspect --format ${nodeFormat} 2>/dev/null || :
    { docker service ls --format '{{.Name}}' 2>/dev/null
      docker ps --filter label=com.docker.swarm.service.name --format '{{.Label "com.docker.swarm.service.name"}}'; } | sort -u | sed 's/^/service /'
  fi`

export const swarmState: Reading<SwarmState> = reading(
  { name: 'swarm', script: () => question, parse: oneValue(parseSwarm) } satisfies Kind<SwarmState>,
  'node',
)

/** What a host sends is a claim: what does not look like an answer says nothing. */
export function parseSwarm(output: string): SwarmState {
  const rows = output.split('\n')
  const said = jsonOf(info, rows[0] ?? '')
  const nodes = rows.slice(1).flatMap((line) => (line.startsWith('{') ? (jsonOf(node, line) ?? []) : []))
  const words = (kind: string) => rows.flatMap((line) => new RegExp(`^${kind} ([\\w.:-]+)$`).exec(line)?.[1] ?? [])
  return {
    state: said?.state,
    address: said?.address ?? '',
    manages: said?.manages ?? false,
    managers: words('manager').map(addressIn),
    error: said?.error ?? '',
    nodes: nodes.map(({ manager, labels, ...each }) => ({
      ...each,
      address: manager === undefined ? each.address : addressIn(manager),
      labels: labels ?? {},
    })),
    services: words('service'),
  }
}

function jsonOf<S extends v.GenericSchema>(schema: S, line: string): v.InferOutput<S> | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(line))
    return success ? output : undefined
  } catch {
    return undefined
  }
}

function addressIn(text: string): string {
  return text.replace(/:\d+$/, '')
}
