import { type ConversionConfig, type JsonSchema, toJsonSchema } from '@valibot/to-json-schema'
import * as v from 'valibot'
import { inventorySchema, type RoleSchema } from './file-schema.ts'

type Override<Name extends 'overrideAction' | 'overrideSchema'> = NonNullable<ConversionConfig[Name]>

/**
 * The JSON Schema of an inventory, for editors. It takes every inventory that botgarden takes. Rules that are code, or that go
 * across levels, are not in it: a var that a role needs may be set at any level, so none is required.
 */
export function editorSchema(roles: readonly RoleSchema[]): JsonSchema {
  const definitions = Object.fromEntries(roles.map(({ name, vars }) => [name, v.nullish(vars)]))
  const { $schema, $defs, ...schema } = toJsonSchema(
    inventorySchema(roles, ({ name }) => definitions[name]),
    { definitions, typeMode: 'input', errorMode: 'ignore', overrideAction, overrideSchema },
  )
  const parts = Object.entries($defs ?? {}).map(([name, vars]) => [name, withoutRequired(vars)])
  return { $schema, title: 'An inventory of botgarden', ...schema, $defs: Object.fromEntries(parts) }
}

/** A second pattern of one text is one more condition, and JSON Schema has no flags: such a pattern is left out. */
const overrideAction: Override<'overrideAction'> = ({ valibotAction, jsonSchema, errors }) => {
  if (valibotAction.type !== 'regex' || errors === undefined) return undefined
  const { source, flags } = (valibotAction as v.RegexAction<string, undefined>).requirement
  const { pattern, ...others } = jsonSchema
  if (flags !== '') return pattern === source ? others : jsonSchema
  return { ...jsonSchema, allOf: [...(jsonSchema.allOf ?? []), { pattern: source }] }
}

/** `{ "type": ["object", "null"], … }`: editors offer the keys of that more readily than those of an anyOf. */
const overrideSchema: Override<'overrideSchema'> = ({ valibotSchema, jsonSchema }) => {
  const { required, ...rest } = jsonSchema
  if (required?.length === 0) return rest
  const [inner] = jsonSchema.anyOf ?? []
  if (valibotSchema.type !== 'nullish' || typeof inner !== 'object') return undefined
  return inner.type === 'object' ? { ...inner, type: ['object', 'null'] } : undefined
}

/** Mappings are merged by key across the levels, lists are not: what an item of a list needs is checked with it. */
function withoutRequired(schema: JsonSchema | boolean): JsonSchema | boolean {
  if (typeof schema === 'boolean') return schema
  const { required, properties, additionalProperties, ...rest } = schema
  const entries = Object.entries(properties ?? {}).map(([key, each]) => [key, withoutRequired(each)])
  return {
    ...rest,
    ...(properties !== undefined && { properties: Object.fromEntries(entries) }),
    ...(additionalProperties !== undefined && { additionalProperties: withoutRequired(additionalProperties) }),
  }
}
