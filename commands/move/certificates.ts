import { runDir } from '../../lib/model/host-layout.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform, performBoth } from '../../lib/ssh/perform.ts'
import { Secret } from '../../lib/std/secret.ts'
import { type TarEntry, tarOf } from '../../lib/std/tar.ts'
import { membersOf } from '../restore/read-archive.ts'
import { restorableCertificate } from '../restore/restorable-certificate.ts'
import { installCertificate } from '../restore/write-files.ts'

/**
 * Copies certbot's certificate of each of these domains, where the old host has one and the new one has none; with `renew` also where
 * that has another one. Returns the domains whose certificate it did copy.
 */
export async function copyCertificates(
  here: Connection,
  there: Connection,
  domains: readonly string[],
  { renew = false }: { renew?: boolean } = {},
): Promise<readonly string[]> {
  const copied: string[] = []
  for (const domain of domains) {
    const [own, other] = await performBoth(here, there, sumScript(domain))
    if (own === '' || own === other || (other !== '' && !renew)) continue
    const packed = Buffer.from((await perform(here, packScript(domain))).trim(), 'base64')
    if (packed.length === 0) continue
    const certificate = restorableCertificate(domain, await membersOf(once(packed), isOfCertbot))
    if (certificate === undefined) continue
    const archive = Buffer.concat(await tarOf(each(certificate.entries)).toArray())
    await perform(there, installScript(domain, certificate.entries, new Secret(archive.toString('base64'))))
    copied.push(domain)
  }
  return copied
}

/** Shell text: prints an archive of what certbot has for a domain, as base64; nothing where it has none. */
export function packScript(domain: string): Script {
  const parts = ['archive', 'live'].map((each) => `etc/letsencrypt/${each}/${domain}`)
  return sh`
    [ ! -e /etc/letsencrypt/live/${domain}/fullchain.pem ] ||
      tar --create --directory / --file - ${[...parts, `etc/letsencrypt/renewal/${domain}.conf`, 'etc/letsencrypt/accounts']} | base64 --wrap=0`
}

/** Shell text: prints the checksum of a domain's certificate; nothing where there is none. */
export function sumScript(domain: string): Script {
  return sh`[ ! -e /etc/letsencrypt/live/${domain}/fullchain.pem ] || sha256sum </etc/letsencrypt/live/${domain}/fullchain.pem`
}

/** Shell text: installs the files of certbot for a domain. */
export function installScript(domain: string, entries: readonly TarEntry[], archive: Secret): Script {
  const stage = `${runDir}/certificate-${domain}`
  const { text } = sh`
    (umask 077; mkdir -p ${runDir})
    rm -rf ${stage}
    mkdir -m 0700 ${stage}
    trap 'rm -rf '${stage} EXIT
    printf %s ${archive} | base64 -d | tar --extract --no-same-owner --preserve-permissions --file - --directory ${stage}
    ${installCertificate(entries, stage)}`
  return { text, shown: `install /etc/letsencrypt/live/${domain}` }
}

function isOfCertbot(path: string): boolean {
  return path.startsWith('etc/letsencrypt/')
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}

async function* each(entries: readonly TarEntry[]): AsyncIterable<TarEntry> {
  yield* entries
}
