// A host that loses what botgarden keeps on it, while all of it runs: one run of site.ts, and one of bot.ts where only the
// operator has what is lost, bring everything back.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../lib/shell/sh.ts'
import { removeVps } from '../../sandbox/index.ts'
import { resultOf } from '../support/runner.ts'
import { botHost } from '../support/vps/bot-host.ts'

const host = 'host-loss'
const { site, hello, inside, answer, begin } = botHost(host, ['hello-bot'])
const psql = (sql: string) =>
  inside(`docker exec botgarden-postgres psql -XAtU postgres hello_bot -c ${quote(sql)} 2>&1`)

test.before(async () => {
  await begin()
  assert.is((await hello()).code, 0)
  await psql('create table kept as select 42 as n')
})
test.after(() => removeVps(host))

for (const [what, command, token] of [
  ['the password of the superuser', 'rm /etc/botgarden/secrets/postgres/superuser', false],
  ['the folder of the server’s secrets', 'rm -rf /etc/botgarden/secrets/postgres', false],
  [
    'what the host has made for a bot',
    'cd /etc/botgarden/secrets/bots/hello-bot && rm webhook-secret database-password',
    false,
  ],
  ['the secrets of a bot', 'rm -rf /etc/botgarden/secrets/bots/hello-bot', true],
  ['the certificates', 'rm -rf /etc/botgarden/tls', false],
  ['all of /etc/botgarden', 'rm -rf /etc/botgarden', true],
  [
    'all of /etc/botgarden, and a reboot of the engine',
    'rm -rf /etc/botgarden; docker stop -t 5 $(docker ps -q)',
    true,
  ],
  ['all of /etc/botgarden, put back by hand', 'cd /etc && mv botgarden b && cp -a b botgarden && rm -rf b', false],
  ['all of /opt/botgarden', 'rm -rf /opt/botgarden', false],
  ['all of /run/botgarden', 'rm -rf /run/botgarden', false],
  ['all of these', 'rm -rf /etc/botgarden /opt/botgarden /run/botgarden', true],
] as const)
  test(`lost: ${what}`, async () => {
    await inside(command)
    const mended = resultOf(await site(), host)
    assert.is(mended.error, undefined)
    assert.is('hello-bot has lost' in mended.outputs, token)
    if (token) assert.is((await hello()).code, 0)
    const { ids, roundTrips, error } = resultOf(await site(), host)
    assert.equal({ ids, roundTrips, error }, { ids: [], roundTrips: 1, error: undefined })
    assert.match(await answer('/start'), /^Hello/)
    assert.is(await psql('select n from kept'), '42')
    assert.is(await inside("docker ps -a --format '{{.Names}}' | grep -c ."), '3')
  })

test('a server whose data was moved away is not started on none', async () => {
  await inside('mv /var/lib/botgarden/postgres /var/lib/botgarden/elsewhere')
  const refused = await site()
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, 'runs on what was in /var/lib/botgarden/postgres, which is gone')
  assert.match(await answer('/start'), /^Hello/)
  await inside('mv /var/lib/botgarden/elsewhere /var/lib/botgarden/postgres')
  assert.is(resultOf(await site(), host).changed, 0)
  assert.is(await psql('select n from kept'), '42')
})

test.run()
