// What restore.ts --host does, from a copy that is signed and encrypted to a host that was bare: all but what its roles do.
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { restore } from '../../../commands/restore/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { resource } from '../../../lib/model/resource.ts'
import { role } from '../../../lib/model/role.ts'
import { knownSigner } from '../../support/copies.ts'
import { rejects } from '../../support/errors.ts'
import { type Copy, type Entry, tar, writeCopy } from '../../support/hostile/marks.ts'
import { at, identity, key, keys, type Operator, operator, recipient } from '../../support/operator.ts'
import { planOf } from '../../support/plan-of.ts'
import { printed } from '../../support/printed.ts'

at('2026-11-25T12:00:00Z', test)
const file = join(keys, 'rebuilt.txt')
writeFileSync(file, `${identity}\n`)
const incoming = '/var/lib/botgarden/incoming'
const dumpOf = (name: string) => `${incoming}/${createHash('sha256').update(name).digest('hex').slice(0, 16)}.dump`
const name = '2026-11-25T031700Z'

/** A role that wants one thing of this name. */
const wants = (id: string) => role(id, v.any(), () => [resource({ id, wants: '', reads: {}, plan: () => [] })])
const rolesFor = (session: Session) => ({
  core: [wants('core')],
  bots: async (host: InventoryHost) => () => session.converge([host], [wants('bots')]),
})
const run = (ops: Operator, flags: Record<string, string> = { yes: '' }, hosts?: InventoryHost[]) => {
  const session = ops.session({ identity: file, host: 'vps1', ...flags }, hosts)
  return restore(session, rolesFor(session))
}

const verifier = 'SCRAM-SHA-256$4096:c2FsdA==$a2V5:a2V5'
const globals = `CREATE ROLE hello_bot;\nALTER ROLE hello_bot WITH LOGIN PASSWORD '${verifier}';\nALTER ROLE evil WITH SUPERUSER;\n`
const entries: readonly Entry[] = [
  { name: 'var/lib/botgarden/allocations', type: 'file', content: 'hello-bot 7\n' },
  { name: 'etc/botgarden/secrets/bots/hello-bot/token', type: 'file', content: '1:abc' },
  { name: 'etc/botgarden/odd', type: 'file', content: 'x' },
]
const hello = { database: 'hello_bot', owner: 'hello_bot', tables: {}, dump: Buffer.from('the dump') }
const reports = { database: 'reports', owner: 'analyst', tables: {}, dump: Buffer.from('x') }
const postgres = { database: 'postgres', owner: 'postgres', tables: {}, dump: Buffer.from('x') }

async function withCopy(more: Partial<Copy> = {}, files = entries): Promise<Operator> {
  const ops = await operator([])
  ops.host.container('botgarden-postgres')
  await writeCopy(dirname(ops.copies), {
    ...{ host: 'vps1', time: Date.parse('2026-11-25T03:17:00Z'), recipient, key, globals, files: await tar(files) },
    ...{ databases: [hello, postgres], ...more },
  })
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  return ops
}
/** Somebody is at the terminal, and types this. */
async function answering<T>(line: string, what: () => Promise<T>) {
  const real = Object.getOwnPropertyDescriptor(process, 'stdin') as PropertyDescriptor
  const stdin = Object.assign(new PassThrough(), { isTTY: true })
  Object.defineProperty(process, 'stdin', { value: stdin, configurable: true })
  stdin.write(`${line}\n`)
  try {
    return await printed(what)
  } finally {
    Object.defineProperty(process, 'stdin', real)
  }
}
const restoring = ['leftovers:restore', 'restore:hello_bot']

test('files come first, then the core, the roles of databases, the databases, and the bots last', async () => {
  const ops = await withCopy()
  assert.is(await run(ops), 0)
  assert.equal(
    ops.wanted.map(({ id }) => id),
    ['core', ...restoring, 'bots'],
  )
  assert.equal(ops.said, [
    'vps1  ▸ skipped: /etc/botgarden/odd',
    'held',
    'vps1  ▸ secrets, certificates and allocations',
    'vps1  ▸ database roles',
    'held',
    'held',
    'vps1  ▸ hello_bot: 1 kB of 1 kB',
    'vps1  is restored, after 0 s',
  ])
  assert.is(ops.host.read('/var/lib/botgarden/allocations'), 'hello-bot 7\n')
  assert.is(ops.host.read('/etc/botgarden/secrets/bots/hello-bot/token'), '1:abc')
  assert.is(ops.host.read(dumpOf('hello_bot')), 'the dump')
  assert.is(
    ops.host.noted('sql'),
    `select 'create role "hello_bot"' where not exists (select from pg_roles where rolname = 'hello_bot') \\gexec\nalter role "hello_bot" login password '${verifier}';\n`,
  )
  assert.equal(ops.host.list(incoming), [dumpOf('hello_bot').slice(incoming.length + 1)], 'nothing else is left there')
})

const folder = { name: 'app=data/', type: 'directory' } as const
const dataPath = `${incoming}/data-hello-bot.tar`

test('the data of a bot comes before it starts, and that of another bot is told', async () => {
  const archive = await tar([folder])
  const ops = await withCopy({
    data: [
      { bot: 'hello-bot', archive },
      { bot: 'gone', archive },
    ],
  })
  assert.is(await run(ops), 3)
  assert.equal(
    ops.wanted.map(({ id }) => id),
    ['core', 'leftovers:restore', 'restore-data:hello-bot', 'restore:hello_bot', 'bots'],
  )
  assert.equal(ops.wanted[1]?.wants, { except: [dumpOf('hello_bot'), dataPath] })
  assert.equal(planOf(ops.wanted.slice(2, 3), { [`file:${dataPath}`]: { type: 'file' } }), [
    `restore-data:hello-bot: restored from ${name}: 1 files and folders`,
  ])
  assert.equal(ops.said.slice(-4), [
    'vps1  ▸ hello_bot: 1 kB of 1 kB',
    'vps1  ▸ data of hello-bot: 2 kB of 2 kB',
    'vps1  is restored, after 0 s',
    'vps1  ▸ NOT restored: the data of gone, which is no bot of this host in the inventory',
  ])
})

test('data that is hostile is refused before the host is asked for anything', async () => {
  const archive = await tar([folder, { name: 'app=data/x', type: 'symlink', linkname: '/etc/shadow' }])
  const ops = await withCopy({ data: [{ bot: 'hello-bot', archive }] })
  await rejects(run(ops), /^the data of hello-bot in the backup: "app=data\/x" is a link to "\/etc\/shadow"/)
  assert.equal([ops.said.includes('held'), ops.wanted], [false, []])
})

test('a database whose owner is not certain is told with what to type, and makes the run end with 3', async () => {
  const ops = await withCopy({ databases: [hello, reports] })
  assert.is(await run(ops), 3)
  assert.equal(ops.said.slice(-2), [
    'vps1  is restored, after 0 s',
    'vps1  ▸ NOT restored: the database reports, which belongs to no bot and was owned by analyst: create database reports owner analyst, then restore.ts --name reports',
  ])
})

test('what no copy has any more is named, and makes the run end with 3', async () => {
  const failed = [{ kind: 'database', database: 'gone', file: 'database-gone.dump.age', reason: 'x' }]
  const ops = await withCopy({ manifest: (manifest) => ({ ...manifest, format: 2, failed }) })
  assert.is(await run(ops), 3)
  assert.is(ops.said[0], `vps1  ▸ ${name} lacks gone, and no other copy has it: it is NOT restored`)
})

for (const [codes, ids, last] of [
  [[4], ['core'], 'vps1  ▸ secrets, certificates and allocations'],
  [[0, 3], ['core', ...restoring], 'vps1  ▸ hello_bot: 1 kB of 1 kB'],
  [[0, 0, 1], ['core', ...restoring, 'bots'], 'vps1  is not fully restored, after 0 s'],
] as const)
  test(`what ends with ${codes.at(-1)} is the last that is done`, async () => {
    const ops = await withCopy()
    ops.codes.push(...codes)
    assert.is(await run(ops), codes.at(-1))
    assert.equal([ops.wanted.map(({ id }) => id), ops.said.at(-1)], [ids, last])
  })

test('a host without bots in the inventory is back without them', async () => {
  const ops = await withCopy({ databases: [{ ...hello, database: 'own', owner: 'own' }] })
  const bare = { ...ops.entry, bots: [] }
  assert.is(await run(ops, { yes: '' }, [bare]), 0)
  assert.equal(
    ops.wanted.map(({ id }) => id),
    ['core', 'leftovers:restore', 'restore:own'],
  )
})

test('the operator’s own files of nginx are shown, and laid aside where nobody says that they may run', async () => {
  const own = { name: 'opt/botgarden/nginx/conf/own/site.conf', type: 'file', content: 'a;\nb;\n' } as const
  const ops = await withCopy({}, [...entries, own])
  assert.is(await run(ops), 0)
  const aside = `/var/lib/botgarden/laid-aside/${name}`
  assert.equal(ops.said.slice(1, 5), [
    'vps1  ▸ /opt/botgarden/nginx/conf/own/site.conf:',
    'vps1      a;',
    'vps1      b;',
    `vps1  ▸ these files are saved in ${aside} instead: review them, move them to /opt/botgarden/nginx/conf/own, and run site.ts`,
  ])
  assert.is(ops.host.read(`${aside}/site.conf`), 'a;\nb;\n')
})

test('what the person at the terminal says decides what is run, and whether anything is', async () => {
  const own = { name: 'opt/botgarden/nginx/conf/own/site.conf', type: 'file', content: 'a;\n' } as const
  const ops = await withCopy({}, [...entries, own])
  const yes = await answering('yes', () => run(ops))
  assert.equal([yes.value, yes.stderr], [0, 'install these files of nginx? Type yes: '])
  assert.is(ops.host.read('/opt/botgarden/nginx/conf/own/site.conf'), 'a;\n')
  const other = await withCopy()
  const no = await answering('no', () => run(other, {}).catch(({ message }: Error) => message))
  assert.equal(
    [no.value, no.stderr],
    ['not done', `rebuild vps1 (/ops/production.yaml) from the backup ${name}? Type yes: `],
  )
  assert.equal(other.said, [])
})

test('a host that has bots is no bare one, and is left as it is', async () => {
  const ops = await withCopy()
  ops.host.write('/var/lib/botgarden/bots/hello-bot/current.json', '{}')
  await rejects(run(ops), 'vps1 already has bots: --host rebuilds a bare host; --name restores one database')
  assert.equal([ops.wanted, ops.host.there('/var/lib/botgarden/allocations')], [[], false])
})

test('files that cannot be laid down end it, and so do roles that cannot be made', async () => {
  const ops = await withCopy()
  ops.host.program('tar', 'echo "tar: no room"; exit 2')
  await rejects(run(ops), 'the files of the backup cannot be unpacked: tar: no room')
  assert.equal(ops.wanted, [])
  const other = await withCopy()
  other.host.fails('psql')
  const said = 'refused: docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres'
  await rejects(run(other), `the database roles cannot be created: ${said} \nended 1`.replace(' \n', '\n'))
  assert.equal([other.wanted.length, other.host.list(incoming)], [1, []])
})

test('what no host has so much of is refused before the host is looked at', async () => {
  const ops = await withCopy({ globals: 'x'.repeat(2 ** 20 + 1) })
  await rejects(run(ops), 'globals.sql.age: is larger than 1048576 bytes')
  assert.equal(ops.said, [])
  const most = await withCopy({ globals: 'x'.repeat(2 ** 20) })
  assert.is(await run(most), 0)
})

test('a table that cannot be one, or an owner that is none, is refused before anything else', async () => {
  const table = await withCopy({ databases: [{ ...hello, tables: { 'a; drop table b': 1 } }] })
  await rejects(run(table), 'the manifest of hello_bot has an invalid table name: "a; drop table b"')
  const owner = await withCopy({ databases: [{ ...hello, owner: 'other' }] })
  await rejects(
    run(owner),
    `${name}: says that the database hello_bot belongs to "other", but the database of a bot belongs to the role of the same name: it is not a valid backup of this host; nothing was changed`,
  )
  assert.equal([table.said, owner.said], [[], []])
})

test.run()
