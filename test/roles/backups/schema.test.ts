// What an inventory may say of backups, and what becomes of it on the host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { backups } from '../../../roles/backups/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { recipient } from '../../support/operator.ts'
import { changesOf, contentOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const is = (vars: object) => v.is(backups.vars, { recipients: [recipient], ...vars })
const resources = (vars: object) =>
  backups.resources(v.parse(backups.vars, { recipients: [recipient], ...vars }), facts, entry)

for (const [good, bad] of [
  [{ keep: { daily: 1, weekly: 1, monthly: 1 } }, { keep: { daily: 0 } }],
  [{ keep: { daily: 1000 } }, { keep: { daily: 1001 } }],
  [{ keep: { weekly: 1000 } }, { keep: { weekly: 1001 } }],
  [{ keep: { monthly: 1000 } }, { keep: { monthly: 1001 } }],
  [{ keep: {} }, { keep: { yearly: 1 } }],
  [{ minFree: 90 }, { minFree: 91 }],
  [{ minFree: 1 }, { minFree: 1.5 }],
  [{ timeLimit: 86_400 }, { timeLimit: 86_401 }],
  [{ alert: { command: 'mail ops' } }, { alert: { command: 'mail\nops' } }],
  [{ alert: { url: 'https://a.example/x?y=1' } }, { alert: { url: 'ftp://a.example' } }],
  [{ alert: { url: 'http://a.example' } }, { alert: { url: 'see http://a.example' } }],
  [{ alert: {} }, { alert: { url: 'http://a.example/"' } }],
  [{ local: '/copies' }, { local: '' }],
  [{ schedule: '@daily' }, { schedule: 'daily' }],
  [{ offsite: { restic: 'sftp:a:/r', passwordFile: '/p', passwordCommand: 'pass r' } }, { offsite: {} }],
  [{ offsite: { restic: 'r' } }, { offsite: { restic: 'r\n' } }],
  [{}, { signer: `SHA256:${'a'.repeat(44)}` }],
  [{ signer: `SHA256:${'a'.repeat(43)}` }, { unknown: 1 }],
] as const)
  test(`backups may be ${JSON.stringify(good)}, and not ${JSON.stringify(bad)}`, () => {
    assert.ok(is(good))
    assert.not.ok(is(bad))
  })

test('what is kept is usual where it is left out, and what is said reaches the host', () => {
  const settings = (vars: object) => contentOf(resources(vars), '/settings').split('\n').slice(1)
  const usual = ["alert_command=''", "alert_url=''"]
  assert.equal(settings({ keep: {} }), [
    'host=vps1',
    'daily=7 weekly=5 monthly=6',
    'min_free=15 limit=7200',
    ...usual,
    '',
  ])
  const all = { keep: { daily: 2, weekly: 3, monthly: 4 }, minFree: 5, timeLimit: 6 }
  assert.equal(settings(all), ['host=vps1', 'daily=2 weekly=3 monthly=4', 'min_free=5 limit=6', ...usual, ''])
  const cron = contentOf(resources({ schedule: '5 4 * * *' }), '/botgarden-backups')
  assert.match(cron, '\n5 4 * * * root /opt/botgarden/backups/backup 2>&1 | logger -t botgarden-backup\n')
  assert.equal(resources({ alert: { url: 'http://a.example' } }).filter(({ id }) => id === 'package:curl').length, 1)
  assert.equal(resources({}).filter(({ id }) => id === 'package:curl').length, 0)
})

test('the key that signs backups is made on the host, and its public half is kept nowhere', async () => {
  const host = scratchHost()
  const path = '/etc/botgarden/secrets/backup-signing-key'
  host.folder('/etc/botgarden/secrets')
  const [change] = changesOf(
    resources({}).filter(({ id }) => id === `secret:${path}`),
    {},
  )
  assert.ok(change)
  const { code, output } = await host.run(change.script)
  assert.is(code, 0, output)
  assert.equal([host.list('/etc/botgarden/secrets'), host.mode(path)], [['backup-signing-key'], '400'])
  const { stdout } = await host.run(`ssh-keygen -lf ${path}`)
  assert.match(stdout, /^256 SHA256:\S+ botgarden-backup \(ED25519\)$/m)
})

test('what is a program or a list of keys is tried on the host before it takes its place', async () => {
  const host = scratchHost({ age: 'for last; do :; done; ! grep -q 1wrong "$last"' })
  const tools = { 'program:age': true, 'program:sh': true }
  const tried = changesOf(resources({}), tools).flatMap(({ validation }) => validation ?? [])
  assert.is(tried.length, 3)
  for (const { text } of tried) {
    const { code, output } = await host.run(`dir=$(mktemp -d)\n${text}`)
    assert.is(code, 0, output)
    const spoilt = text.replace(/printf %s \S+/, `printf %s ${Buffer.from('if 1wrong').toString('base64')}`)
    assert.is.not((await host.run(`dir=$(mktemp -d)\n${spoilt}`)).code, 0)
  }
})

test.run()
