import { notice } from '../../lib/model/combinators.ts'
import { blockEach, oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Outputs, type Resource, resource } from '../../lib/model/resource.ts'
import { tlsFolder } from '../../lib/platform/certificate.ts'
import { sh } from '../../lib/shell/sh.ts'

/** The certificate that certbot has under a name. */
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

/** Outputs that the last renewal failed, which is reported nowhere else. */
export function renewal(): Resource {
  return notice({
    id: 'certificate:renewal',
    reads: { failed: reading(lastRenewals, 'certbot') },
    outputs: ({ failed }): Outputs =>
      failed === undefined
        ? {}
        : { certificateRenewal: `FAILED at ${failed}: journalctl -u certbot, /var/log/letsencrypt/letsencrypt.log` },
  })
}

/**
 * Deletes the certificates that we installed under other names, so that they are not renewed: the renewal would fail, or, beside
 * a certificate of another kind, replace that.
 */
export function pruneLineages(name: string | undefined): Resource {
  const now = reading(ownLineages, 'own')
  return resource({
    id: 'certificate:former',
    wants: { name },
    reads: { now },
    plan: ({ now: own }) =>
      own
        .filter((each) => each !== name)
        .map((each) => ({
          summary: `delete the certificate of certbot for ${each}, which is no longer served`,
          // On a host that was rebuilt certbot may not be installed any more.
          script: sh`
            if command -v certbot >/dev/null; then certbot delete --non-interactive --cert-name ${each}; else rm -f /etc/letsencrypt/renewal/${each}.conf; fi`,
          predicts: [becomes(now, (before) => before.filter((other) => other !== each))],
        })),
  })
}

/** The names of the certificates that certbot renews and that were installed for nginx. */
const ownLineages: Kind<readonly string[]> = {
  name: 'own-lineages',
  script: () => sh`
    for file in /etc/letsencrypt/renewal/*.conf; do
      name=$(basename "$file" .conf)
      [ ! -d ${tlsFolder}/"$name" ] || echo "$name"
    done`,
  parse: oneValue((output) => output.split('\n').filter(Boolean)),
}

const lineages: Kind<Lineage> = {
  name: 'lineage',
  script: (names) => sh`
    for name in ${names}; do
      echo "lineage $name"
      sed -n 's/^server = /server /p' "/etc/letsencrypt/renewal/$name.conf" 2>/dev/null
      openssl x509 -in "/etc/letsencrypt/live/$name/fullchain.pem" -noout -fingerprint -sha256 -ext subjectAltName 2>/dev/null
    done`,
  parse: blockEach('lineage', parseLineage),
}

function parseLineage(block: string): Lineage {
  const of = (pattern: RegExp) => pattern.exec(block)?.[1]?.trim()
  const [server, fingerprint] = [of(/^server (.*)/m), of(/^sha256 Fingerprint=(.*)/im)]
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
  parse: oneValue((output) => {
    const of = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(output)?.[1] ?? ''
    return ['', 'success'].includes(of('Result')) ? undefined : of('ExecMainExitTimestamp')
  }),
}
