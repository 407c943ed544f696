// Needs a bare VPS of its own: `cuts`, the sandbox's certificate authority and its Telegram. Reboots and power cuts in the
// middle of a release, and what a bot is that crashes again and again.
import { resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../lib/shell/sh.ts'
import { inVps, removeVps, restartVps } from '../../sandbox/index.ts'
import { resultOf, start } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'

const host = 'cuts'
const domain = `${host}.sandbox`
const model = resolve(import.meta.dirname, '../../bots/hello-bot')
const { bots, tokens, inventory, site, deploy, hello, changed, inside, answer, begin } = botHost(host, [
  'hello-bot',
  'other-bot',
])
const running = (name: string) => `docker ps --format '{{.Names}} {{.Status}}' | grep -c 'botgarden-${name}-.* Up'`

test.before(async () => {
  await begin()
  assert.is((await hello()).code, 0)
})
test.after(() => removeVps(host))

/** Reboots the host in the middle of a release, as soon as this is true there. `cut`: as if by a power cut, all at once. */
async function rebootedInRelease(name: string, entry: object, when: string, { cut = false, settle = 60 } = {}) {
  const file = inventory({ [name]: entry }, { domain }, { settle })
  const { ended, kill } = start(['playbooks/bot.ts', '-i', file, '--json', '--name', name], tokens)
  const powerCut = cut ? "systemctl kill --signal KILL 'botgarden-*-*.service'" : ':'
  const { status } = await inVps(
    host,
    `for i in $(seq 900); do ! { ${when}; } || { ${powerCut}; exit 0; }; sleep 0.1; done; exit 9`,
    {
      seconds: 100,
    },
  )
  kill()
  await ended
  assert.is(status, 0, 'the release came to that point')
  await restartVps(host)
}

test('a reboot while a new version settles: the one before answers after the boot', async () => {
  const next = { host, environment: { LOG_LEVEL: 'info' } }
  await rebootedInRelease('hello-bot', next, `[ "$(${running('hello-bot')})" = 2 ] && sleep 5`)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await inside(running('hello-bot')), '1')
})

test('a power cut when nginx leads to the new version already: one answers, and the next run leaves one', async () => {
  const before = await inside('cat /opt/botgarden/nginx/running/bots/hello-bot.conf')
  const switched = `[ "$(cat /opt/botgarden/nginx/running/bots/hello-bot.conf)" != ${quote(before)} ]`
  const next = { host, environment: { LOG_LEVEL: 'warn' } }
  await rebootedInRelease('hello-bot', next, switched, { cut: true, settle: 3 })
  assert.match(await answer('/start'), /^Hello/)
  assert.equal(changed(await site()).slice(0, 1), ['release:hello-bot'])
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await inside(running('hello-bot')), '1')
  assert.is(await inside('cat /opt/botgarden/nginx/running/bots/hello-bot.conf'), before)
})

test('a version that crashed again and again is started again when its reason is gone', async () => {
  const name = await inside("docker ps --format '{{.Names}}' | grep hello-bot")
  const token = '/etc/botgarden/secrets/bots/hello-bot/token'
  const looping = `[ "$(docker inspect --format '{{.RestartCount}} {{.State.Status}}' ${name})" = '7 restarting' ]`
  await inside(
    `mv ${token} /root/token; docker restart ${name}; until ${looping}; do sleep 0.2; done; mv /root/token ${token}`,
  )
  const mended = await site()
  assert.is(mended.code, 0, resultOf(mended, host).error)
  assert.equal(changed(mended), ['release:hello-bot'])
  assert.match(await answer('/start'), /^Hello/)
})

test('a power cut while a new version asks for updates: after the boot the one before does, and it alone', async () => {
  bots['other-bot'] = { host, source: model, mode: 'polling' }
  assert.is((await deploy(['--name', 'other-bot'])).code, 0)
  const next = { host, source: model, mode: 'polling', environment: { LOG_LEVEL: 'warn' } }
  const old = await inside("docker ps --format '{{.Names}}' | grep other-bot")
  const settling = `[ "$(docker ps --format '{{.Names}}' | grep other-bot)" = ${old.endsWith('blue') ? old.replace('blue', 'green') : old.replace('green', 'blue')} ] && sleep 3`
  await rebootedInRelease('other-bot', next, settling, { cut: true })
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
  assert.is(await inside("docker ps --format '{{.Names}}' | grep other-bot"), old)
  assert.equal(changed(await site()), ['release:other-bot'])
  assert.is(await inside("docker ps --all --format '{{.Names}}' | grep other-bot"), old)
})

test.run()
