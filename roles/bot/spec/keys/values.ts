import * as v from 'valibot'
import { looksLikeToken } from '../references.ts'

export const path = v.pipe(v.string(), v.regex(/^\/[\w./~-]*$/), v.description('a path like /healthz'))
export const port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535), v.description('a port'))
export const size = v.pipe(v.string(), v.regex(/^[1-9]\d*[mg]$/), v.description('a size like 160m or 1g'))
export const cpus = v.pipe(v.number(), v.minValue(0.05))
export const words = v.pipe(v.array(v.pipe(v.string(), v.nonEmpty())), v.minLength(1))

/** `.` is the source itself. */
export const sourcePath = v.pipe(
  v.string(),
  v.regex(/^[\w.-]+(\/[\w.-]+)*$/),
  v.check((value) => !value.split('/').includes('..')),
  v.description('a path in the source'),
)

const tokenMessage =
  'looks like a bot token, and this is no place for one: write ${token} into "environment:", and the token into .env or the inventory as docs/bots.md says'

/** Text, a number or a boolean that is no token. */
export const plainValue = v.pipe(
  v.union([v.string(), v.number(), v.boolean()]),
  v.rawCheck(({ dataset, addIssue }) => {
    if (dataset.typed && looksLikeToken(String(dataset.value))) addIssue({ message: tokenMessage })
  }),
)

/** How the image is built from the source. */
export const buildKeys = {
  /** The path of the Dockerfile in the source. Left out: `Dockerfile`. */
  dockerfile: v.optional(sourcePath),
  /** The stage of the Dockerfile to build. */
  target: v.optional(v.pipe(v.string(), v.regex(/^[\w.-]+$/), v.description('a stage of the Dockerfile'))),
  /** Build arguments. They stay in the history of the image, so they are no place for secrets. */
  args: v.optional(v.record(v.pipe(v.string(), v.regex(/^[A-Za-z_]\w*$/, 'the name of a build argument')), plainValue)),
}
