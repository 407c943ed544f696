import { notice } from '../../lib/model/combinators.ts'
import { blockEach } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { sh } from '../../lib/shell/sh.ts'

/** Outputs the URL of the host, and when the certificate that it serves ends. */
export function served(name: string, port: number): Resource {
  return notice({
    id: 'nginx:served',
    reads: { now: servedCertificate(name, port) },
    outputs: ({ now: { issuer, ends } }) => ({
      https: `https://${name}${port === 443 ? '' : `:${port}`}/`,
      certificate: ends === '' ? 'none is served' : `ends ${ends}, by ${issuer || 'itself'}`,
    }),
  })
}

/** Outputs for each domain of a bot when the certificate that it is served with ends. */
export function servedDomains(domains: readonly string[], port: number): Resource {
  const readings = domains.map((domain) => [domain, servedCertificate(domain, port)] as const)
  return notice({
    id: 'nginx:domains',
    wants: domains,
    reads: Object.fromEntries(readings),
    outputs: (served) => ({ domains: domains.map((domain) => `${domain} ${lasts(served[domain])}`) }),
  })
}

function lasts({ issuer, ends }: Served = { issuer: '', ends: '' }): string {
  return ends === '' ? 'is not served' : `ends ${ends}, by ${issuer || 'itself'}`
}

/** The certificate that the server gives for this name. */
export function servedCertificate(name: string, port: number): Reading<Served> {
  return reading(servedCertificates, `${name} ${port}`)
}

export interface Served {
  /** '' where it is self-signed. */
  readonly issuer: string
  /** The day, as 2027-02-10; '' where nothing is served. */
  readonly ends: string
  /** It is for another name than the one that was asked for. */
  readonly wrong?: true
}

/** Asks the server that listens, not the files. */
const servedCertificates: Kind<Served> = {
  name: 'served',
  volatile: true,
  script: (names) => sh`
    printf '%s\n' ${names} | while read -r name port; do
      echo "served $name"
      case $name in *[!0-9.]*) sni="-servername $name" check=-checkhost ;; *) sni=-noservername check=-checkip ;; esac
      # shellcheck disable=SC2086
      timeout 5 openssl s_client -connect "127.0.0.1:$port" $sni </dev/null 2>/dev/null |
        openssl x509 -noout -subject -issuer -enddate -dateopt iso_8601 "$check" "$name" 2>/dev/null
    done`,
  parse: blockEach('served', parseServed),
}

function parseServed(block: string): Served {
  const of = (word: string) => new RegExp(`^${word}=(.*)$`, 'm').exec(block)?.[1]?.trim() ?? ''
  const issuer = of('issuer') === of('subject') ? '' : (/CN ?= ?([^,]*)/.exec(of('issuer'))?.[1] ?? of('issuer'))
  const isWrong = /does NOT match certificate/.test(block)
  return { issuer, ends: of('notAfter').slice(0, 10), ...(isWrong && { wrong: true }) }
}
