import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { accessFile, removeTcp } from '../../../roles/bot/database/tcp.ts'
import { removalConflicts } from '../../../roles/bot/removal-conflicts.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { planOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

test('what others have tied to a bot is named before it is removed, with what takes it out of the way', () => {
  const removal = [botAbsent('hello-bot', 'https://api.telegram.org', { purge: false })]
  const network = { 'network:botgarden-hello-bot': '10.210.1.0/24', 'allocations:bots': { 'hello-bot': 1 } }
  const tied = (containers: string[], databases: string[]) =>
    planOf(removal, { ...network, 'removal-conflicts:hello-bot': { containers, databases } })
  assert.equal(tied([], []), ['bot:hello-bot: remove, after a final dump of its database'])
  assert.throws(
    () => tied(['botgarden-hello-bot stranger'], []),
    /stranger .*: docker network disconnect botgarden-hello-bot stranger/,
  )
  assert.throws(() => tied([], ['reports']), /role "hello_bot" .*: docker exec .*drop owned by "hello_bot"' reports/)
})

test('strangers on the networks of a bot are seen, its own containers and the server are none', async () => {
  const own = ['-blue', '-green', '-migrate', '-cache', '.worker-blue', '.api-1-green', '.digest.job']
  const strange = ['botgarden-hello-botx-blue', 'botgarden-hello-bot-red', 'x-botgarden-hello-bot-blue', 'stranger']
  const host = scratchHost()
  host.container('botgarden-postgres')
  const lines = [...own.map((end) => `botgarden-hello-bot${end}`), ...strange].map(
    (name) => `botgarden-hello-bot ${name}`,
  )
  host.note(
    'docker',
    `[ "$1 $2" != 'network inspect' ] || { printf '%s\\n' '${lines.join("' '")}' 'botgarden-hello-bot.db botgarden-postgres' ''; exit; }`,
  )
  host.note('answer', `! grep -q "rolname = 'hello_bot'" || echo reports`)
  assert.equal(await host.reads(removalConflicts('hello-bot')), {
    containers: strange.map((name) => `botgarden-hello-bot ${name}`),
    databases: ['reports'],
  })
  assert.ok(host.noted('calls').includes(' botgarden-hello-bot botgarden-hello-bot.db\n'))
  host.fails('network inspect', 'exec')
  assert.equal(await host.reads(removalConflicts('hello-bot')), { containers: [], databases: [] })
})

test('with the way by TCP its file goes, and the server loads what is left', async () => {
  const host = scratchHost()
  host.container('botgarden-postgres')
  host.note('answer', 'grep -q pg_conf_load_time && echo t || :')
  host.write(accessFile('hello-bot'), 'host …')
  const { code, output } = await host.run(removeTcp('hello-bot'))
  assert.is(code, 0, output)
  assert.not(host.there(accessFile('hello-bot')))
  assert.match(host.noted('sql'), 'select pg_reload_conf()')
  host.note('sql', '')
  assert.is((await host.run(removeTcp('hello-bot'))).code, 0)
  assert.is(host.noted('sql'), '')
})

test.run()
