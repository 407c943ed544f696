import * as v from 'valibot'

const file = v.pipe(v.string(), v.nonEmpty(), v.description('a path, from the folder of this checkout'))

export const vars = v.strictObject({
  /** Who says that the host is who it is. Left out: letsencrypt for a domain, self-signed for a bare address. */
  certificate: v.optional(v.picklist(['letsencrypt', 'self-signed', 'files'])),
  /** Where the authority may write to; Let's Encrypt itself sends no reminders any more. */
  email: v.optional(v.pipe(v.string(), v.email())),
  /** The authority: Let's Encrypt's `production`, its `staging`, whose certificates nobody trusts, or the URL of another. */
  server: v.optional(
    v.union([v.picklist(['production', 'staging']), v.pipe(v.string(), v.regex(/^https:\/\/\S+$/))]),
    'production',
  ),
  /** The root that the authority's own HTTPS is verified by, as PEM; only where it is not a public one. */
  authority: v.optional(file),
  /** Whether the host asks itself first, by its public name, what the authority is going to ask. */
  preflight: v.optional(v.boolean(), true),
  /** Your own pair, for `certificate: files`: the whole chain, and its key. */
  files: v.optional(v.strictObject({ fullchain: file, privkey: file })),
})

export type CertbotVars = v.InferOutput<typeof vars>
