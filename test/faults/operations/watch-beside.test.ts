// Needs a bare VPS of its own: `guarded`, the sandbox's Telegram, and an image of PostgreSQL 17. While an operator works on a watched host,
// its admin is told of nothing that is meant.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { generateIdentity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf, run } from '../../support/runner.ts'
import { adminChat } from '../../support/vps/admin-chat.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'guarded'
const domain = `${host}.sandbox`
const { bots, tokens, hello, inside, beginWith, telegram, called, inventory, deploy, answer } = botHost(host, [
  'hello-bot',
  'admin-bot',
])
const admin = adminChat(telegram, called('admin-bot'))
const chat = admin.texts
const folder = mkdtempSync(join(tmpdir(), 'botgarden-test-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const key = join(folder, 'key.txt')
const identity = await generateIdentity()
writeFileSync(key, `${identity}\n`, { mode: 0o600 })

const watch = { chat: admin.id, token: { env: 'ADMIN_BOT_TOKEN' }, thresholds: { disk: 100, clockSeconds: 20 } }
const backups = { recipients: [await identityToRecipient(identity)] }
const seventeen = { postgres: { image: 'postgres:17.6' } }
Object.assign(bots['hello-bot'] ?? {}, {
  jobs: { tick: { schedule: '0 5 1 1 *', command: ['node', '-e', 'setTimeout(() => {}, 3000)'] } },
})
const file = (more: object = {}) => inventory({}, { domain, backups, watch, ...more })
const play = (name: string, args: string[], more?: object) =>
  run([`playbooks/${name}.ts`, '-i', file(more), ...args], tokens)
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const runs = async () => Number(await inside('cat /run/count 2>/dev/null || echo 0'))

/** Has the host looked after all the time that something is done to it, and returns what was told of it. */
async function toldDuring(act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = (await chat()).length
  await inside(
    "touch /run/looks; echo 0 >/run/count; systemd-run --quiet --collect --unit=looks sh -c 'while [ -e /run/looks ]; do systemctl start botgarden-watch; echo $(($(cat /run/count) + 1)) >/run/count; sleep 2; done'",
  )
  await act().finally(() => inside('rm -f /run/looks; while systemctl is-active --quiet looks; do sleep 0.2; done'))
  assert.ok((await runs()) > 0)
  await inside('systemctl start botgarden-watch')
  return (await chat()).slice(before)
}

test.before(() => beginWith({ standIns: ['postgres17'], file: inventory({}, { domain, backups, ...seventeen }) }))
test.after(() => removeVps(host))

test('a bare host is watched before it has any bot', async () => {
  await admin.begin()
  done(await play('site', ['--json'], seventeen))
  assert.equal(await toldDuring(async () => {}), [])
  assert.is((await chat()).length, 1)
})

test('a bot is released, another release takes its place, and one fails: nothing is told', async () => {
  assert.equal(await toldDuring(async () => done(await hello(file(seventeen)))), [])
  Object.assign(bots['hello-bot'] ?? {}, { memory: '200m' })
  assert.equal(await toldDuring(async () => done(await hello(file(seventeen)))), [])
  const wrong = { ...bots['hello-bot'], health: '/nowhere' }
  const failing = inventory({ 'hello-bot': wrong }, { domain, backups, watch, ...seventeen })
  assert.equal(await toldDuring(async () => assert.is.not((await hello(failing)).code, 0)), [])
  assert.match(await answer('/start'), /\w/)
})

test('PostgreSQL becomes another major version, and every secret another: nothing is told', async () => {
  assert.equal(await toldDuring(async () => done(await play('update', ['--json', '--postgres']))), [])
  assert.match(await inside('docker exec botgarden-postgres postgres --version'), / 18\./)
  assert.equal(await toldDuring(async () => done(await play('update', ['--json', '--rotate']))), [])
})

test('a backup, its drill, a job by hand and a console: nothing is told', async () => {
  const act = async () => {
    done(await play('backup', []))
    done(await play('restore', ['--drill', '--identity', key]))
    done(await play('bot', ['--name', 'hello-bot', '--run', 'tick']))
    done(await play('bot', ['--name', 'hello-bot', '--exec', '--', 'node', '-e', '1']))
  }
  assert.equal(await toldDuring(act), [])
})

test('the doctor has one message sent, and its containers are none of an unknown bot', async () => {
  const told = await toldDuring(async () => {
    const { stdout } = await play('doctor', ['--json'])
    const { promises } = JSON.parse(stdout).hosts[host] as { promises: { id: string; result: string }[] }
    assert.ok(
      promises.some(({ id, result }) => /alert/.test(id) && result !== 'broken'),
      stdout,
    )
  })
  assert.is(told.length, 1, told.join('\n'))
  assert.match(told[0] ?? '', /^👋 botgarden watches guarded/)
})

test('after a boot nothing is told', async () => {
  const before = (await chat()).length
  await restartVps(host)
  while ((await inside('cat /run/botgarden/watch/last 2>/dev/null || :')) === '') await pause(1000)
  for (let i = 0; i < 5; i++) await inside('systemctl start botgarden-watch; sleep 1')
  assert.equal((await chat()).slice(before), [])
})

test('a bot without Telegram is watched as a container, and a bot that is removed not any more', async () => {
  const source = join(import.meta.dirname, '../../bots/landing-page')
  bots.page = { host, source, shareOrigin: true, public: [{ path: '/welcome', static: 'site' }] }
  const act = async () => done(await deploy(['--name', 'page'], file()))
  assert.equal(await toldDuring(act), [])
  assert.equal(await toldDuring(async () => done(await play('bot', ['--name', 'hello-bot', '--remove', '--yes']))), [])
})

test('without its key all of it is gone', async () => {
  const { watch: _, ...rest } = { watch, domain, backups }
  const result = await run(['playbooks/site.ts', '-i', inventory({}, rest), '--json'])
  done(result)
  assert.ok(resultOf(result, host).ids.includes('watch:absent'))
  assert.is(
    await inside('ls -d /opt/botgarden/watch /var/lib/botgarden/watch /run/botgarden/watch 2>/dev/null || :'),
    '',
  )
})

test.run()
