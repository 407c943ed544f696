import { randomBytes } from 'node:crypto'
import type { Facts } from '../../lib/model/facts.ts'
import { etcDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { type HostEntry, type Role, role } from '../../lib/model/role.ts'
import { isAddress, selfSigned, tlsFolder } from '../../lib/platform/certificate.ts'
import { allDomains, domainFolder, domainsOf } from '../../lib/platform/domains.ts'
import { nginxReloaded } from '../../lib/platform/nginx.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { directory } from '../../lib/resources/file.ts'
import { type Attempts, domainCertificate } from './domain.ts'
import { installed, refuseOtherNames } from './files.ts'
import { formerNames } from './former.ts'
import { letsencrypt, orderOf, renewed } from './letsencrypt.ts'
import { renewal } from './lineage.ts'
import { type CertbotVars, vars } from './schema.ts'

/** The certificates that nginx serves: issued, renewed and installed without a failed request. */
export const certbot = role(
  'certbot',
  vars,
  (wanted, facts, host) => {
    const name = publicName(host, facts)
    const lineages = renewedNames(wanted, host)
    return [
      directory(etcDir, { mode: '0700' }),
      directory(tlsFolder, { mode: '0700' }),
      directory(`${tlsFolder}/${name}`, { mode: '0700' }),
      ...allDomains(host).flatMap(domainFolder),
      ...(lineages.length > 0 ? renewed(lineages, wanted) : []),
      ...ofHost(name, wanted, facts, host),
      ...host.bots.flatMap(({ name: bot }) => ofBot(bot, wanted, facts, host, attempt(false))),
      formerNames({
        lineages,
        names: [name, ...allDomains(host)],
        bots: host.bots.filter((each) => domainsOf(each).length > 0).map((each) => each.name),
      }),
      ...(lineages.length > 0 ? [renewal()] : []),
      nginxReloaded(),
    ]
  },
  (wanted, host) => [
    ...(kindOf(wanted, host.domain) === 'letsencrypt' ? refusedByAuthorities(host) : []),
    ...(renewedNames(wanted, host).length > 0 && host.httpsPort === 80
      ? ['httpsPort: 80 is where letsencrypt asks, by HTTP: take 443, 8443 or 88']
      : []),
    ...(wanted.certificate === 'files' && wanted.files === undefined
      ? ['certbot.files: missing; certificate: files needs fullchain and privkey']
      : []),
  ],
)

/** The certificates for the domains of these bots alone. Their authority is asked however short ago it refused. */
export function certbotOfDomains(bots: readonly string[]): Role {
  return role('certbot', vars, (wanted, facts, host) => {
    const attempts = attempt(true)
    const certificates = bots.flatMap((bot) => ofBot(bot, wanted, facts, host, attempts))
    if (certificates.length === 0) return []
    const lineages = renewedNames(wanted, host)
    return [...(lineages.length > 0 ? renewed(lineages, wanted) : []), ...certificates, nginxReloaded()]
  })
}

function attempt(always: boolean): Attempts {
  return { run: randomBytes(6).toString('hex'), always }
}

function ofHost(name: string, wanted: CertbotVars, facts: Facts, host: HostEntry): Resource[] {
  const kind = kindOf(wanted, host.domain)
  if (kind === 'letsencrypt') return [letsencrypt(name, orderOf(wanted, facts))]
  if (kind === 'self-signed') return [selfSigned(name, { placeholder: false })]
  return wanted.files ? installed(name, wanted.files) : []
}

function ofBot(bot: string, wanted: CertbotVars, facts: Facts, host: HostEntry, attempts: Attempts): Resource[] {
  const domains = host.bots.filter(({ name }) => name === bot).flatMap(domainsOf)
  return domains.flatMap((domain) => {
    const kind = kindOf(wanted, domain)
    if (kind === 'letsencrypt') return [domainCertificate(bot, domain, orderOf(wanted, facts), attempts)]
    if (kind === 'self-signed') return [selfSigned(domain, { placeholder: false })]
    if (wanted.files === undefined) return []
    refuseOtherNames(bot, domain, wanted.files)
    return installed(domain, wanted.files)
  })
}

/** The names whose certificates certbot has. */
function renewedNames(wanted: CertbotVars, host: HostEntry): readonly string[] {
  const names = [...(host.domain === undefined ? [] : [host.domain]), ...allDomains(host)]
  return names.filter((name) => kindOf(wanted, name) === 'letsencrypt')
}

function kindOf({ certificate }: CertbotVars, name: string | undefined) {
  return certificate ?? (name === undefined || isAddress(name) ? 'self-signed' : 'letsencrypt')
}

function refusedByAuthorities({ domain }: HostEntry): string[] {
  return domain === undefined || isAddress(domain)
    ? ['certbot.certificate: letsencrypt is for a domain: set "domain", or say self-signed']
    : []
}
