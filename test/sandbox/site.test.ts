// Needs a bare VPS of its own: `whole`. Every role, as an operator applies them.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, restartVps, telegramControlUrl } from '../../sandbox/index.ts'
import { telegramAt } from '../../sandbox/telegram/client.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
import { difference, snapshot } from '../support/vps/snapshot.ts'
import { overSsh } from '../support/vps/ssh.ts'

const host = 'whole'
const site = (...args: string[]) => run(['playbooks/site.ts', '-i', inventoryOf(host), '--json', ...args])

test.before(() => freshVps(host))
test.after(() => removeVps(host))

test('a check of a bare host lists what the run then changes, little of it unknown, and writes nothing', async () => {
  const before = await snapshot(host)
  const check = await site('--check')
  const checked = resultOf(check, host)
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(check.code, 2)
  assert.ok(checked.unknown / (checked.changed + checked.unknown) <= 0.15, `${checked.unknown} unknown`)

  const apply = await site()
  const applied = resultOf(apply, host)
  assert.is(apply.code, 0, applied.error)
  assert.equal([...applied.ids].sort(), [...checked.ids, ...checked.unknownIds].sort())
  // Read, three stages, and the confirmation of what locks out: ssh and the firewall together.
  assert.is(applied.roundTrips, 5)
})

test('a second run changes nothing, in one round trip, also after a reboot', async () => {
  for (const when of ['now', 'after a reboot']) {
    if (when !== 'now') await restartVps(host)
    const { changed, unknown, failed, roundTrips, error } = resultOf(await site(), host)
    assert.equal({ changed, unknown, failed, roundTrips }, { changed: 0, unknown: 0, failed: 0, roundTrips: 1 }, error)
  }
})

test('the host works, as seen from outside of our code', async () => {
  assert.is((await overSsh(host, 'systemctl is-system-running')).stdout.trim(), 'running')
  assert.match((await overSsh(host, 'docker run --rm debian:13-slim cat /etc/debian_version')).stdout, /^13/)
  const { stdout } = await inVps(host, "ss -Htln | awk '{ print $4 }' | grep -v '^127'")
  const ports = stdout
    .trim()
    .split('\n')
    .map((address) => address.split(':').at(-1))
  assert.equal([...new Set(ports)].sort(), ['22', '443', '80'])
})

test('a host that is watched tells a chat what goes wrong and that it is well again; without the key nothing is left', async () => {
  const telegram = telegramAt(await telegramControlUrl())
  const { token } = await telegram.ensureBot('whole-admin')
  const chat = Math.floor(Date.now() / 1000)
  // A bot cannot begin a chat.
  await telegram.act('whole-admin', { chat, text: '/start', language: 'en' })
  const watch = { chat, token: { env: 'ADMIN_BOT_TOKEN' } }
  const file = inventoryOf(host, { bot: { telegram: 'http://telegram.sandbox:8081' }, watch })
  const watched = () => run(['playbooks/site.ts', '-i', file, '--json'], { ADMIN_BOT_TOKEN: token })
  const texts = async () => (await telegram.chat('whole-admin', chat)).map((each) => each.text).join('\n')
  const told = async (said: RegExp) => {
    // Behind a boot a host is given 2 minutes.
    for (let tries = 0; tries < 150; tries++) {
      await inVps(host, 'systemctl start botgarden-watch.service')
      if (said.test(await texts())) return
      await pause(1000)
    }
    throw new Error(`not told: ${said}\n${await texts()}`)
  }

  assert.is((await watched()).code, 0)
  assert.match(await texts(), /botgarden watches whole/)
  assert.is(resultOf(await watched(), host).changed, 0)
  await inVps(host, 'docker stop botgarden-postgres')
  await told(/^⚠️ whole: .*botgarden-postgres is not running.*\n +since .* UTC\n +next: \S+/m)
  await inVps(host, 'docker start botgarden-postgres')
  await told(/resolved: .*botgarden-postgres/)

  assert.is((await site()).code, 0)
  assert.is(
    (
      await inVps(
        host,
        'ls -d /opt/botgarden/watch /var/lib/botgarden/watch /etc/systemd/system/botgarden-watch.* || :',
      )
    ).stdout,
    '',
  )
})

test.run()
