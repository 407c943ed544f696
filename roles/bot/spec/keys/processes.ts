import * as v from 'valibot'
import { buildKeys, cpus, path, port, size, words } from './values.ts'

const processName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, 'of a-z, 0-9 and single "-", starting with a letter'),
  v.maxLength(32, 'of at most 32 characters'),
)

/** Keys that a process has from its bot. */
const ofBot = (key: string) => v.optional(v.never(`a process has what "${key}:" of its bot says: set it there`))

/** The further containers of a bot, by name. */
export const processKeys = v.pipe(
  v.record(
    processName,
    v.strictObject({
      /** What it runs instead of the command of its image. */
      command: v.optional(words),
      /** A path that answers 2xx when it is ready, at its port. */
      health: v.optional(path),
      /** Where it listens for HTTP. */
      port: v.optional(port),
      memory: v.optional(size),
      cpus: v.optional(cpus),
      /** true: never two of it at the same time, so a release stops the old one before it starts the new one. */
      single: v.optional(v.boolean()),
      ...buildKeys,
      ...{
        environment: ofBot('environment'),
        secrets: ofBot('secrets'),
        data: ofBot('data'),
        scratch: ofBot('scratch'),
      },
    }),
  ),
  v.check((all) => Object.keys(all).length <= 8, 'a bot has at most 8 processes'),
)
