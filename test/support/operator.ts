// An operator's machine and a host whose backups are really encrypted and really signed, at a fixed time. The scripts of a
// request run in a real sh; the program that takes backups is a stand-in, which has one ready.
import { cpSync, existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import type { Test } from 'uvu'
import type { Roles } from '../../lib/cli/run-host.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/hosts.ts'
import type { Resource } from '../../lib/model/resource.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { ConnectError } from '../../lib/std/errors.ts'
import { type CopyOptions, scratchFolder, signingKey, whole, writeCopy } from './copies.ts'
import { facts } from './fake-host.ts'
import { printed } from './printed.ts'
import { scratchHost } from './scratch-host.ts'
import { sha256 } from './sha256.ts'

export const home = '/opt/botgarden/backups'
export const store = '/var/lib/botgarden/backups'

export const identity = await generateX25519Identity()
export const recipient = await identityToRecipient(identity)
export const keys = scratchFolder()
/** What hosts sign with, unless they say otherwise. */
export const key = await signingKey(keys, 'key')
export const otherKey = await signingKey(keys, 'other')

/** What is in the parts of every backup. */
export const plain: Readonly<Record<string, string>> = {
  'database-hello_bot.dump.age': `dump of hello_bot: ${'x'.repeat(3000)}`,
  'globals.sql.age': 'CREATE ROLE hello_bot;\n',
  'files.tar.age': 'files',
}
export const sealed = Object.fromEntries(
  await Promise.all(Object.entries(plain).map(async ([file, text]) => [file, await encrypted(text)] as const)),
)
export const parts = whole.map((part) => {
  const text = plain[part.file] ?? ''
  const tables = part.kind === 'database' && { tables: { 'public.users': 2, 'public.empty': 0 } }
  return { ...part, ...tables, size: text.length, sha256: sha256(text) }
})

/** The bytes of all files of such a backup. */
export function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + readFileSync(join(folder, file)).length, 0)
}

/** Has this be the time while these tests run, here and on hosts that are made by them. */
export function at(time: string, test: Pick<Test, 'before' | 'after'>): void {
  const real = Date.now
  test.before(() => {
    Date.now = () => Date.parse(time)
  })
  test.after(() => {
    Date.now = real
  })
}

export interface Settings {
  readonly keep?: { readonly daily: number; readonly weekly: number; readonly monthly: number }
  readonly signer?: string
  readonly alert?: { readonly command?: string }
  readonly offsite?: { readonly restic: string }
}

export type Operator = Awaited<ReturnType<typeof operator>>

/** The host has the backups of these names, signed by its key. */
export async function operator(names: readonly string[], settings: Settings = {}) {
  const host = scratchHost({
    date: `case $* in +%s) cat "$STATE/now" ;; *) exec /bin/date "$@" ;; esac`,
    'systemd-run': `while [ "$1" != "\${1#--}" ]; do shift; done; exec "$@"`,
  })
  const copies = join(scratchFolder(), 'vps1')
  const on = (path: string) => join(host.root, path)
  host.folder(store)
  host.note('now', `${Date.now() / 1000}\n`)
  host.write('/etc/botgarden/secrets/backup-signing-key', readFileSync(key, 'utf8'), 0o600)
  host.install(
    `${home}/backup`,
    `printf '%s\\n' "$*" >>"$STATE/asked"
    for each in "$STATE"/ready/*; do [ ! -e "$each" ] || mv "$each" ${on(store)}; done
    cp "$STATE/status" ${on(home)}/"status\${3:+-$3}.json"
    exit "$(cat "$STATE/code")"`,
  )
  const write = async (folder: string, name: string, options?: CopyOptions) => {
    if (options !== undefined) return writeCopy(folder, { name, parts, sealed, key, ...options })
    // Most of them are the same.
    const once = join(keys, name)
    if (!existsSync(once)) await writeCopy(keys, { name, parts, sealed, key })
    cpSync(once, join(folder, name), { recursive: true })
    return join(folder, name)
  }
  for (const name of names) await write(on(store), name)

  let runs = 0
  const said: string[] = []
  const wanted: Resource[] = []
  const codes: number[] = []
  const entry: InventoryHost = {
    ...{
      name: 'vps1',
      ssh: 'vps1',
      groups: [],
      httpsPort: 443,
      bots: [{ name: 'hello-bot', where: '', settings: {} }],
    },
    vars: { backups: { recipients: [recipient], local: join(copies, '..'), ...settings } },
  }
  /** After how many bytes of a database each of the next connections breaks; or it is not made at all. */
  const cuts: (number | 'no route')[] = []
  const connection = (after: number): Connection =>
    ({
      facts,
      request: async (script: (nonce: string) => string, { text }: { text?: (bytes: Buffer) => void }) => {
        let left = script('N').includes('database-') ? after : Number.POSITIVE_INFINITY
        const heard = (bytes: Buffer) => {
          text?.(bytes.subarray(0, left))
          left = Math.max(0, left - bytes.length)
        }
        const { code } = await host.run(script('N'), { args: [], heard })
        if (left === 0) throw new ConnectError('vps1: the connection was lost')
        return code
      },
    }) as unknown as Connection

  return {
    host,
    /** Where its copies are, on this machine. */
    copies,
    said,
    /** The resources that were applied to it. */
    wanted,
    /** How the next of these end. */
    codes,
    cuts,
    entry,
    /** Where this path of the host is, on this machine. */
    on,
    there: (name: string, options?: CopyOptions) => write(on(store), name, options),
    here: (name: string, options?: CopyOptions) => write(copies, name, options),
    /** The next run takes this backup, whose status says so; or it does what this status says. */
    takes: async (name: string | undefined, status: object = {}, options?: CopyOptions) => {
      if (name !== undefined) await write(join(host.state, 'ready'), name, options)
      const well = { result: 'ok', at: '2026-11-25T12:00:00Z', seconds: 7, reason: '', warnings: [], lastGood: name }
      const told = { format: 1, run: `${++runs}`, ...well, bytes: 4096, ...status }
      host.note('status', JSON.stringify(told))
      host.note('code', told.result === 'ok' ? '0' : '1')
    },
    session: (own: Record<string, string> = {}, hosts: readonly InventoryHost[] = [entry]): Session =>
      ({
        inventory: { file: '/ops/production.yaml', hosts },
        hosts,
        options: { own: new Map(Object.entries(own).map(([flag, value]) => [flag, [value]])), forks: 2, json: true },
        report: { line: (line: string) => said.push(line) },
        connected: async (_: InventoryHost, use: (to: Connection) => Promise<unknown>) => {
          const after = cuts.shift() ?? Number.POSITIVE_INFINITY
          if (after === 'no route') throw new ConnectError('vps1: no route to host')
          return use(connection(after))
        },
        hold: async () => void said.push('held'),
        converge: async (_: unknown, rolesOf: Roles) => {
          const roles = typeof rolesOf === 'function' ? await rolesOf(entry, connection(Infinity)) : rolesOf
          wanted.push(...roles.flatMap((role) => role.resources({}, facts, entry)))
          return codes.shift() ?? 0
        },
      }) as unknown as Session,
    /** The names in the folder of the copies. */
    list: () => (existsSync(copies) ? readdirSync(copies).sort() : []),
  }
}

/** The exit code of a run of one host, and what it says of that as JSON. */
export async function outcome(run: () => Promise<number>): Promise<{ code: number; vps1: Record<string, unknown> }> {
  const { value, stdout } = await printed(run)
  return { code: value, vps1: JSON.parse(stdout).hosts.vps1 }
}

async function encrypted(text: string): Promise<Uint8Array> {
  const encrypter = new Encrypter()
  encrypter.addRecipient(recipient)
  return encrypter.encrypt(text)
}
