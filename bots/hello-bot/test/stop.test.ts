import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Composer } from 'grammy'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { start } from '../src/features/start.ts'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { greetings, waiting } from './support/database.ts'
import { setUp, setUpApp } from './support/setup.ts'
import { until } from './support/until.ts'
import { boris, message } from './support/updates.ts'

test.after.each(cleanUp)

/** A handler that takes as long as it is told to. */
function slowly() {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const state = { begun: 0 }
  const features = new Composer<BotContext>(async (_, next) => {
    state.begun++
    await ended
    await next()
  }, start)
  return { features, state, end }
}

test('an update that has begun comes to its end, with its reply; what comes later is not taken', async () => {
  const { features, state, end } = slowly()
  const { app, post, telegram, db, url } = await setUpApp({ features })
  const begun = post(message('/start'))
  await until(() => state.begun > 0)
  // Kept open, as a proxy does: the door is closed, but what comes through here is still heard.
  const kept = await post('no json')
  assert.is(kept.status, 400)
  let stopped = false
  const stopping = app.stop().then(() => {
    stopped = true
  })
  await pause(100)
  assert.not(stopped)
  const refused = await fetch(`${url}/readyz`).then(
    ({ status }) => status,
    () => 'refused',
  )
  assert.is(refused, 'refused')
  end()
  assert.is((await begun).status, 200)
  await stopping
  assert.equal([await greetings(db), telegram.texts().length, await waiting(db)], [[1], 1, 0])
})

test('updates that wait for their turn come again', async () => {
  const { features, state, end } = slowly()
  const { app, post, db } = await setUpApp({ features })
  let begun = 0
  const count = (event: unknown) => void ((event as { request: IncomingMessage }).request.url === '/webhook' && begun++)
  subscribe('http.server.request.start', count)
  afterwards(() => unsubscribe('http.server.request.start', count))
  const posts = [1, 2, 3, 4].map(() => post(message('/start', boris)))
  await until(() => state.begun > 0 && begun === 4)
  await pause(50)
  const stopping = app.stop()
  end()
  const statuses = (await Promise.all(posts)).map(({ status }) => status)
  await stopping
  assert.equal(statuses.sort(), [200, 503, 503, 503])
  assert.equal(await greetings(db), [1])
})

test('what waits in the outbox goes out before it ends', async () => {
  const { app, post, telegram, db } = await setUpApp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  for (let n = 0; n < 3; n++) await post(message('/start'))
  await until(() => telegram.calls().length === 1)
  const stopping = app.stop()
  answer()
  await stopping
  assert.equal([telegram.texts().length, await waiting(db)], [3, 0])
})

test('what Telegram does not take now is left, and the next process sends it at once', async () => {
  const { app, post, telegram, db } = await setUpApp()
  telegram.answer('sendMessage', { error_code: 429, parameters: { retry_after: 600 } })
  for (let n = 0; n < 2; n++) await post(message('/start'))
  await until(() => telegram.calls().length === 1)
  const told = performance.now()
  await app.stop()
  assert.ok(performance.now() - told < 5_000)
  const rows = await db.selectFrom('outbox').select('owner').execute()
  assert.equal([telegram.calls().length, rows], [1, [{ owner: null }, { owner: null }]])
  const { outbox, telegram: again } = await setUp({ db })
  outbox.start()
  await until(async () => (await waiting(db)) === 0)
  assert.equal(
    again.texts().map((text) => text.slice(0, 11)),
    ['Hello, Anna', 'Hello again'],
  )
  assert.equal(await greetings(db), [2])
})

test.run()
