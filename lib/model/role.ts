import type * as v from 'valibot'
import type { Facts } from './facts.ts'
import type { Resource } from './resource.ts'

/** What the inventory says of a host itself, besides its roles' vars. */
export interface HostEntry {
  readonly name: string
  /** Its public DNS name; without one it is reached by its address. */
  readonly domain?: string
  /** Where nginx listens for HTTPS: 443, 8443, 88 or 80, the ports that Telegram delivers to. */
  readonly httpsPort: number
  readonly bots: readonly BotEntry[]
  /** The checked vars of all roles, by name, for what one role must know of what another is asked for. */
  readonly vars?: Readonly<Record<string, unknown>>
}

/** A bot of the inventory, on the host that it names. */
export interface BotEntry {
  readonly name: string
  /** Its position in the inventory: `file:line:column`. */
  readonly where: string
  /** Its settings, checked against the schema of the role that has bots. */
  readonly settings: unknown
}

/** One piece of a host: named vars in, a list of resources out. */
export interface Role {
  readonly name: string
  readonly vars: v.GenericSchema
  /** What the inventory says of a bot besides its host, where this is the role that has bots. */
  readonly bots?: v.StrictObjectSchema<v.ObjectEntries, undefined>
  resources(vars: unknown, facts: Facts, host: HostEntry): readonly Resource[]
  /** Contradictions between vars that are each valid: reported before any host is touched. */
  faults(vars: unknown, host: HostEntry): readonly string[]
}

/** Defines a role. Its vars are checked against the schema when the inventory is read, so `build` may trust them. */
export function role<Schema extends v.GenericSchema>(
  name: string,
  vars: Schema,
  build: (vars: v.InferOutput<Schema>, facts: Facts, host: HostEntry) => readonly Resource[],
  faults: (vars: v.InferOutput<Schema>, host: HostEntry) => readonly string[] = () => [],
): Role {
  return {
    name,
    vars,
    resources: (values, facts, host) => build(values as v.InferOutput<Schema>, facts, host),
    faults: (values, host) => faults(values as v.InferOutput<Schema>, host),
  }
}
