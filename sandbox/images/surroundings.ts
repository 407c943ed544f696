import { X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { rootCertificates } from 'node:tls'
import { here } from '../machine/docker-cli.ts'

let known: Promise<Record<string, string>> | undefined

/** What an image needs of this machine's surroundings to use apt and https in it, as path → content. */
export function surroundings(): Promise<Record<string, string>> {
  known ??= readSurroundings()
  return known
}

async function readSurroundings(): Promise<Record<string, string>> {
  const files: Record<string, string> = {}
  const settings = await aptSettings()
  if (settings !== '') files['etc/apt/apt.conf.d/90sandbox'] = settings
  for (const [index, pem] of (await extraAuthorities()).entries()) {
    files[`usr/local/share/ca-certificates/machine-${index + 1}.crt`] = `${pem}\n`
  }
  return files
}

/** Where this machine's apt gets Debian from; undefined where it is no Debian. */
export async function debianMirror(): Promise<{ main: string; security: string } | undefined> {
  const { stdout } = await here`
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(SITE)' 'Created-By: Packages'`
  const siteOf = (label: string) => stdout.match(new RegExp(`^Debian\\|${label}\\|(http.*)$`, 'm'))?.[1]
  const main = siteOf('Debian')
  const security = siteOf('Debian-Security')
  return main === undefined || security === undefined ? undefined : { main, security }
}

/** A mirror that is weeks old, or a proxy in front of it, is a fact of this network that apt has already been told. */
async function aptSettings(): Promise<string> {
  const { stdout } = await here`apt-config dump Acquire`
  const carried = /^Acquire::(Check-Valid-Until|Check-Date|Retries|https?::Proxy) .*$/gm
  return (stdout.match(carried) ?? []).map((line) => `${line}\n`).join('')
}

/** The authorities that this machine trusts beyond the public ones: a TLS-inspecting proxy's, a company's. */
async function extraAuthorities(): Promise<string[]> {
  const bundle = await readFile('/etc/ssl/certs/ca-certificates.crt', 'utf8').catch(() => '')
  const known = new Set(rootCertificates.map((pem) => new X509Certificate(pem).fingerprint256))
  const all = bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return all.filter((pem) => !known.has(new X509Certificate(pem).fingerprint256))
}
