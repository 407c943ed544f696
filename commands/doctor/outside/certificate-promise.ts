import type { X509Certificate } from 'node:crypto'
import { thresholds } from '../../../lib/health/thresholds.ts'
import { isAddress } from '../../../lib/platform/certificate.ts'
import type { CertbotVars } from '../../../roles/certbot/schema.ts'
import type { Handshake } from './handshake.ts'

/** What is wrong with the certificate that is served for a name, in words; `now` in milliseconds since 1970. */
export function certificateFaults(name: string, shown: Handshake, vars: Partial<CertbotVars>, now: number): string[] {
  if ('refused' in shown) return [`no handshake for ${name}: ${shown.refused}`]
  const { certificate, chain, untrusted } = shown
  const isFor = isAddress(name) ? certificate.checkIP(name) : certificate.checkHost(name)
  const ends = certificate.validToDate.getTime()
  const days = Math.floor((ends - now) / 86_400_000)
  const kind = vars.certificate ?? (isAddress(name) ? 'self-signed' : 'letsencrypt')
  return [
    ...(isFor === undefined
      ? [`the certificate for ${name} is for ${(certificate.subjectAltName ?? 'no name').replaceAll('DNS:', '')}`]
      : []),
    ...(certificate.validFromDate.getTime() > now ? [`the certificate for ${name} is not valid yet`] : []),
    ...(days < thresholds.certificateDays.warning
      ? [`the certificate for ${name} ${days < 0 ? 'has ended' : `ends in ${days} days`}: ${dayOf(ends)}`]
      : []),
    ...(kind === 'letsencrypt' ? authorityFaults(name, certificate, chain, untrusted, vars) : []),
  ]
}

/**
 * The public authority is known to this machine. Of another one the root is not: there a chain that holds, from an issuer who is not
 * the certificate itself, is what can be told.
 */
function authorityFaults(
  name: string,
  certificate: X509Certificate,
  chain: readonly X509Certificate[],
  untrusted: string | undefined,
  { server = 'production' }: Partial<CertbotVars>,
): string[] {
  if (certificate.issuer === certificate.subject) return [`no authority has signed the certificate for ${name}`]
  if (server === 'production')
    return untrusted === undefined ? [] : [`clients refuse the certificate for ${name}: ${untrusted}`]
  const [issuer] = chain
  if (issuer === undefined) return [`the certificate for ${name} comes without that of its issuer`]
  return certificate.verify(issuer.publicKey) ? [] : [`the certificate for ${name} is not signed by the one behind it`]
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}
