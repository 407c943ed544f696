import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import {
  type CertificateState,
  certificateState,
  installPair,
  setChangedAside,
  tlsFolder,
} from '../../lib/platform/certificate.ts'
import { outdated } from '../../lib/platform/nginx.ts'
import { type FileState, fileState } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { localPath } from '../../lib/std/local-path.ts'
import { Secret } from '../../lib/std/secret.ts'
import { sha256Of } from '../../lib/std/sha256.ts'

/** Reads a file of the operator's machine, by its path in the inventory; `key` is its place in the inventory, for errors. */
export function contentOf(key: string, path: string): string {
  let text: string
  try {
    text = readFileSync(localPath(path), 'utf8')
  } catch (error) {
    throw new InventoryError(`${key}: cannot be read: ${(error as Error).message}`, { cause: error })
  }
  if (text.includes('\0')) throw new InventoryError(`${key}: ${path} is not text: it holds a NUL byte`)
  return text
}

/** The operator's own certificate and key. */
export function installed(name: string, { fullchain, privkey }: { fullchain: string; privkey: string }): Resource[] {
  const chain = contentOf('certbot.files.fullchain', fullchain)
  const key = contentOf('certbot.files.privkey', privkey)
  const certificate = certificateOf(chain, key)
  const now = certificateState(name)
  const there = fileState(`${tlsFolder}/${name}/current/fullchain.pem`)
  const keyThere = fileState(`${tlsFolder}/${name}/current/privkey.pem`)
  return [
    resource({
      id: `certificate:${name}`,
      wants: sha256Of(chain),
      reads: { now, there, keyThere },
      plan: ({ there: pem, keyThere: keyPem }) => {
        if (isText(pem, chain) && isText(keyPem, key)) return []
        const after: CertificateState = {
          fingerprint: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
          names: (certificate.subjectAltName ?? '').split(', '),
          ...{ selfSigned: certificate.issuer === certificate.subject, keyMatches: true, endsSoon: false },
        }
        const file = (text: string): FileState => ({ ...plainFile, sha256: sha256Of(text) })
        const predicts = [becomes(now, after), becomes(there, file(chain)), becomes(keyThere, file(key)), outdated]
        return [{ summary: 'install yours', script: putIntoService(name, chain, key), predicts }]
      },
    }),
  ]
}

/** Throws an `InventoryError` where the operator's certificate is not for this domain too. */
export function refuseOtherNames(bot: string, domain: string, files: { fullchain: string; privkey: string }): void {
  const chain = contentOf('certbot.files.fullchain', files.fullchain)
  const certificate = certificateOf(chain, contentOf('certbot.files.privkey', files.privkey))
  if (certificate.checkHost(domain) !== undefined) return
  const names = (certificate.subjectAltName ?? 'no name').replaceAll('DNS:', '')
  throw new InventoryError(
    `certbot.files: the certificate in ${files.fullchain} is for ${names}, not for ${domain}, a domain of ${bot}: put a certificate there that names it as well, or leave "certificate: files" out, so that each name has its own from letsencrypt`,
  )
}

const plainFile = { type: 'file', mode: '0600', owner: 'root', group: 'root' }

function isText(state: FileState, text: string): boolean {
  return state !== 'absent' && state.sha256 === sha256Of(text)
}

function certificateOf(chain: string, key: string): X509Certificate {
  try {
    const certificate = new X509Certificate(chain)
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      throw new InventoryError('certbot.files: privkey is not the key of fullchain')
    return certificate
  } catch (error) {
    if (error instanceof InventoryError) throw error
    throw new InventoryError(`certbot.files: no PEM pair: ${(error as Error).message}`, { cause: error })
  }
}

function putIntoService(name: string, chain: string, key: string) {
  const { text } = sh`
    ${installPair}
    draft=${tlsFolder}/${name}/.draft
    rm -rf "$draft"
    mkdir -m 0700 "$draft"
    trap 'rm -rf "$draft"' EXIT
    printf %s ${chain} >"$draft/fullchain.pem"
    (umask 077; printf %s ${new Secret(key)} >"$draft/privkey.pem")
    ${setChangedAside(name)}
    install_pair ${name} "$draft"`
  return { text, shown: `install fullchain.pem and privkey.pem as ${tlsFolder}/${name}/current` }
}
