// What backup.ts does on the operator's machine: backups are taken on the host, fetched, verified, and kept as the rule says.
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import timers from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backUp } from '../../../commands/backup/take.ts'
import { decryptPart } from '../../../commands/restore/decrypt.ts'
import { withLock } from '../../../lib/std/file-lock.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { parseManifest } from '../../../roles/backups/manifest.ts'
import { fingerprint, knownSigner } from '../../support/copies.ts'
import {
  at,
  bytesOf,
  home,
  identity,
  key,
  type Operator,
  operator,
  outcome,
  plain,
  store,
} from '../../support/operator.ts'

at('2026-11-25T12:00:00Z', test)
// What would be waited for, in milliseconds.
const waits: unknown[] = []
const realPause = timers.setTimeout
const pausesBy = (pause: typeof realPause) => {
  timers.setTimeout = pause
  syncBuiltinESMExports()
}
test.before(() => pausesBy((async (wait: number) => void waits.push(wait)) as typeof realPause))
test.after(() => pausesBy(realPause))

const own = await fingerprint(key)
const keep = { daily: 1, weekly: 1, monthly: 1 }
const run = (ops: Operator, flags: Record<string, string> = {}) => outcome(() => backUp(ops.session(flags)))
const small = (bytes: number) => `${Math.ceil(bytes / 1000)} kB`

// One operator, from the first day on.
let ops: Operator
let copies: string
test.before(async () => {
  ops = await operator(['2026-11-20T031700Z', '2026-11-24T031700Z'], { keep })
  copies = ops.copies
})

test('the first fetch brings all that would be kept, the newest first, and keeps who signs it', async () => {
  await ops.there('2026-11-24T020000Z')
  await ops.there('2026-11-19T031700Z')
  await ops.takes('2026-11-25T115500Z')
  const { code, vps1 } = await run(ops)
  assert.equal(vps1, {
    ...{ status: 'ok', taken: '2026-11-25T115500Z', bytes: 4096, seconds: 7 },
    // Not those of days that have no place any more.
    pulled: ['2026-11-25T115500Z', '2026-11-24T031700Z', '2026-11-24T020000Z'],
    ...{ removed: [], folder: copies, copies: 3, signer: own, faults: [], missing: [], warnings: [] },
  })
  assert.is(code, 0)
  const bytes = small(bytesOf(ops.on(`${store}/2026-11-24T031700Z`)))
  assert.equal(ops.said, [
    'vps1  ▸ taking a backup',
    `vps1  signs its backups with ${own}: saved in ${copies}/allowed_signers`,
    ...['2026-11-25T115500Z', '2026-11-24T031700Z', '2026-11-24T020000Z'].flatMap((name) => [
      `vps1  ▸ downloading ${name}`,
      `vps1  ✓ ${name}: ${bytes}`,
    ]),
  ])
  assert.is(ops.host.noted('asked'), '--wait\n')
  // Since the oldest that it has signed, be that here or not.
  assert.is(readFileSync(join(copies, 'allowed_signers'), 'utf8'), knownSigner(key, '2026-11-19T031700Z'))
})

test('a copy is what the host has, for its owner alone, and the operator’s key opens it', async () => {
  const folder = join(copies, '2026-11-25T115500Z')
  assert.is(statSync(folder).mode & 0o777, 0o700)
  const files = ['SHA256SUMS', 'SHA256SUMS.sig', ...Object.keys(plain), 'manifest.json'].sort()
  for (const file of files) {
    assert.equal(readFileSync(join(folder, file)), readFileSync(ops.on(`${store}/2026-11-25T115500Z/${file}`)))
    assert.is(statSync(join(folder, file)).mode & 0o777, 0o600)
  }
  const { parts } = parseManifest(readFileSync(join(folder, 'manifest.json'), 'utf8'))
  for (const part of parts) {
    const chunks = []
    for await (const chunk of decryptPart(folder, part, [new Secret(identity)])) chunks.push(chunk)
    assert.is(Buffer.concat(chunks).toString(), plain[part.file])
  }
  assert.equal(ops.list(), [
    '.lock',
    '2026-11-24T020000Z',
    '2026-11-24T031700Z',
    '2026-11-25T115500Z',
    'allowed_signers',
  ])
})

test('what has no place any more goes, and what earlier runs have left beside the copies', async () => {
  ops.said.length = 0
  for (const left of ['.incoming-2026-11-01T031700Z', '.removed-2026-11-02T031700Z', '.kept', 'notes'])
    mkdirSync(join(copies, left, 'x'), { recursive: true })
  await ops.here('2026-11-10T031700Z')
  await ops.takes('2026-11-25T120000Z')
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.pulled, vps1.removed, vps1.copies], [0, ['2026-11-25T120000Z'], ['2026-11-10T031700Z'], 4])
  assert.equal(
    ops.list().filter((name) => !name.startsWith('2026-')),
    ['.kept', '.lock', 'allowed_signers', 'notes'],
  )
  assert.not.ok(ops.said.some((line) => line.includes('signs its backups')))
})

test('a connection that breaks is made again, nothing is taken twice, and the fetch goes on where it was', async () => {
  ops.said.length = 0
  await ops.takes('2026-11-25T120001Z')
  ops.host.note('asked', '')
  ops.cuts.push(1000, 1500)
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.pulled, vps1.faults], [0, ['2026-11-25T120001Z'], []])
  assert.equal([ops.host.noted('asked'), waits], ['--wait\n', [5000, 5000]])
  const bytes = bytesOf(join(copies, '2026-11-25T120001Z'))
  const again = ['vps1  vps1: the connection was lost; retrying in 5 s', 'vps1  ▸ downloading 2026-11-25T120001Z']
  assert.equal(ops.said, [
    'vps1  ▸ taking a backup',
    'vps1  ▸ downloading 2026-11-25T120001Z',
    ...[...again, ...again].map((line) => line.replace('vps1  vps1:', 'vps1:')),
    `vps1  ✓ 2026-11-25T120001Z: ${small(bytes - 2500)}, resumed after 3 kB`,
  ])
})

test('one that breaks three times ends the run, and the next run goes on where it was', async () => {
  await ops.takes('2026-11-25T120002Z')
  ops.cuts.push(1000, 0, 0)
  waits.length = 0
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.status, vps1.faults, waits.length], [4, 'unreachable', ['vps1: the connection was lost'], 2])
  assert.equal(vps1.taken, '2026-11-25T120002Z')
  ops.said.length = 0
  await ops.takes('2026-11-25T120003Z')
  const next = await run(ops)
  assert.equal(next.vps1.pulled, ['2026-11-25T120003Z', '2026-11-25T120002Z'])
  const left = small(bytesOf(join(copies, '2026-11-25T120002Z')) - 1000)
  assert.is(ops.said.at(-1), `vps1  ✓ 2026-11-25T120002Z: ${left}, resumed after 1 kB`)
})

test('one that breaks before a backup is taken is not made again', async () => {
  const lost = await operator([])
  lost.cuts.push('no route')
  waits.length = 0
  const { code, vps1 } = await run(lost)
  assert.equal([code, vps1.status, vps1.faults, waits], [4, 'unreachable', ['vps1: no route to host'], []])
})

test('what has come in of another file is fetched again, and what no backup has is not kept', async () => {
  const spoilt = await operator(['2026-11-25T031700Z'])
  const folder = join(spoilt.copies, '.incoming-2026-11-25T031700Z')
  mkdirSync(join(folder, 'x'), { recursive: true })
  writeFileSync(join(folder, 'database-hello_bot.dump.age.part'), 'another file')
  writeFileSync(join(folder, 'globals.sql.age.part'), 'longer than all'.repeat(100))
  writeFileSync(join(folder, 'SHA256SUMS'), 'of another time'.repeat(200))
  await spoilt.takes(undefined)
  const { code, vps1 } = await run(spoilt)
  assert.equal([code, vps1.pulled, vps1.faults], [0, ['2026-11-25T031700Z'], []])
  const there = spoilt.on(`${store}/2026-11-25T031700Z`)
  assert.is(bytesOf(join(spoilt.copies, '2026-11-25T031700Z')), bytesOf(there))
  // Twice all but those that were thought to be here.
  const twice = 2 * bytesOf(there) - 'another file'.length
  assert.is(spoilt.said.at(-1), `vps1  ✓ 2026-11-25T031700Z: ${small(twice)}, resumed after 5 kB`)
})

test('two runs do not fetch at once', async () => {
  const lock = join(copies, '.lock')
  const { code, vps1 } = await withLock(lock, 0, () => run(ops))
  assert.equal([code, vps1.faults], [3, [`this machine: another run holds ${lock}`]])
  assert.not.ok('taken' in vps1)
})

test('a host without the role is told what is missing', async () => {
  const bare = await operator([])
  rmSync(bare.on(`${home}/backup`))
  const { code, vps1 } = await run(bare)
  assert.equal([code, vps1.faults], [3, ['the role backups has not been applied to this host yet: run site.ts']])
})

test.run()
