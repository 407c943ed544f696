import * as v from 'valibot'
import { botName } from '../../lib/inventory/file-schema.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { ArchiveMember } from './read-archive.ts'
import { type RestorableCertificate, restorableCertificate } from './restorable-certificate.ts'

/** The files of a backup that a rebuilt host gets. A role creates the others. */
export interface RestorableFiles {
  readonly allocations: ReadonlyMap<string, number>
  /** Contents of the secrets, by bot, then by name. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, Buffer>>
  /** Logins of registries, by folder, in the format of Docker's client. */
  readonly registries: ReadonlyMap<string, Buffer>
  /** The private key that signs backups. */
  readonly signingKey: Buffer | undefined
  readonly certificate: RestorableCertificate | undefined
  /** The operator's own nginx files, by name. They are installed only after a confirmation. */
  readonly own: ReadonlyMap<string, Buffer>
  /** Paths that are neither restored nor created by a role. */
  readonly ignored: readonly string[]
}

const secret = /^etc\/botgarden\/secrets\/bots\/([^/]+)\/([^/]+)$/
const registry = /^etc\/botgarden\/registry\/([\w.-]*[\w-])\/config\.json$/
const own = /^opt\/botgarden\/nginx\/conf\/own\/(\w[\w.-]*)$/
const signingKey = 'etc/botgarden/secrets/backup-signing-key'
const allocations = 'var/lib/botgarden/allocations'

/** Whether the content of a path is read from the archive. */
export function isRestorable(path: string): boolean {
  return (
    path === allocations ||
    path === signingKey ||
    [secret, registry, own].some((each) => each.test(path)) ||
    /^etc\/letsencrypt\/(archive|renewal|accounts)\//.test(path)
  )
}

/** Paths that a role creates again, or that are of no use on another host: they are skipped without a message. */
const recreated = [
  /^etc\/botgarden\/(acme-ca\.pem$|tls\/|secrets\/postgres\/)/,
  /^etc\/botgarden\/secrets\/bots\/[^/]+\/(pgpass$|cache\/)/,
  /^etc\/letsencrypt\/(cli\.ini$|renewal-hooks\/deploy\/botgarden$|csr\/|keys\/|live\/|\.updated-)/,
  /^var\/lib\/botgarden\/bots\//,
  /^opt\/botgarden\/(?!nginx\/conf\/own\/)/,
]

/** Selects and validates the files for a host with these names. Throws a `HostError` for invalid allocations. */
export function restorableFiles(
  members: ReadonlyMap<string, ArchiveMember>,
  names: readonly string[],
): RestorableFiles {
  const used = new Set<string>()
  const contentOf = (path: string) => {
    const member = members.get(path)
    if (member === undefined || !('content' in member)) return undefined
    used.add(path)
    return member.content
  }
  const matching = (pattern: RegExp) =>
    [...members.keys()].flatMap((path) => {
      const found = pattern.exec(path)
      return found === null || !('content' in (members.get(path) as ArchiveMember)) ? [] : [[path, found] as const]
    })

  const numbers = numbersIn(contentOf(allocations)?.toString() ?? '')
  const secrets = new Map<string, Map<string, Buffer>>()
  for (const [path, [, bot = '', name = '']] of matching(secret)) {
    const content = (members.get(path) as { content: Buffer }).content
    if (!numbers.has(bot) || !isSecret(name, content)) continue
    secrets.set(bot, (secrets.get(bot) ?? new Map<string, Buffer>()).set(name, content))
    used.add(path)
  }
  const registries = new Map<string, Buffer>()
  for (const [path, [, name = '']] of matching(registry)) {
    const logins = loginsIn((members.get(path) as { content: Buffer }).content)
    if (logins === undefined) continue
    registries.set(name, logins)
    used.add(path)
  }
  const certificate = together(names.flatMap((name) => restorableCertificate(name, members) ?? []))
  for (const path of certificate?.paths ?? []) used.add(path)
  const key = members.get(signingKey)
  const signing = key && 'content' in key && isPrivateKey(key.content) ? contentOf(signingKey) : undefined
  return {
    ...{ allocations: numbers, secrets, registries, certificate, signingKey: signing },
    own: new Map(matching(own).map(([path, [, name = '']]) => [name, contentOf(path) ?? Buffer.alloc(0)])),
    ignored: [...members.keys()].filter((path) => !used.has(path) && !recreated.some((each) => each.test(path))).sort(),
  }
}

/** Certificates of one account share its files. */
function together(certificates: readonly RestorableCertificate[]): RestorableCertificate | undefined {
  if (certificates.length === 0) return undefined
  const entries = new Map(certificates.flatMap((each) => each.entries.map((entry) => [entry.path, entry] as const)))
  return { paths: certificates.flatMap(({ paths }) => paths), entries: [...entries.values()] }
}

/** Allocations by bot, from lines `BOT NUMBER`. Throws a `HostError` for a line that is not valid or not unique. */
function numbersIn(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const line of text.split('\n').filter(Boolean)) {
    const [, bot = '', digits = ''] = /^(\S+) ([1-9]\d{0,2})$/.exec(line) ?? []
    const number = Number(digits)
    if (!v.is(botName, bot) || number < 1 || number > 254 || numbers.has(bot) || [...numbers.values()].includes(number))
      throw new HostError(
        `the files of the backup: allocations: ${JSON.stringify(line)} is not a bot with a unique number`,
      )
    numbers.set(bot, number)
  }
  return numbers
}

/** Whether a secret has the format in which it was generated. Some are copied into files with a syntax, as pgpass. */
function isSecret(name: string, content: Buffer): boolean {
  if (content.length > 65_536) return false
  const text = content.toString('latin1')
  if (name === 'token') return /^\d+:[\w-]+\n?$/.test(text)
  if (name === 'webhook-secret' || name === 'database-password' || name === 'cache-password')
    return /^[\w-]{43}\n?$/.test(text)
  return /^[A-Z_][A-Z0-9_]*$/.test(name)
}

/** Only the logins: the configuration of Docker's client can also name programs to run. */
function loginsIn(content: Buffer): Buffer | undefined {
  const config = v.object({ auths: v.record(v.string(), v.object({ auth: v.pipe(v.string(), v.base64()) })) })
  try {
    const { auths } = v.parse(config, JSON.parse(content.toString()))
    return Buffer.from(JSON.stringify({ auths }))
  } catch {
    return undefined
  }
}

function isPrivateKey(content: Buffer): boolean {
  return /^-----BEGIN OPENSSH PRIVATE KEY-----\n[A-Za-z0-9+/=\n]+\n-----END OPENSSH PRIVATE KEY-----\n$/.test(
    content.toString('latin1'),
  )
}
