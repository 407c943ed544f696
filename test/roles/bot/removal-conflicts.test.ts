import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { planOf } from '../../support/plan-of.ts'

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

test.run()
