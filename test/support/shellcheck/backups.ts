// What backup.ts and restore.ts send, every stage of a restore.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { pullArchive } from '../../../commands/backup/archive/pull.ts'
import { cronLine } from '../../../commands/backup/crontab.ts'
import { download } from '../../../commands/backup/download.ts'
import { listRemote, takeBackup } from '../../../commands/backup/remote.ts'
import { restoreParts } from '../../../commands/restore/database.ts'
import { restoreScript } from '../../../commands/restore/database-script.ts'
import type { DatabasePart, RestoreTask } from '../../../commands/restore/restore-task.ts'
import { freshArchive } from '../../../commands/restore/second/fresh-archive.ts'
import { zoneScript } from '../../../commands/restore/second/moment.ts'
import { dumpEach, dumpOne, withSecondServer } from '../../../commands/restore/second/server-script.ts'
import type { SelectedBackup } from '../../../commands/restore/select-backup.ts'
import { rebuild } from '../../../commands/restore/whole-host.ts'
import { writeFilesScript } from '../../../commands/restore/write-files.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/hosts.ts'
import type { Role } from '../../../lib/model/role.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { upload } from '../../../lib/ssh/upload.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { tarOf } from '../../../lib/std/tar.ts'
import { archiveStateScript } from '../../../roles/backups/continuous/status.ts'
import type { BackupPart } from '../../../roles/backups/manifest.ts'
import { scratchFolder } from '../copies.ts'
import { entry, facts } from '../fake-host.ts'
import { sha256 } from '../sha256.ts'
import { recorder } from './recorder.ts'
import { cronCommand, request, runScripts, type Shell, shell } from './scripts.ts'

const bots = [{ name: 'hello', where: 'x', settings: {} }]
const host: InventoryHost = { ...{ ...entry, bots, domain: 'b.example.org' }, ssh: 'vps1', groups: [], vars: {} }
const orders: readonly (readonly [flags: string, order: Partial<RestoreTask>])[] = [
  ['--name', { target: 'hello', bot: 'hello' }],
  ['--as', { target: 'hello_old' }],
  ['--drill', { target: undefined }],
]

export async function backupScripts(): Promise<Shell[]> {
  return [cronEntry(), ...(await taken()), ...(await restored()), ...(await others())]
}

function cronEntry(): Shell {
  const options = { file: '/in ventory.yaml', log: '/log', limit: ['a', 'b'], node: '/usr/bin/node' }
  return shell("the operator's entry of cron", cronCommand(cronLine('17 3 * * *', options)))
}

async function taken(): Promise<Shell[]> {
  const here = recorder('backup.ts', [[/now \| tonumber/, '{"now": 1}\n']])
  for (const only of [undefined, 'hello']) await takeBackup(here.connection, only).catch(() => {})
  await listRemote(here.connection)
  const part = { file: 'x.age', size: 1, sha256: 'a'.repeat(64), encrypted: { size: 1, sha256: 'a'.repeat(64) } }
  const database = { ...part, kind: 'database', database: 'x', owner: 'x', tables: {}, file: 'database-x.dump.age' }
  const manifest = { format: 1, host: 'vps1', time: '2026-11-24T03:17:00Z', only: 'x', server: '18', recipients: [] }
  const backup = { name: '2026-11-24T031700Z-x', time: 0, only: 'x', signed: false }
  const text = JSON.stringify({ ...manifest, warnings: [], parts: [database] })
  const signers = { host: 'vps1', file: '', keys: [], lines: [] } as never
  await download(here.connection, { ...backup, manifest: text }, scratchFolder(), signers).catch(() => {})
  return here.requests
}

/** Each stage, driven by what restore.ts runs; plans are made where the dumps have arrived. */
async function restored(): Promise<Shell[]> {
  const here = recorder('restore.ts', [
    [/current\.json/, ''],
    [/unpacked$/, 'unpacked'],
    [/ended \$\?/, 'ended 0'],
  ])
  const { chosen, identities } = await copy()
  const plans: Shell[] = []
  const session = {
    report: { line: () => {} },
    hold: async () => {},
    options: { own: new Map([['yes', []]]) },
    connected: async (_: unknown, use: (connection: Connection) => unknown) => use(here.connection),
    converge: async ([first]: readonly InventoryHost[], roles: Roles) => {
      const list = typeof roles === 'function' ? await roles(first, here.connection) : roles
      const resources = list.flatMap((each) => each.resources({}, facts, host))
      const readings = resources.flatMap(({ reads }) => reads)
      const dumps = readings.filter(({ key }) => /\.(dump|tar)$/.test(key))
      const state = Object.fromEntries(dumps.map(({ key }) => [key, { type: 'file' }]))
      plans.push(...runScripts(`restore ${plans.length}`, resources, { 'postgres:catalog': freshCatalog, ...state }))
      return 0
    },
  } as unknown as Session
  for (const [flag, order] of orders)
    await restoreParts(
      session,
      host,
      chosen,
      [{ database: 'hello', ofBot: true, target: undefined, bot: undefined, ...order }],
      identities,
      (['data', 'cache'] as const).map((kind) => ({
        ...{ bot: 'hello', kind, drill: flag === '--drill', beforeDatabase: flag === '--name' },
      })),
    )
  await rebuild(session, host, chosen, identities, { core: [], bots: async () => async () => 0 })
  await restoreParts(failing(session), host, chosen, [orderOf({})], identities).catch(() => {})
  return [...here.requests, ...plans]

  function failing(of: Session): Session {
    const { connection } = here
    const broken = {
      ...connection,
      request: async (...given: Parameters<Connection['request']>) => {
        await connection.request(...given)
        throw new Error('no room')
      },
    }
    return {
      ...of,
      converge: async (_: unknown, roles: Roles) => (typeof roles === 'function' ? roles(host, broken) : []),
    } as unknown as Session
  }
}

type Roles = readonly Role[] | ((host: InventoryHost | undefined, connection: Connection) => Promise<readonly Role[]>)

function orderOf(order: Partial<RestoreTask>): RestoreTask {
  return { database: 'hello', ofBot: true, target: undefined, bot: undefined, ...order }
}

/** A copy of a host whose parts can be opened, and what opens them. */
async function copy(): Promise<{ chosen: SelectedBackup; identities: readonly Secret[] }> {
  const identity = await generateX25519Identity()
  const folder = scratchFolder()
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity))
  const part = async (file: string, content: Buffer) => {
    const bytes = Buffer.from(await encrypter.encrypt(content))
    writeFileSync(join(folder, file), bytes)
    const encrypted = { size: bytes.length, sha256: sha256(bytes) }
    return { file, size: content.length, sha256: sha256(content), encrypted }
  }
  const files = Buffer.concat(await tarOf(entries()).toArray())
  const database = { kind: 'database', database: 'hello', owner: 'hello', tables: { 'public.users': 2 } }
  const data = await tarOf(dataEntries()).toArray()
  const lasting = { kind: 'data', bot: 'hello', entries: 1, content: 'a'.repeat(64) }
  const parts = [
    { ...lasting, ...(await part('data-hello.tar.age', Buffer.concat(data))) },
    { ...lasting, kind: 'cache', ...(await part('cache-hello.tar.age', Buffer.concat(data))) },
    { ...database, ...(await part('database-hello.dump.age', Buffer.from('dump'))) },
    { kind: 'globals', ...(await part('globals.sql.age', Buffer.from('CREATE ROLE hello;\n'))) },
    { kind: 'files', entries: 2, ...(await part('files.tar.age', files)) },
  ] as BackupPart[]
  const manifest = { format: 1, host: 'vps1', time: '2026-11-24T03:17:00Z', only: null, server: '18', recipients: [] }
  const chosen = {
    name: '2026-11-24T031700Z',
    folder,
    lost: [],
    manifest: { ...manifest, warnings: [], failed: [], parts },
  }
  return { chosen: chosen as unknown as SelectedBackup, identities: [new Secret(identity)] }
}

async function* entries() {
  const file = (path: string, content: string) => ({ path, mode: 0o600, link: '', content: Buffer.from(content) })
  yield file('var/lib/botgarden/allocations', 'hello 1\n')
  yield file('etc/botgarden/secrets/bots/hello/token', '1:a')
  yield file('etc/botgarden/secrets/backup-signing-key', 'k')
  yield file('etc/botgarden/registry/docker.io/config.json', '{}')
  yield file('opt/botgarden/nginx/conf/own/a.conf', '# a\n')
}

async function* dataEntries() {
  yield { path: 'app=data/x', mode: 0o600, link: '', content: Buffer.from('x') }
}

/** What depends on more than a flag: a database that is no bot's, a certificate, an upload that does not arrive. */
async function others(): Promise<Shell[]> {
  const part = { kind: 'database', file: 'x.age', size: 1, sha256: '0'.repeat(64), encrypted: { size: 1, sha256: '0' } }
  const foreign = { ...part, database: 'wiki', owner: 'editors', tables: { 'public."Odd name"': 1 } } as DatabasePart
  const script = restoreScript(orderOf({ database: 'wiki', ofBot: false, target: 'wiki' }), foreign, '/in/x.dump')
  const link = { path: 'live/b.example.org/cert.pem', mode: 0o777, link: '../../archive/b.example.org/cert1.pem' }
  const renewal = { path: 'renewal/b.example.org.conf', mode: 0o644, link: '' }
  const entriesOf = [link, renewal].map((each) => ({ ...each, content: Buffer.alloc(0) }))
  const kept = { allocations: new Map([['hello', 1]]), secrets: new Map([['hello', new Map()]]), registries: new Map() }
  const all = { ...kept, signingKey: undefined, own: new Map(), leftOut: [], certificate: { entries: entriesOf } }
  const cut = recorder('an upload that does not arrive', [[/^sha256sum/, 'x']])
  const broken = {
    ...cut.connection,
    request: (...given: Parameters<Connection['request']>) => cut.connection.request(...given),
  }
  await upload(broken, '/in/x', dump(), () => {}).catch(() => {})
  return [
    ...cut.requests,
    request("restore a database that is no bot's", script.text),
    ...(await archives()),
    request('lay a certificate down', writeFilesScript(all as never, '/opt/botgarden/nginx/conf/own').text),
  ]
}

/** What fetches an archive, and brings a second of it back. */
async function archives(): Promise<Shell[]> {
  const path = '20261126T130000Z/wal-0000000100000000000000FF-20261126T130059Z.gz.age'
  const here = recorder('the archive of WAL', [[/printf '%P/, `${path}\n`]])
  const signers = { host: 'vps1', file: '', pinned: undefined, keys: [], since: undefined }
  await pullArchive(here.connection, join(scratchFolder(), 'archive'), signers).catch(() => {})
  const session = { report: { line: () => {} }, options: { wait: false } } as unknown as Session
  const given = { ...host, vars: { backups: { local: scratchFolder(), continuous: true } } }
  await freshArchive(session, given, here.connection).catch(() => {})
  return [
    ...here.requests,
    request('the time zone of a host', zoneScript('2026-11-25 14:03:07').text),
    request('a database as of a second', withSecondServer(0, dumpOne('hello', '/in/x.dump')).text),
    request('all databases as of a second', withSecondServer(0, dumpEach).text),
    shell('what keeps an archive', readFileSync('roles/backups/continuous/receive.sh', 'utf8')),
    request('the archive of a host', archiveStateScript.text),
  ]
}

async function* dump() {
  yield Buffer.from('dump')
}
