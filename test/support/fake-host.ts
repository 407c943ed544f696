import type { Facts } from '../../lib/model/facts.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Change, type Resource, resource } from '../../lib/model/resource.ts'
import type { HostEntry } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'

export const facts: Facts = {
  os: 'debian',
  version: '13',
  osName: 'Debian GNU/Linux 13 (trixie)',
  architecture: 'amd64',
  memoryMiB: 1024,
  cpus: 1,
  container: '',
  ipv6: false,
  booting: false,
  timers: [],
  mesh: false,
  swarm: false,
  addresses: ['192.0.2.1'],
  address: '192.0.2.1',
  resolvers: ['192.0.2.53'],
  user: 'root',
  sshPort: 22,
  clientAddress: '198.51.100.7',
}

export const entry: HostEntry = { name: 'vps1', httpsPort: 443, bots: [] }

/** A connection that answers in this way, and counts how often it was asked. */
export function countedConnection(request: Connection['request']): Connection {
  let roundTrips = 0
  const connection: Connection = {
    facts,
    get roundTrips() {
      return roundTrips
    },
    fresh: async () => connection,
    close: async () => {},
    request: (...asked) => {
      roundTrips++
      return request(...asked)
    },
  }
  return connection
}

/** A host that is nothing but named values: its scripts are `NAME=VALUE` words, `fail` among them ends a step with 1. */
export function fakeHost(values: Record<string, string>): { connection: Connection; values: Record<string, string> } {
  const connection = countedConnection(async (script, { mark, text }) => {
    const steps = [...script('N').matchAll(/^step_(\d+)\(\) \{\n(.*)\n\}$/gm)]
    for (const [, index = '', words = ''] of steps) {
      mark?.(['begin', index])
      const failed = words.split(' ').includes('fail')
      if (failed) text?.(Buffer.from('it is broken\n'))
      else for (const [, name = '', value = ''] of words.matchAll(/(\w+)=(\w+)/g)) values[name] = value
      mark?.(['end', index, failed ? '1' : '0'])
      if (failed) return 1
    }
    mark?.(['read', 'value'])
    text?.(Buffer.from(JSON.stringify(values)))
    return 0
  })
  return { connection, values }
}

const kind: Kind<string> = {
  name: 'value',
  script: () => sh`:`,
  parse: (output, names) => new Map(names.map((name) => [name, JSON.parse(output)[name] ?? 'unset'])),
}

export function value(name: string): Reading<string> {
  return reading(kind, name)
}

/** A resource that wants a value of the fake host; `effect` is what its script says instead of just setting that. */
export function wants(name: string, wanted: string, more: Partial<Change> & { effect?: string } = {}): Resource {
  const { effect = `${name}=${wanted}`, ...change } = more
  const script = { text: effect, shown: effect }
  const predicts = [becomes(value(name), wanted), ...(more.predicts ?? [])]
  return resource({
    id: name,
    wants: wanted,
    reads: { now: value(name) },
    plan: ({ now }) => (now === wanted ? [] : [{ summary: `${now} → ${wanted}`, ...change, script, predicts }]),
  })
}
