import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { stringify } from 'yaml'
import { selectBackup } from '../../commands/restore/select-backup.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { local } from '../../lib/shell/local.ts'
import { HostError } from '../../lib/std/errors.ts'
import { rejects } from './errors.ts'
import { sha256 } from './sha256.ts'

const scratch = mkdtempSync(join(tmpdir(), 'copies-test-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))
let count = 0

/** A folder of the test's own. */
export function scratchFolder(): string {
  const folder = join(scratch, `${++count}`)
  mkdirSync(folder)
  return folder
}

/** A part of a copy that only looks encrypted: nothing opens it. */
interface Part {
  readonly kind: 'database' | 'globals' | 'files'
  readonly file: string
  readonly [key: string]: unknown
}

export const database: Part = {
  ...{ kind: 'database', file: 'database-hello_bot.dump.age', database: 'hello_bot', owner: 'hello_bot' },
  tables: { 'public.users': 2 },
}
export const whole: readonly Part[] = [
  database,
  { kind: 'globals', file: 'globals.sql.age' },
  { kind: 'files', file: 'files.tar.age', entries: 7 },
]

export interface CopyOptions {
  /** Its folder's name. */
  readonly name?: string
  readonly parts?: readonly Part[]
  /** The parts that are really encrypted, by file. */
  readonly sealed?: Readonly<Record<string, Uint8Array>>
  /** Any other field of its manifest. */
  readonly manifest?: Record<string, unknown>
  /** The file of the key that signs it. */
  readonly key?: string | undefined
}

/** A key as a host makes it: the path of its file. */
export async function signingKey(folder: string, name: string): Promise<string> {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, name)
  await local`ssh-keygen -q -t ed25519 -N ${''} -f ${path}`
  return path
}

/** As an operator has it beside the copies of vps1. */
export function knownSigner(key: string, since = '2026-11-01T000000Z'): string {
  return `vps1 namespaces="botgarden-backup" ${publicHalf(key)} since ${since}\n`
}

export async function fingerprint(key: string): Promise<string> {
  return (await local`ssh-keygen -lf ${key}`).stdout.split(' ')[1] ?? ''
}

/** Writes a copy of a backup of vps1 into a folder of copies, and returns its own folder. */
export async function writeCopy(copies: string, options: CopyOptions = {}): Promise<string> {
  const { name = '2026-11-24T031700Z', parts = whole, sealed = {}, manifest = {}, key } = options
  const folder = join(copies, name)
  mkdirSync(folder, { recursive: true })
  const [, date, hour, minute, second] = /^(.{10})T(..)(..)(..)Z/.exec(name) ?? []
  const told = parts.map((part) => {
    const content = sealed[part.file] ?? Buffer.from(`age-encryption.org/v1\n-> X25519 ${part.file} of ${name}\n`)
    writeFileSync(join(folder, part.file), content)
    return { size: 1, sha256: 'a'.repeat(64), ...part, encrypted: { size: content.length, sha256: sha256(content) } }
  })
  const time = `${date}T${hour}:${minute}:${second}Z`
  const fields = {
    format: 1,
    host: 'vps1',
    time,
    only: null,
    server: '18.6',
    recipients: [],
    warnings: [],
    parts: told,
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ ...fields, ...manifest }))
  writeSums(folder, ['manifest.json', ...parts.map(({ file }) => file)])
  if (key !== undefined) await sign(folder, key)
  return folder
}

export function writeSums(folder: string, files: readonly string[]): void {
  const rows = files.map((file) => `${sha256(readFileSync(join(folder, file)))}  ${file}\n`)
  writeFileSync(join(folder, 'SHA256SUMS'), rows.join(''))
}

export async function sign(folder: string, key: string, namespace = 'botgarden-backup'): Promise<void> {
  const sums = join(folder, 'SHA256SUMS')
  rmSync(`${sums}.sig`, { force: true })
  await local`ssh-keygen -q -Y sign -n ${namespace} -f ${key} ${sums}`
}

export function publicHalf(key: string): string {
  return readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')
}

/** Where copies of vps1 are, and what the inventory says of who signs. */
export interface Place {
  /** The copies of vps1. */
  readonly copies: string
  readonly signer?: string
}

export function place(known: string, signer?: string): Place {
  const copies = join(scratchFolder(), 'vps1')
  mkdirSync(copies)
  if (known !== '') writeFileSync(join(copies, 'allowed_signers'), known)
  return { copies, ...(signer !== undefined && { signer }) }
}

/** What restore.ts would take: the name of the copy, or how it is refused. */
export async function taken({ copies, signer }: Place, flags: readonly string[] = [], wish = {}): Promise<string> {
  const own = new Map(flags.map((flag) => [flag, ['']]))
  const session = { inventory: { file: 'x.yaml' }, options: { own }, report: { line: () => {} } } as unknown as Session
  const vars = { backups: { recipients: ['x'], local: dirname(copies), signer } }
  const host: InventoryHost = { ...{ name: 'vps1', ssh: 'vps1', groups: [], httpsPort: 443, bots: [] }, vars }
  const unsigned = own.has('unsigned')
  const wanted = { from: 'copy', until: undefined, database: 'hello_bot', unsigned, ...wish } as const
  return selectBackup(session, host, wanted, async ({ name }) => name)
}

export async function refused(from: Place, said: RegExp, flags: readonly string[] = []): Promise<void> {
  await rejects(taken(from, flags), said, HostError)
}

export async function unreachable(copies: string): Promise<string> {
  const file = join(scratchFolder(), 'unreachable.yaml')
  const recipients = [await identityToRecipient(await generateX25519Identity())]
  const vars = { backups: { recipients, local: dirname(copies) } }
  writeFileSync(file, stringify({ vars, hosts: { vps1: { ssh: 'root@127.0.0.1:9' } } }))
  return file
}
