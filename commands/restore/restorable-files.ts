import * as v from 'valibot'
import { botName } from '../../lib/inventory/file-schema.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Member } from './read-archive.ts'
import { type KeptCertificate, keptCertificate } from './restorable-certificate.ts'

/** What a rebuilt host takes from the files of its backup: everything else there is made anew by a role. */
export interface KeptFiles {
  readonly allocations: ReadonlyMap<string, number>
  /** By bot, then by name. */
  readonly secrets: ReadonlyMap<string, ReadonlyMap<string, Buffer>>
  /** What opens registries: by folder, as Docker's client reads it. */
  readonly registries: ReadonlyMap<string, Buffer>
  /** What backups are signed with. */
  readonly signingKey: Buffer | undefined
  readonly certificate: KeptCertificate | undefined
  /** The operator's own files of nginx's configuration, which are put into force only when he says so. */
  readonly own: ReadonlyMap<string, Buffer>
  /** What was there, and nobody makes anew. */
  readonly leftOut: readonly string[]
}

const secret = /^etc\/botgarden\/secrets\/bots\/([^/]+)\/([^/]+)$/
const registry = /^etc\/botgarden\/registry\/([\w.-]*[\w-])\/config\.json$/
const own = /^opt\/botgarden\/nginx\/conf\/own\/(\w[\w.-]*)$/
const signingKey = 'etc/botgarden/secrets/backup-signing-key'
const allocations = 'var/lib/botgarden/allocations'

/** Whose content is looked at. */
export function isKept(path: string): boolean {
  return (
    path === allocations ||
    path === signingKey ||
    [secret, registry, own].some((each) => each.test(path)) ||
    /^etc\/letsencrypt\/(archive|renewal|accounts)\//.test(path)
  )
}

/** A role makes these anew, or they are of no use on another host: that they are not taken need not be said. */
const madeAnew = [
  /^etc\/botgarden\/(acme-ca\.pem$|tls\/|secrets\/postgres\/)/,
  /^etc\/botgarden\/secrets\/bots\/[^/]+\/pgpass$/,
  /^etc\/letsencrypt\/(cli\.ini$|renewal-hooks\/deploy\/botgarden$|csr\/|keys\/|live\/|\.updated-)/,
  /^var\/lib\/botgarden\/bots\//,
  /^opt\/botgarden\/(?!nginx\/conf\/own\/)/,
]

/** What is taken of these members, for a host that is known by this domain. */
export function keptFiles(members: ReadonlyMap<string, Member>, domain: string | undefined): KeptFiles {
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
      return found === null || !('content' in (members.get(path) as Member)) ? [] : [[path, found] as const]
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
  const certificate = domain === undefined ? undefined : keptCertificate(domain, members)
  for (const path of certificate?.paths ?? []) used.add(path)
  const key = members.get(signingKey)
  const signing = key && 'content' in key && isPrivateKey(key.content) ? contentOf(signingKey) : undefined
  return {
    ...{ allocations: numbers, secrets, registries, certificate, signingKey: signing },
    own: new Map(matching(own).map(([path, [, name = '']]) => [name, contentOf(path) ?? Buffer.alloc(0)])),
    leftOut: [...members.keys()].filter((path) => !used.has(path) && !madeAnew.some((each) => each.test(path))).sort(),
  }
}

/** A line a bot, each with a number of its own: its network and its user follow from it. */
function numbersIn(text: string): ReadonlyMap<string, number> {
  const numbers = new Map<string, number>()
  for (const line of text.split('\n').filter(Boolean)) {
    const [, bot = '', digits = ''] = /^(\S+) ([1-9]\d{0,2})$/.exec(line) ?? []
    const number = Number(digits)
    if (!v.is(botName, bot) || number < 1 || number > 254 || numbers.has(bot) || [...numbers.values()].includes(number))
      throw new HostError(
        `the files of the backup: allocations: ${JSON.stringify(line)} is no bot with a number of its own`,
      )
    numbers.set(bot, number)
  }
  return numbers
}

/** Those that reach other programs by way of files with a syntax are what they are made as, and nothing else. */
function isSecret(name: string, content: Buffer): boolean {
  if (content.length > 65_536) return false
  const text = content.toString('latin1')
  if (name === 'token') return /^\d+:[\w-]+\n?$/.test(text)
  if (name === 'webhook-secret' || name === 'database-password') return /^[\w-]{43}\n?$/.test(text)
  return /^[A-Z_][A-Z0-9_]*$/.test(name)
}

/** Only what logs in: the client's configuration may name programs as well. */
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
