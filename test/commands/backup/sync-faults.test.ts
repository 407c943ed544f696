// What backup.ts says of a host whose backups it cannot follow, and what it leaves as it is then.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backUp } from '../../../commands/backup/take.ts'
import { database, fingerprint, knownSigner } from '../../support/copies.ts'
import { at, home, key, type Operator, operator, otherKey, outcome, store } from '../../support/operator.ts'
import { withPrograms } from '../../support/scratch-host.ts'

at('2026-11-25T12:00:00Z', test)
const [own, other] = [await fingerprint(key), await fingerprint(otherKey)]
const keep = { daily: 1, weekly: 1, monthly: 1 }
const run = (ops: Operator, flags: Record<string, string> = {}) => outcome(() => backUp(ops.session(flags)))
const signs = (ops: Operator, file: string) =>
  ops.host.write('/etc/botgarden/secrets/backup-signing-key', readFileSync(file, 'utf8'), 0o600)
const name = '2026-11-25T031700Z'
const old = '2026-11-10T031700Z'

/** One whose host has `name`, who has another copy that has no place any more beside it. */
async function withOld(settings = {}): Promise<Operator> {
  const ops = await operator([name], { keep, ...settings })
  await ops.here('2026-11-24T031700Z')
  await ops.here(old)
  await ops.takes(undefined, { lastGood: name })
  return ops
}

test('without a fault the old copy goes', async () => {
  const { code, vps1 } = await run(await withOld())
  assert.equal([code, vps1.taken, vps1.bytes, vps1.removed], [0, name, 4096, [old]])
})

test('each backup that cannot be followed is told and not kept; the others are fetched, and nothing goes', async () => {
  const ops = await withOld()
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  const of = (second: number) => `2026-11-25T03160${second}Z`
  const [cut, unreadable, empty, bare, unsigned, good] = [of(5), of(4), of(3), of(2), of(1), of(0)] as const
  rmSync(ops.on(`${store}/${name}`), { recursive: true })
  for (const each of [cut, unreadable, empty, bare, unsigned, good]) await ops.there(each)
  const on = (each: string, file: string) => ops.on(`${store}/${each}/${file}`)
  writeFileSync(on(cut, 'globals.sql.age'), 'x')
  rmSync(on(unreadable, 'files.tar.age'))
  writeFileSync(on(empty, 'manifest.json'), '{}')
  rmSync(on(bare, 'manifest.json'))
  rmSync(on(unsigned, 'SHA256SUMS.sig'))
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.status, vps1.pulled, vps1.removed], [3, 'failed', [good], []])
  const [first = '', second, third = '', ...more] = vps1.faults as string[]
  assert.match(first, `${cut}: the downloaded copy is damaged: globals.sql.age: has 1 bytes instead of `)
  assert.is(second, `${unreadable}/files.tar.age: cannot be read on the host`)
  assert.match(third, `${empty}: its manifest is invalid: `)
  const why = 'the signature was removed, or the copy is forged'
  assert.equal(more, [
    `${bare}: its manifest is invalid: is not valid JSON`,
    `${unsigned}: is not signed, although vps1 signs its backups since 2026-11-01T000000Z with ${own}: ${why}`,
  ])
  assert.equal(
    ops.list().filter((each) => /^2026|^\.removed/.test(each)),
    [old, '2026-11-24T031700Z', good],
  )
})

test('what is spoilt on its host is not fetched twice, and a copy without a manifest takes no place', async () => {
  const ops = await withOld({ keep: { ...keep, daily: 2 } })
  ops.host.program('tail', `echo x >>"$STATE/tails"; exec /usr/bin/tail "$@"`)
  writeFileSync(ops.on(`${store}/${name}/globals.sql.age`), 'x')
  assert.is((await run(ops)).code, 3)
  assert.is(ops.host.noted('tails'), 'x\n'.repeat(6))
  rmSync(ops.on(`${store}/${name}`), { recursive: true })
  rmSync(join(ops.copies, '2026-11-24T031700Z'), { recursive: true })
  await ops.here(name)
  const broken = await ops.here('2026-11-10T050000Z')
  rmSync(join(broken, 'manifest.json'))
  await ops.takes(undefined)
  assert.equal((await run(ops)).vps1.removed, [])
})

test('a key that has changed is refused before anything is fetched, removed or kept', async () => {
  const ops = await withOld()
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  signs(ops, otherKey)
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.status, 'pulled' in vps1, ops.list().includes(old)], [3, 'failed', false, true])
  const [head, is, add, line] = String(vps1.faults).split('\n')
  assert.match(head ?? '', /^the key that signs the backups of vps1 has CHANGED: the host was reinstalled/)
  assert.is(is, `it is ${other}, and ${ops.copies}/allowed_signers has ${own}`)
  assert.match(add ?? '', /^if the host was reinstalled, add this line to that file/)
  assert.is(`${line}\n`, knownSigner(otherKey, '2026-11-25T120000Z'))
  assert.is(readFileSync(join(ops.copies, 'allowed_signers'), 'utf8'), knownSigner(key))
  // What is said to be done is what is to be done.
  writeFileSync(join(ops.copies, 'allowed_signers'), `${knownSigner(key)}${line}\n`)
  await ops.takes(undefined)
  assert.equal([(await run(ops)).vps1.signer, ops.list().includes(name)], [other, true])
})

test('the fingerprint of the inventory is followed at the first meeting, and a key by another one is not', async () => {
  const [good, bad] = [await withOld({ signer: own }), await withOld({ signer: other })]
  assert.equal((await run(good)).code, 0)
  const { code, vps1 } = await run(bad)
  assert.is(code, 3)
  assert.match(String(vps1.faults), /^the key that signs the backups of vps1 is ANOTHER than the inventory says: /)
  assert.not.ok(bad.list().includes('allowed_signers'))
})

test('backups that nobody signs are fetched with a warning, and nobody is kept as who signs', async () => {
  const ops = await operator([])
  rmSync(ops.on('/etc/botgarden/secrets/backup-signing-key'))
  const unsigned = { key: undefined }
  await ops.takes(name, {}, unsigned)
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.pulled, vps1.faults, 'signer' in vps1], [3, [name], [], false])
  assert.equal(vps1.warnings, ['its backups are not signed yet: run site.ts, which creates the signing key'])
  assert.equal(ops.list(), ['.lock', name])
  await ops.takes(undefined)
  const again = await run(ops)
  assert.equal([again.code, again.vps1.pulled, again.vps1.warnings], [0, [], []], 'nothing new, nothing to say')
})

test('one from the future is fetched, kept and named; a clock may be five minutes off', async () => {
  const ops = await operator(['2026-11-25T120501Z', '2026-11-25T120500Z'], { keep })
  ops.host.note('now', String(Date.parse('2026-11-25T12:05:00Z') / 1000))
  await ops.takes(undefined)
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.faults, vps1.pulled], [3, [], ['2026-11-25T120501Z', '2026-11-25T120500Z']])
  assert.equal(vps1.warnings, [`2026-11-25T120501Z: dated in the future by this machine's clock: kept`])
  assert.match(readFileSync(join(ops.copies, 'allowed_signers'), 'utf8'), / since 2026-11-25T120000Z\n$/)
})

for (const [now, said] of [
  ['2026-11-25T12:06:00Z', 'it is 6 min ahead'],
  ['2026-11-25T11:50:00Z', 'it is 10 min behind'],
] as const)
  test(`a clock that differs is a fault: ${said}, and nothing goes`, async () => {
    const ops = await withOld()
    ops.host.note('now', String(Date.parse(now) / 1000))
    const { code, vps1 } = await run(ops)
    assert.equal([code, vps1.pulled, vps1.removed], [3, [name], []])
    assert.equal(vps1.faults, [`its clock and this machine's differ: ${said}`])
    const line = readFileSync(join(ops.copies, 'allowed_signers'), 'utf8')
    assert.is(line, knownSigner(key, name), 'it signs since its oldest, which is before that')
  })

test('a run on the host that failed is a fault, what it has is fetched, and nothing goes', async () => {
  const ops = await withOld()
  await ops.takes(undefined, { result: 'failed', reason: 'the disk is too full', lastGood: null, warnings: ['odd'] })
  const { code, vps1 } = await run(ops)
  assert.equal(vps1, {
    ...{ status: 'failed', pulled: [name], removed: [], folder: ops.copies, copies: 3, signer: own },
    ...{ faults: ['no backup was taken: the disk is too full'], missing: [], warnings: ['odd'] },
  })
  assert.is(code, 3)
})

test('what is missing from a backup is told part by part, and the rest is kept', async () => {
  const alerted = join((await operator([])).copies, '../alerted')
  const ops = await withOld({ alert: { command: `cat >>${alerted}` } })
  const failed = [
    { kind: 'database', database: 'hello_bot', file: database.file, reason: 'locked' },
    { kind: 'globals', file: 'globals.sql.age', reason: 'gone' },
  ]
  await ops.takes(undefined, { result: 'incomplete', reason: 'x', failed, taken: { name, bytes: 77 }, lastGood: old })
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.status, vps1.taken, vps1.bytes, vps1.seconds], [3, 'failed', name, 77, 7])
  assert.equal([vps1.faults, vps1.removed], [[], [old]])
  const missing = [`hello_bot is not in ${name}: locked`, `globals is not in ${name}: gone`]
  assert.equal(vps1.missing, missing)
  const lines = ['botgarden: backup of vps1:', ...missing.map((each) => `vps1  FAILED: ${each}`)]
  assert.is(readFileSync(alerted, 'utf8'), `${lines.join('\n')}\n`)
})

for (const [what, spoil] of [
  ['does not begin', (ops: Operator) => ops.host.program('systemd-run', 'echo "Unit is masked"; exit 1')],
  ['leaves the status of another run', (ops: Operator) => ops.host.install(`${home}/backup`, 'exit 0')],
  ['ends well and says that it has not', (ops: Operator) => ops.host.note('code', '0')],
  ['fails and says that it has not', (ops: Operator) => ops.host.note('code', '1')],
] as const)
  test(`a backup that ${what} is none`, async () => {
    const ops = await withOld()
    if (what.startsWith('ends')) await ops.takes(undefined, { result: 'failed', reason: 'x' })
    ops.host.write(`${home}/status.json`, '{}')
    spoil(ops)
    const { code, vps1 } = await run(ops)
    assert.equal([code, 'pulled' in vps1], [3, false])
    assert.match(String(vps1.faults), /^the backup could not be started: [\s\S]*; see journalctl -n 50 on the host$/)
  })

test('a host that speaks of its backups in no way that is known is told so, in a line that ends', async () => {
  const ops = await withOld()
  ops.host.program('jq', `echo '${'x'.repeat(300)}'`)
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.faults], [3, [`its list of backups cannot be parsed: ${'x'.repeat(200)}`]])
})

test('one bot alone is asked for where it is, and any database where there is one host', async () => {
  const ops = await operator([])
  await ops.takes(`${name}-hello_bot`, {}, { parts: [database], manifest: { only: 'hello_bot' } })
  const elsewhere = { ...ops.entry, name: 'vps2', bots: [], vars: { backups: { recipients: ['x'], local: '/none' } } }
  const session = ops.session({ name: 'hello-bot' }, [elsewhere, ops.entry])
  const { code, vps1 } = await outcome(() => backUp(session))
  assert.equal([code, vps1.taken, vps1.pulled], [0, `${name}-hello_bot`, [`${name}-hello_bot`]])
  assert.equal(
    [ops.host.noted('asked'), ops.said[0]],
    ['--wait --only hello_bot\n', 'vps1  ▸ taking a backup of hello-bot'],
  )
  assert.ok(ops.host.there(`${home}/status-hello_bot.json`))
  const refused = async (flags: Record<string, string>, hosts: readonly (typeof ops.entry)[], said: string) =>
    assert.is(await backUp(ops.session(flags, hosts)).catch(({ message }: Error) => message), said)
  const unknown =
    '--name other: no host of the inventory has that bot; for another database select its host with --limit'
  await refused({ name: 'other' }, [elsewhere, ops.entry], unknown)
  const bare = { ...ops.entry, vars: { backups: {} } }
  const why = /^hosts\.vps1: backups\.recipients: missing: .*\nhosts\.vps2: backups\.recipients: missing: /
  const both = await backUp(ops.session({}, [bare, { ...bare, name: 'vps2' }])).catch(({ message }: Error) => message)
  assert.match(String(both), why)
  await ops.takes(`${name}-reports`, {}, { parts: [database], manifest: { only: 'hello_bot' } })
  await run(ops, { name: 'reports' })
  assert.match(ops.host.noted('asked'), /--only reports\n$/)
})

test('who is to be alerted is told of what is wrong; copies are pushed where nothing is', async () => {
  const file = join((await operator([])).copies, '../alerted')
  const ops = await withOld({ alert: { command: `cat >>${file}` }, offsite: { restic: 'r' } })
  ops.host.program('restic', `echo pushed >>"$STATE/pushed"`)
  await ops.takes(undefined, { warnings: ['half as big'] })
  const there = () => withPrograms(ops.host, () => run(ops))
  const { code, vps1 } = await there()
  assert.equal([code, vps1.faults, vps1.warnings, ops.host.noted('pushed')], [3, [], ['half as big'], 'pushed\n'])
  assert.is(readFileSync(file, 'utf8'), 'botgarden: backup of vps1:\nvps1  suspicious: half as big\n')
  await ops.takes(undefined, { result: 'failed', reason: 'x' })
  assert.is((await there()).code, 3)
  assert.is(ops.host.noted('pushed'), 'pushed\n')
})

test('what this machine refuses is a fault of the host it was for', async () => {
  const ops = await withOld()
  writeFileSync(join(ops.copies, `.incoming-${name}`), 'a file')
  const { code, vps1 } = await run(ops)
  assert.equal([code, vps1.status], [3, 'failed'])
  assert.match(String(vps1.faults), /^this machine: EEXIST: file already exists, mkdir /)
})

test.run()
