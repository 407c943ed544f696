import * as v from 'valibot'

/** The name of a variable of an environment. */
export const variable = v.pipe(
  v.string(),
  v.regex(/^[A-Z_][A-Z0-9_]*$/, 'the name of an environment variable, in capitals'),
)

/** The source of a secret: a variable of the operator's environment, or the output of a command. */
export const secretSource = v.union([
  v.strictObject({ env: variable }),
  v.strictObject({ command: v.pipe(v.string(), v.nonEmpty()) }),
])
export type SecretSource = v.InferOutput<typeof secretSource>
