import type * as v from 'valibot'

/** The keys that a schema takes. Others are there to say what they are called here. */
export function takenKeys({ entries }: { readonly entries: v.ObjectEntries }): string[] {
  const isRefused = (schema: v.ObjectEntries[string]) =>
    'wrapped' in schema && (schema.wrapped as v.GenericSchema).type === 'never'
  return Object.entries(entries).flatMap(([key, schema]) => (isRefused(schema) ? [] : [key]))
}
