import { etcDir } from '../../lib/model/host-layout.ts'
import { type HostEntry, role } from '../../lib/model/role.ts'
import { isAddress, selfSigned, tlsFolder } from '../../lib/platform/certificate.ts'
import { nginxReloaded } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { installed } from './files.ts'
import { letsencrypt } from './letsencrypt.ts'
import { pruneLineages } from './lineage.ts'
import { type CertbotVars, vars } from './schema.ts'

/** The certificate that nginx serves: issued, renewed and installed without a failed request. */
export const certbot = role(
  'certbot',
  vars,
  (wanted, facts, host) => {
    const name = publicName(host, facts)
    const kind = kindOf(wanted, host)
    return [
      directory(etcDir, { mode: '0700' }),
      directory(tlsFolder, { mode: '0700' }),
      directory(`${tlsFolder}/${name}`, { mode: '0700' }),
      ...(kind === 'letsencrypt' ? letsencrypt(name, wanted, facts) : []),
      ...(kind === 'self-signed' ? [selfSigned(name, { placeholder: false })] : []),
      ...(kind === 'files' && wanted.files ? installed(name, wanted.files) : []),
      ...(kind === 'letsencrypt' ? [] : [pruneLineages(undefined)]),
      nginxReloaded(),
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
