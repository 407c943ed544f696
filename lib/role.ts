import type * as v from 'valibot'
import type { Facts } from './facts.ts'
import type { Resource } from './resource.ts'

/** One piece of a host: named vars in, a list of resources out. */
export interface Role {
  readonly name: string
  readonly vars: v.GenericSchema
  resources(vars: unknown, facts: Facts): readonly Resource[]
}

/** Defines a role. Its vars are checked against the schema when the inventory is read, so `build` may trust them. */
export function role<Schema extends v.GenericSchema>(
  name: string,
  vars: Schema,
  build: (vars: v.InferOutput<Schema>, facts: Facts) => readonly Resource[],
): Role {
  return { name, vars, resources: (values, facts) => build(values as v.InferOutput<Schema>, facts) }
}
