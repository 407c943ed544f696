// What restore.ts chooses, opens and brings to the host: of copies that are really signed and encrypted.
import { createHash } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restore } from '../../../commands/restore/index.ts'
import { hasBackups } from '../../../commands/restore/select-backup.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { database, knownSigner, scratchFolder, whole } from '../../support/copies.ts'
import { rejects } from '../../support/errors.ts'
import { tar, writeCopy } from '../../support/hostile/marks.ts'
import {
  at,
  identity,
  key,
  keys,
  type Operator,
  operator,
  otherKey,
  parts,
  plain,
  recipient,
} from '../../support/operator.ts'
import { planOf } from '../../support/plan-of.ts'
import { withPrograms } from '../../support/scratch-host.ts'

at('2026-11-25T12:00:00Z', test)
const file = join(keys, 'identity.txt')
writeFileSync(file, `${identity}\n`)
const incoming = '/var/lib/botgarden/incoming'
const dumpOf = (name: string) => `${incoming}/${createHash('sha256').update(name).digest('hex').slice(0, 16)}.dump`
const others = { core: [], bots: async () => async () => 0 }
const run = (
  ops: Operator,
  flags: Record<string, string>,
  session: Session = ops.session({ identity: file, ...flags }),
) => restore(session, others)
/** The changes that would be made, once what was brought lies there. */
const changes = (ops: Operator, name = 'hello_bot') =>
  planOf(ops.wanted, { [`file:${dumpOf(name)}`]: { type: 'file' } })

async function withCopies(names: readonly string[], settings = {}): Promise<Operator> {
  const ops = await operator([], settings)
  for (const name of names) await ops.here(name)
  if (names.length > 0) writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  return ops
}
const [older, newer] = ['2026-11-24T031700Z', '2026-11-25T031700Z']

test('a bot’s database is brought from the newest copy, opened, and takes the place of the one that is there', async () => {
  const ops = await withCopies([older, newer])
  assert.is(await run(ops, { name: 'hello-bot', yes: '' }), 0)
  assert.is(ops.host.read(dumpOf('hello_bot')), plain[database.file])
  assert.is(ops.host.mode(incoming), '700')
  assert.equal(ops.said, ['held', 'vps1  ▸ hello_bot: 4 kB of 4 kB'])
  assert.equal(changes(ops), [`restore:hello_bot: restored from ${newer}: 2 tables, 2 rows`])
  assert.equal(planOf(ops.wanted, {}), [], 'what was taken in is not taken in again')
  const [sweep, { wants } = { wants: '' }] = ops.wanted
  assert.equal(sweep?.wants, { except: [dumpOf('hello_bot')] })
  assert.is(
    wants,
    createHash('sha256')
      .update(plain[database.file] ?? '')
      .digest('hex'),
  )
})

test('before one is replaced the operator is asked, beside it and for a trial not', async () => {
  const ops = await withCopies([newer])
  const what = `replace the database hello_bot of vps1 (/ops/production.yaml) with the backup ${newer}`
  await rejects(run(ops, { name: 'hello-bot' }), `${what}: there is no terminal to ask on; --yes says yes`)
  assert.equal([ops.wanted, ops.host.list(incoming)], [[], []])
  assert.is(await run(ops, { name: 'hello-bot', as: 'hello_old' }), 0)
  assert.equal(changes(ops), [`restore:hello_old: restored from ${newer}: 2 tables, 2 rows`])
  ops.wanted.length = 0
  assert.is(await run(ops, { drill: '' }), 0)
  assert.equal(changes(ops), [`drill:hello_bot: tried from ${newer}: 2 tables, 2 rows`])
})

for (const [when, taken] of [
  ['2026-11-24', older],
  ['2026-11-24T03:17:00Z', older],
  ['2026-11-25T03:16:59Z', older],
  ['2026-11-25', newer],
] as const)
  test(`--at ${when} means the newest until then`, async () => {
    const ops = await withCopies([older, newer])
    await rejects(
      run(ops, { name: 'hello-bot', at: when }),
      new RegExp(` with the backup ${taken}: there is no terminal`),
    )
  })

test('what no copy has, or none until then, is said with where was looked', async () => {
  const ops = await withCopies([newer])
  const yes = { yes: '' }
  await rejects(
    run(ops, { name: 'other', ...yes }),
    `${ops.copies}: no backup with the database other of vps1; take one with backup.ts`,
  )
  const then = { drill: '', at: '2026-11-24' }
  await rejects(run(ops, then), `${ops.copies}: no backup of vps1 before that time; take one with backup.ts`)
  const none = await withCopies([])
  await rejects(run(none, { drill: '' }), `${none.copies}: no backup of vps1; take one with backup.ts`)
})

test('a copy of one database is for that one and for a drill, and never for another one or a whole host', async () => {
  const ops = await withCopies([older])
  const single = { parts: parts.slice(0, 1), manifest: { only: 'hello_bot' } }
  await ops.here('2026-11-25T110000Z-hello_bot', single)
  await run(ops, { drill: '' })
  assert.match(changes(ops)[0] ?? '', 'tried from 2026-11-25T110000Z-hello_bot:')
  // Not even looked at.
  await ops.here('2026-11-25T110001Z-reports', { parts: [], key: otherKey })
  await rejects(run(ops, { name: 'hello-bot' }), /with the backup 2026-11-25T110000Z-hello_bot: there is no terminal/)
  const host = `rebuild vps1 (/ops/production.yaml) from the backup ${older}: there is no terminal to ask on; --yes says yes`
  await rejects(run(ops, { host: 'vps1' }), host)
})

test('one that lacks a database is passed over for it; one without files is passed over for a whole host', async () => {
  const ops = await withCopies([older])
  const lacks = (kind: 'database' | 'files', more: object) => ({
    parts: whole.filter((part) => part.kind !== kind),
    manifest: { format: 2, failed: [{ kind, reason: 'x', ...more }] },
  })
  await ops.here('2026-11-25T010000Z', lacks('files', { file: 'files.tar.age' }))
  await rejects(run(ops, { host: 'vps1' }), new RegExp(`from the backup ${older}: there is no terminal`))
  assert.equal(ops.said, ['vps1  ▸ 2026-11-25T010000Z lacks files: an older backup is used'])
  await ops.here('2026-11-25T020000Z', lacks('database', { database: 'hello_bot', file: database.file }))
  ops.said.length = 0
  await rejects(run(ops, { name: 'hello-bot' }), /with the backup 2026-11-25T010000Z: there is no terminal/)
  assert.equal(ops.said, [])
  await run(ops, { drill: '' })
  assert.equal(ops.said, ['vps1  ▸ 2026-11-25T020000Z lacks hello_bot', 'held'])
})

test('a bot’s data and its database come from one backup, and its data alone where it has no database', async () => {
  const ops = await withCopies([older])
  const archive = await tar([{ name: 'app=data/', type: 'directory' }])
  const copy = { host: 'vps1', recipient, key, data: [{ bot: 'hello-bot', archive }] }
  const hello = { database: 'hello_bot', owner: 'hello_bot', tables: {}, dump: Buffer.from('x') }
  await writeCopy(dirname(ops.copies), { ...copy, time: Date.parse('2026-11-25T03:00:00Z'), databases: [hello] })
  const both =
    /^replace the database hello_bot and the data of hello-bot of vps1 .* with the backup 2026-11-25T030000Z: /
  await rejects(run(ops, { name: 'hello-bot' }), both)
  assert.is(await run(ops, { name: 'hello-bot', yes: '' }), 0)
  const ids = () => ops.wanted.splice(0).map(({ id }) => id)
  assert.equal(ids(), ['leftovers:restore', 'restore-data:hello-bot', 'restore:hello_bot'])
  // Beside the database that is there nothing else changes.
  await run(ops, { name: 'hello-bot', as: 'hello_old' })
  assert.equal(ids(), ['leftovers:restore', 'restore:hello_old'])
  await run(ops, { drill: '' })
  assert.equal(ids(), ['leftovers:restore', 'drill-data:hello-bot', 'drill:hello_bot'])
  await writeCopy(dirname(ops.copies), {
    ...copy,
    only: 'hello_bot',
    time: Date.parse('2026-11-25T04:00:00Z'),
    databases: [],
  })
  await run(ops, { name: 'hello-bot', yes: '' })
  assert.equal(ids(), ['leftovers:restore', 'restore-data:hello-bot'])
  // One that lacks a part of the bot is passed over for it.
  const failed = [{ kind: 'data', bot: 'hello-bot', file: 'data-hello-bot.tar.age', reason: 'locked' }]
  await ops.here('2026-11-25T050000Z', { manifest: { format: 2, failed } })
  await rejects(run(ops, { name: 'hello-bot' }), /with the backup 2026-11-25T040000Z-hello_bot: /)
})

test('a database that the newest lacks is not taken from a copy that is spoilt', async () => {
  const ops = await withCopies([older])
  const failed = [{ kind: 'database', database: 'hello_bot', file: database.file, reason: 'x' }]
  await ops.here(newer, { parts: whole.slice(1), manifest: { format: 2, failed } })
  writeFileSync(join(ops.copies, older, database.file), 'x')
  const said = new RegExp(
    `${older}: database-hello_bot\\.dump\\.age: has 1 bytes instead of \\d+\\nselect an older one with --at$`,
  )
  await rejects(run(ops, { host: 'vps1', yes: '' }), said)
})

test('copies of all of a host are what a new one is asked about', async () => {
  const ops = await withCopies([])
  assert.not(hasBackups(ops.entry))
  await ops.here(`${older}-hello_bot`, { parts: parts.slice(0, 1), manifest: { only: 'hello_bot' } })
  assert.not(hasBackups(ops.entry))
  await ops.here(older)
  assert.ok(hasBackups(ops.entry))
})

test('what its host has is fetched first, and nothing is restored where that fails', async () => {
  const ops = await withCopies([older])
  await ops.there(newer)
  await run(ops, { drill: '', from: 'host' })
  assert.match(changes(ops)[0] ?? '', `tried from ${newer}:`)
  assert.equal(ops.said.slice(0, 2), [`vps1  ▸ downloading ${newer}`, `vps1  ✓ ${newer}: 6 kB`])
  await ops.there('2026-11-25T040000Z', { key: otherKey })
  await ops.there('2026-11-25T050000Z', { key: otherKey })
  ops.wanted.length = 0
  await rejects(
    run(ops, { drill: '', from: 'host' }),
    /^2026-11-25T050000Z: the downloaded copy is damaged: the key [\s\S]*\n2026-11-25T040000Z: the downloaded [\s\S]*\nto use the copies on this machine, leave out --from host$/,
  )
  assert.equal(ops.wanted, [])
  await rejects(run(ops, { host: 'vps1', from: 'host' }), '--from host: a bare host has no backups: use copy or restic')
})

test('what was pushed is fetched from restic into a folder that is gone in the end', async () => {
  const ops = await withCopies([older], { offsite: { restic: 'r' } })
  await ops.there(newer)
  ops.host.program(
    'restic',
    `case $1 in
    snapshots) echo '[{"id":"1a","time":"2026-11-25T03:17:00Z","paths":["/c/vps1"]}]' ;;
    *) for to; do :; done; echo "$to" >"$STATE/to"; mkdir -p "$to/c/vps1"; cp -R ${ops.on(`/var/lib/botgarden/backups/${newer}`)} "$to/c/vps1" ;;
    esac`,
  )
  await withPrograms(ops.host, () => run(ops, { drill: '', from: 'restic' }))
  assert.match(changes(ops)[0] ?? '', `tried from ${newer}:`)
  assert.equal(ops.said[0], 'vps1  ▸ downloading its copies with restic')
  const to = ops.host.noted('to').trim()
  assert.match(to, /botgarden-restore-\w+\/vps1\.whole$/)
  assert.throws(() => rmSync(join(to, '..')), /ENOENT/)
  const without = await withCopies([older])
  await rejects(run(without, { drill: '', from: 'restic' }), '--from restic: hosts.vps1 has no backups.offsite')
})

test('what cannot be opened to its end is not left on the host', async () => {
  const ops = await withCopies([newer])
  const wrong = join(scratchFolder(), 'identity.txt')
  writeFileSync(wrong, `${await generateX25519Identity()}\n`)
  const none =
    /^database-hello_bot\.dump\.age: none of these identities can decrypt it: it was encrypted for another key$/
  await rejects(run(ops, { drill: '', identity: wrong }), none)
  assert.equal(ops.host.list(incoming), [])
  const spoilt = await withCopies([])
  await spoilt.here(newer, { parts: whole.map((part) => ({ ...part, size: 3004, sha256: 'a'.repeat(64) })) })
  writeFileSync(join(spoilt.copies, 'allowed_signers'), knownSigner(key))
  await rejects(
    run(spoilt, { drill: '' }),
    'database-hello_bot.dump.age: its decrypted content does not match the manifest',
  )
  assert.equal(spoilt.host.list(incoming), [])
})

for (const [flags, said] of [
  [{ name: 'template1' }, '--name template1: a database of that name cannot be restored'],
  [{ name: 'a/b' }, '--name a/b: a database of that name cannot be restored'],
  [{ name: 'hello-bot', as: 'pg_x' }, `--as pg_x: should be a name of a-z, 0-9 and _ that the server does not reserve`],
  [
    { name: 'x', as: 'hello_bot' },
    '--as hello_bot: that is the database of the bot hello-bot: restore it with --name hello-bot',
  ],
  [{ host: 'vps3' }, '--host: unknown host "vps3" (did you mean "vps1"?): /ops/production.yaml has vps1, vps2'],
  [
    { name: 'helo-bot' },
    '--name helo-bot: no host has that bot (did you mean "hello-bot"?); for another database select its host with --limit',
  ],
] as const)
  test(`refuses ${Object.entries(flags).flat().join(' ')}`, async () => {
    const ops = await operator([])
    const session = ops.session({ identity: file, ...flags }, [ops.entry, { ...ops.entry, name: 'vps2', bots: [] }])
    const hosts = 'name' in flags && !said.includes('no host') ? [ops.entry] : session.hosts
    await rejects(run(ops, {}, { ...session, hosts }), said)
  })

test.run()
