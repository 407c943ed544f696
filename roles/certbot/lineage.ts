import { type Kind, type Reading, reading } from '../../lib/reading.ts'
import { type Outputs, type Resource, resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'

/** What certbot has under a name. */
export type Lineage =
  | 'absent'
  | {
      /** The URL of the authority's directory. */
      readonly server: string
      /** `DNS:bots.example.org` */
      readonly names: readonly string[]
      /** SHA-256, hexadecimal. */
      readonly fingerprint: string
    }

export function lineage(name: string): Reading<Lineage> {
  return reading(lineages, name)
}

/** What a run tells at its end, where the last renewal failed: nobody else would. */
export function renewal(): Resource {
  const now = reading(lastRenewals, 'certbot')
  return {
    ...resource({ id: 'certificate:renewal', wants: 'told', reads: { now }, plan: () => [] }),
    tells: (read): Outputs => {
      const failed = read(now)
      return failed === undefined
        ? {}
        : { certificateRenewal: `FAILED at ${failed}: journalctl -u certbot, /var/log/letsencrypt/letsencrypt.log` }
    },
  }
}

const lineages: Kind<Lineage> = {
  name: 'lineage',
  script: (names) => sh`
    for name in ${names}; do
      echo "lineage $name"
      sed -n 's/^server = /server /p' "/etc/letsencrypt/renewal/$name.conf" 2>/dev/null
      openssl x509 -in "/etc/letsencrypt/live/$name/fullchain.pem" -noout -fingerprint -sha256 -ext subjectAltName 2>/dev/null
    done`,
  parse: (output, names) => {
    const blocks = output.split(/^lineage /m).slice(1)
    return new Map(names.map((name, i) => [name, parseLineage(blocks[i] ?? '')]))
  },
}

function parseLineage(block: string): Lineage {
  const of = (pattern: RegExp) => pattern.exec(block)?.[1]?.trim()
  const [server, fingerprint] = [of(/^server (.*)$/m), of(/^sha256 Fingerprint=(.*)$/im)]
  if (server === undefined || fingerprint === undefined) return 'absent'
  return {
    server,
    names: (of(/Alternative Name:.*\n(.*)$/m) ?? '').split(/, */).filter(Boolean),
    fingerprint: fingerprint.replaceAll(':', '').toLowerCase(),
  }
}

const lastRenewals: Kind<string | undefined> = {
  name: 'renewal',
  volatile: true,
  script: () => sh`systemctl show --property=Result,ExecMainExitTimestamp certbot.service`,
  parse: (output, names) => {
    const of = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(output)?.[1] ?? ''
    const failed = ['', 'success'].includes(of('Result')) ? undefined : of('ExecMainExitTimestamp')
    return new Map(names.map((name) => [name, failed]))
  },
}
