import { notice } from '../../lib/model/combinators.ts'
import { blockEach, oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Change, type Outputs, type Prediction, type Resource } from '../../lib/model/resource.ts'
import {
  type CertificateState,
  certificateState,
  sameNames,
  setChangedAside,
  subjectName,
} from '../../lib/platform/certificate.ts'
import { sh } from '../../lib/shell/sh.ts'
import { putIntoService } from './issue.ts'

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

/** Whether certbot has a certificate from this authority for this name alone. */
export function isRight(got: Lineage, name: string, server: string): boolean {
  return got !== 'absent' && got.server === server && sameNames(got.names, [subjectName(name)])
}

/** What a certificate that was issued and installed makes of the readings. */
export function predictsIssued(name: string, server: string): readonly Prediction[] {
  const names = [subjectName(name)]
  return [
    becomes(lineage(name), { server, names, fingerprint: 'new' }),
    becomes(certificateState(name), installedAs(name, 'new')),
  ]
}

/** Installs the certificate that certbot has where nginx has another one. */
export function installChange(name: string, got: Lineage, shown: CertificateState): readonly Change[] {
  if (got === 'absent') return []
  if (shown !== 'absent' && shown.keyMatches && shown.fingerprint === got.fingerprint) return []
  const predicts = [becomes(certificateState(name), installedAs(name, got.fingerprint))]
  const install = putIntoService(name)
  const script = { text: `${setChangedAside(name).text}\n${install.text}`, shown: install.shown }
  return [{ summary: 'install the one that certbot has', script, predicts }]
}

function installedAs(name: string, fingerprint: string): CertificateState {
  return { fingerprint, names: [subjectName(name)], selfSigned: false, keyMatches: true, endsSoon: false }
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
