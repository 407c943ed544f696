import { createPrivateKey, X509Certificate } from 'node:crypto'
import { acmeWebroot } from '../../lib/platform/nginx.ts'
import type { TarEntry } from '../../lib/std/tar.ts'
import type { ArchiveMember } from './read-archive.ts'

/** The files of certbot for a name, written from validated values: nothing in them can run a program. */
export interface RestorableCertificate {
  /** The paths of its files in the archive. */
  readonly paths: readonly string[]
  /** The files to write, by paths relative to /etc/letsencrypt. */
  readonly entries: readonly TarEntry[]
}

const root = 'etc/letsencrypt'
const kinds = ['cert', 'chain', 'fullchain', 'privkey'] as const
const pem = /^(-----BEGIN (CERTIFICATE|(EC |RSA )?PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]+-----END \2-----\n*)+$/

/** Undefined where files are missing or invalid, or for another name or method: then certbot gets a new certificate. */
export function restorableCertificate(
  name: string,
  members: ReadonlyMap<string, ArchiveMember>,
): RestorableCertificate | undefined {
  const text = (path: string) => {
    const member = members.get(`${root}/${path}`)
    return member && 'content' in member ? member.content.toString('latin1') : ''
  }
  const live = members.get(`${root}/live/${name}/fullchain.pem`)
  const number = /\/fullchain(\d{1,6})\.pem$/.exec(live && 'link' in live ? live.link : '')?.[1]
  const archived = kinds.map((kind) => `archive/${name}/${kind}${number}.pem`)
  const [cert = '', chain = '', fullchain = '', privkey = ''] = archived.map(text)
  const renewal = renewalIn(text(`renewal/${name}.conf`))
  if (renewal === undefined || ![cert, chain, fullchain, privkey].every((each) => pem.test(each))) return undefined
  if (!isPair(name, fullchain, privkey)) return undefined
  const account = `accounts/${renewal.folder}/${renewal.account}`
  const described = ['meta', 'private_key', 'regr'].map((each) => [`${account}/${each}.json`, each] as const)
  const objects = described.map(([path, each]) => [path, each, objectIn(text(path))] as const)
  if (objects.some(([, , json]) => json === undefined)) return undefined
  return {
    paths: [...archived, `renewal/${name}.conf`, ...described.map(([path]) => path)].map((path) => `${root}/${path}`),
    entries: [
      ...archived.map((path) => file(path, text(path), path.includes('privkey') ? 0o600 : 0o644)),
      ...kinds.map((kind) => link(`live/${name}/${kind}.pem`, `../../archive/${name}/${kind}${number}.pem`)),
      ...objects.map(([path, each, json]) => file(path, json ?? '', each === 'private_key' ? 0o400 : 0o644)),
      file(`renewal/${name}.conf`, renewalText(name, renewal), 0o644),
    ],
  }
}

interface Renewal {
  readonly version: string
  readonly account: string
  readonly server: string
  /** The folder of the account, relative to `accounts`. */
  readonly folder: string
}

function renewalIn(text: string): Renewal | undefined {
  const of = (key: string, pattern: string) => new RegExp(`^${key} = (${pattern})$`, 'm').exec(text)?.[1]
  const [version, account, server] = [of('version', '[\\d.]+'), of('account', '[0-9a-f]{32}'), of('server', '\\S+')]
  const folder = /^https:\/\/([A-Za-z0-9.-]+(?::\d+)?(?:\/[\w-][\w.-]*)+)$/.exec(server ?? '')?.[1]
  if (of('authenticator', 'webroot') === undefined) return undefined
  return version && account && server && folder ? { version, account, server, folder } : undefined
}

/** The renewal configuration that certbot writes for the options of our role. */
function renewalText(name: string, { version, account, server }: Renewal): string {
  return `version = ${version}
archive_dir = /${root}/archive/${name}
${kinds.map((kind) => `${kind} = /${root}/live/${name}/${kind}.pem\n`).join('')}
[renewalparams]
account = ${account}
key_type = ecdsa
server = ${server}
authenticator = webroot
webroot_path = ${acmeWebroot},
[[webroot_map]]
${name} = ${acmeWebroot}
`
}

function isPair(name: string, fullchain: string, privkey: string): boolean {
  try {
    const certificate = new X509Certificate(fullchain)
    return certificate.checkPrivateKey(createPrivateKey(privkey)) && certificate.checkHost(name) !== undefined
  } catch {
    return false
  }
}

/** A JSON object, parsed and serialized again; undefined where it is not one. */
function objectIn(text: string): string | undefined {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' && json !== null && text.length < 65_536 ? JSON.stringify(json) : undefined
  } catch {
    return undefined
  }
}

function file(path: string, text: string, mode: number): TarEntry {
  return { path, mode, link: '', content: Buffer.from(text, 'latin1') }
}

function link(path: string, to: string): TarEntry {
  return { path, mode: 0o777, link: to, content: Buffer.alloc(0) }
}
