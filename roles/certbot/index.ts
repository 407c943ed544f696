import * as v from 'valibot'
import type { HostEntry } from '../../lib/model/role.ts'
import { role } from '../../lib/model/role.ts'
import { isAddress, selfSigned, tlsFolder } from '../../lib/platform/certificate.ts'
import { nginxInForce } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { installed } from './files.ts'
import { letsencrypt } from './letsencrypt.ts'
import { noFormer } from './lineage.ts'

const file = v.pipe(v.string(), v.nonEmpty(), v.description('a path, from the folder of this checkout'))

const vars = v.strictObject({
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

/** The certificate that nginx shows: got, renewed and put into service without a request that fails. */
export const certbot = role(
  'certbot',
  vars,
  (wanted, facts, host) => {
    const name = publicName(host, facts)
    const kind = kindOf(wanted, host)
    return [
      directory('/etc/botgarden', { mode: '0700' }),
      directory(tlsFolder, { mode: '0700' }),
      directory(`${tlsFolder}/${name}`, { mode: '0700' }),
      ...(kind === 'letsencrypt' ? letsencrypt(name, wanted, facts) : []),
      ...(kind === 'self-signed' ? [selfSigned(name, { placeholder: false })] : []),
      ...(kind === 'files' && wanted.files ? installed(name, wanted.files) : []),
      ...(kind === 'letsencrypt' ? [] : [noFormer(undefined)]),
      nginxInForce(),
    ]
  },
  (wanted, host) => [
    ...(kindOf(wanted, host) === 'letsencrypt' ? refusedByAuthorities(host) : []),
    ...(kindOf(wanted, host) === 'files' && wanted.files === undefined
      ? ['certbot.files: missing; certificate: files needs fullchain and privkey']
      : []),
  ],
)

function kindOf({ certificate }: CertbotVars, { domain }: HostEntry) {
  return certificate ?? (domain === undefined || isAddress(domain) ? 'self-signed' : 'letsencrypt')
}

function refusedByAuthorities({ domain, httpsPort }: HostEntry): string[] {
  return [
    ...(domain === undefined || isAddress(domain)
      ? ['certbot.certificate: letsencrypt is for a domain: set "domain", or say self-signed']
      : []),
    ...(httpsPort === 80 ? ['httpsPort: 80 is where letsencrypt asks, by HTTP: take 443, 8443 or 88'] : []),
  ]
}
