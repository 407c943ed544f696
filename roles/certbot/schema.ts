import * as v from 'valibot'

const file = v.pipe(
  v.string(),
  v.nonEmpty(),
  v.description('a path, from the folder of the inventory or of this checkout'),
)

export const vars = v.strictObject({
  /** Where the certificate comes from. Left out: letsencrypt for a domain, self-signed for a bare address. */
  certificate: v.optional(v.picklist(['letsencrypt', 'self-signed', 'files'])),
  /** The contact address at the authority; Let's Encrypt no longer sends reminders. */
  email: v.optional(v.pipe(v.string(), v.email())),
  /** The authority: Let's Encrypt's `production`, its `staging`, whose certificates no client trusts, or the URL of another. */
  server: v.optional(
    v.union([v.picklist(['production', 'staging']), v.pipe(v.string(), v.regex(/^https:\/\/\S+$/))]),
    'production',
  ),
  /** The root certificate of the authority's own HTTPS, as PEM; only where it is not a public one. */
  authority: v.optional(file),
  /** Whether the host first checks itself, by its public name, that the authority will reach it. */
  preflight: v.optional(v.boolean(), true),
  /** Your own certificate and key, for `certificate: files`: the whole chain, and its key. */
  files: v.optional(v.strictObject({ fullchain: file, privkey: file })),
})

export type CertbotVars = v.InferOutput<typeof vars>
