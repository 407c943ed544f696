import { blockEach } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { tlsFolder } from '../../lib/platform/certificate.ts'
import { sh } from '../../lib/shell/sh.ts'
import { publicAddresses } from './issue.ts'

/** How long a domain that failed is left alone, in seconds: an authority allows five failures an hour for a name. */
const pause = 3600

/** A request for the certificate of a bot's domain that failed. */
export interface Refusal {
  /** The run that made it. */
  readonly run: string
  readonly reason: string
  /** It was less than `pause` ago. */
  readonly recent: boolean
  /** When that is over, as `2026-11-26 14:05`, in UTC. */
  readonly until: string
  /** Public DNS says something else of the name by now. */
  readonly dnsChanged: boolean
}

export function refusalOf(domain: string): Reading<Refusal | undefined> {
  return reading(refusals, domain)
}

const refusals: Kind<Refusal | undefined> = {
  name: 'certificate-refusal',
  volatile: true,
  // Only a name that failed is looked up.
  script: (names) => sh`
    ${publicAddresses}
    now=$(date +%s)
    for name in ${names}; do
      echo "refusal $name"
      mark=${tlsFolder}/$name/.refused
      [ -e "$mark" ] || continue
      at=$(stat -c %Y "$mark")
      echo "until $(date -u -d "@$((at + ${pause}))" '+%Y-%m-%d %H:%M')"
      [ "$at" -gt "$now" ] || [ "$((at + ${pause}))" -le "$now" ] || echo recent
      echo "now $(public_addresses "$name" | tr '\n' ' ')"
      cat "$mark"
    done`,
  parse: blockEach('refusal', (block) => {
    const of = (word: string) => new RegExp(`^${word} (.*)$`, 'm').exec(block)?.[1]?.trim()
    const run = of('run')
    if (run === undefined) return undefined
    const said = [...block.matchAll(/^said (.*)$/gm)].map(([, line = '']) => line.trim())
    return {
      run,
      reason: said.join('; '),
      recent: /^recent$/m.test(block),
      until: of('until') ?? '',
      dnsChanged: of('dns') !== of('now'),
    }
  }),
}
