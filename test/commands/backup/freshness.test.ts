// What backup.ts --status says: how old backups are there and here, what is wrong with the newest copy, and who signs.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { backup, backupFlags } from '../../../commands/backup/index.ts'
import { restoreFlags } from '../../../commands/restore/index.ts'
import type { Flag, Flags } from '../../../lib/cli/flags.ts'
import { parseOptions } from '../../../lib/cli/options.ts'
import { database, fingerprint, knownSigner, whole } from '../../support/copies.ts'
import { at, home, key, type Operator, operator, otherKey, outcome } from '../../support/operator.ts'
import { printed } from '../../support/printed.ts'

at('2026-11-25T12:00:00Z', test)
const own = await fingerprint(key)
const name = '2026-11-25T031700Z'
const look = (ops: Operator) => outcome(() => backup(ops.session({ status: '' })))
const lines = ['all: on the host 9 h old, here 9 h old', 'hello_bot: on the host 9 h old, here 9 h old']
/** The host and this machine have the same good one, and its last run went well. */
async function good(settings = {}): Promise<Operator> {
  const ops = await operator([name], settings)
  await ops.here(name)
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  lastRun(ops, {})
  return ops
}
function lastRun(ops: Operator, status: object): void {
  const well = { format: 1, result: 'ok', at: '2026-11-25T03:18:00Z', seconds: 9, reason: '', warnings: ['small'] }
  ops.host.write(`${home}/status.json`, JSON.stringify({ ...well, lastGood: name, bytes: 9, ...status }))
}

test('all is well: what is said is how old they are and who signs, and the warnings of a good run are not', async () => {
  const ops = await good()
  const { code, vps1 } = await look(ops)
  assert.equal([code, vps1], [0, { status: 'ok', signer: own, lines, faults: [], warnings: [] }])
  const session = ops.session({ status: '' })
  const text = await printed(() => backup({ ...session, options: { ...session.options, json: false } }))
  assert.equal(
    [text.stdout, text.stderr],
    [[...lines, `signed by ${own}`].map((line) => `vps1  ${line}\n`).join(''), ''],
  )
  assert.equal([ops.host.noted('asked'), ops.said], ['', []], 'none is taken')
})

for (const [status, faults, warnings] of [
  [{ result: 'failed', reason: 'no disk' }, ['the last run FAILED at 2026-11-25T03:18:00Z: no disk'], []],
  [
    { result: 'incomplete', reason: 'locked', taken: { name, bytes: 1 } },
    ['the last run FAILED in part at 2026-11-25T03:18:00Z: locked'],
    [],
  ],
  [
    { result: 'running', process: '0 0' },
    [
      'the last run FAILED at 2026-11-25T03:18:00Z: it was started then, and was killed or the host went down before it ended',
    ],
    [],
  ],
  [
    { format: 2 },
    [],
    [`${home}/status.json cannot be parsed: the result of the last run is unknown; the next run rewrites it`],
  ],
] as const)
  test(`a last run of ${JSON.stringify(status)} is told`, async () => {
    const ops = await good()
    lastRun(ops, status)
    const { code, vps1 } = await look(ops)
    assert.equal([vps1.faults, vps1.warnings, vps1.lines], [faults, warnings, lines])
    assert.is(code, faults.length > 0 ? 3 : 0)
  })

test('one that is under way is no fault', async () => {
  const ops = await good()
  // Its number and when it began, the first word of 22 and the last.
  ops.host.write('/proc/123/stat', `123 ${'0 '.repeat(20)}456 0\n`)
  lastRun(ops, { result: 'running', process: '123 456' })
  assert.equal((await look(ops)).vps1.faults, [])
})

test('what is too old is told of each database and each side, with the name of the last good one', async () => {
  const ops = await operator(['2026-11-24T100000Z'])
  await ops.here('2026-11-24T095959Z', { parts: whole.slice(1), manifest: { format: 2, failed: [lost] } })
  await ops.here('2026-11-22T100000Z')
  await ops.here('2026-11-25T110000Z-hello_bot', { parts: [database], manifest: { only: 'hello_bot' } })
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key))
  const { code, vps1 } = await look(ops)
  assert.equal(vps1.lines, [
    'all: on the host 26 h old, here 3 days old',
    'hello_bot: on the host 26 h old, here 60 min old',
  ])
  assert.equal([code, vps1.faults], [3, ['all: the last good backup here is 3 days old: 2026-11-22T100000Z']])
})

const lost = { kind: 'database', database: 'hello_bot', file: database.file, reason: 'locked' }

test('a host that is not reached is told, and how old the copies are as well', async () => {
  const ops = await good()
  ops.cuts.push('no route')
  const { code, vps1 } = await look(ops)
  assert.equal([code, vps1.status, vps1.faults], [4, 'unreachable', ['vps1: no route to host']])
  assert.equal([vps1.lines, 'signer' in vps1], [['all: here 9 h old', 'hello_bot: here 9 h old'], false])
  // What is wrong here is more than that.
  rmSync(join(ops.copies, name, 'globals.sql.age'))
  ops.cuts.push('no route')
  const spoilt = await look(ops)
  assert.equal([spoilt.code, spoilt.vps1.status], [3, 'failed'])
  assert.equal(spoilt.vps1.faults, ['vps1: no route to host', `${name} here: globals.sql.age: missing`])
})

test('without any copy there is no good one, and nobody signs', async () => {
  const ops = await operator([])
  rmSync(ops.on('/etc/botgarden/secrets/backup-signing-key'))
  const { code, vps1 } = await look(ops)
  assert.equal([code, vps1.lines, 'signer' in vps1], [3, ['all: on the host none, here none'], false])
  assert.equal(vps1.faults, ['all: there is no good backup on the host', 'all: there is no good backup here'])
  assert.equal(vps1.warnings, [], 'no run yet is no doubt')
})

test('another key than the known one is told, be it the host’s or the copy’s', async () => {
  const ops = await good()
  ops.host.write('/etc/botgarden/secrets/backup-signing-key', readFileSync(otherKey, 'utf8'), 0o600)
  const host = await look(ops)
  assert.is(host.code, 3)
  assert.match(String(host.vps1.faults), /^the key that signs the backups of vps1 has CHANGED: /)
  await ops.here(name, { key: otherKey })
  ops.host.write('/etc/botgarden/secrets/backup-signing-key', readFileSync(key, 'utf8'), 0o600)
  const copy = await look(ops)
  assert.is(copy.code, 3)
  assert.match(
    String(copy.vps1.faults),
    /^2026-11-25T031700Z here: the key that signs the backups of vps1 has CHANGED: /,
  )
  const first = await good()
  rmSync(join(first.copies, 'allowed_signers'))
  const unknown = 'no key that signs the backups of vps1 is known here: run backup.ts, which gets the key from the host'
  assert.equal((await look(first)).vps1.faults, [`${name} here: signed by ${own}, and ${unknown}`])
  assert.not.ok(first.list().includes('allowed_signers'))
})

test('a copy that nobody has signed is a fault since its host signs, and none of before', async () => {
  const ops = await good()
  rmSync(join(ops.copies, name, 'SHA256SUMS.sig'))
  const { code, vps1 } = await look(ops)
  assert.is(code, 3)
  assert.is(
    String(vps1.faults),
    `${name} here: is not signed, although vps1 signs its backups since 2026-11-01T000000Z with ${own}: the signature was removed, or the copy is forged`,
  )
  writeFileSync(join(ops.copies, 'allowed_signers'), knownSigner(key, '2026-11-25T031701Z'))
  assert.equal((await look(ops)).code, 0)
})

test('who is to be alerted is told', async () => {
  const file = join((await operator([])).copies, '../alerted')
  const ops = await good({ alert: { command: `cat >>${file}` } })
  lastRun(ops, { result: 'failed', reason: 'x' })
  await look(ops)
  assert.is(
    readFileSync(file, 'utf8'),
    'botgarden: backup of vps1:\nvps1  FAILED: the last run FAILED at 2026-11-25T03:18:00Z: x\n',
  )
  const bare = { ...ops.entry, vars: { backups: {} } }
  const none = await Promise.resolve(backup(ops.session({ status: '' }, [bare]))).catch(({ message }: Error) => message)
  assert.match(String(none), /^hosts\.vps1: backups\.recipients: missing: /)
})

test('what backup.ts and restore.ts are told on the command line', () => {
  const given = (flags: Flags, ...args: string[]) => [...parseOptions(['-i', 'x', ...args], {}, 'x', flags).own]
  const backupArgs = ['--name', 'a', '--quiet', '--status', '--install-cron', '1 2 * * *', '--remove-cron']
  assert.equal(given(backupFlags, ...backupArgs), [
    ...[
      ['name', ['a']],
      ['quiet', ['']],
      ['status', ['']],
    ],
    ...[
      ['install-cron', ['1 2 * * *']],
      ['remove-cron', ['']],
    ],
  ])
  const words = ['name', 'as', 'at', 'from', 'identity', 'host']
  const restoreArgs = [...words.flatMap((word) => [`--${word}`, 'x']), '--drill', '--unsigned', '--yes']
  assert.equal(given(restoreFlags, ...restoreArgs), [
    ...words.map((word) => [word, ['x']]),
    ...['drill', 'unsigned', 'yes'].map((word) => [word, ['']]),
  ])
  for (const flag of Object.values<Flag>({ ...backupFlags, ...restoreFlags })) assert.ok(flag.help.length > 10)
})

test.run()
