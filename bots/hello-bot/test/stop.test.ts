import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { greetings } from './support/database.ts'
import { setUpApp } from './support/setup.ts'
import { until } from './support/until.ts'
import { boris, message } from './support/updates.ts'

test.after.each(cleanUp)

test('an update that has begun comes to its end; what comes later is not taken', async () => {
  const { app, post, telegram, db, url } = await setUpApp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  const begun = post(message('/start'))
  await until(() => telegram.calls().length > 0)
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
  answer()
  assert.is((await begun).status, 200)
  await stopping
  assert.equal(await greetings(db), [1])
})

test('updates that wait for their turn come again', async () => {
  const { app, post, telegram, db } = await setUpApp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  let begun = 0
  const count = (event: unknown) => void ((event as { request: IncomingMessage }).request.url === '/webhook' && begun++)
  subscribe('http.server.request.start', count)
  afterwards(() => unsubscribe('http.server.request.start', count))
  const posts = [1, 2, 3, 4].map(() => post(message('/start', boris)))
  await until(() => telegram.calls().length > 0 && begun === 4)
  await pause(50)
  const stopping = app.stop()
  answer()
  const statuses = (await Promise.all(posts)).map(({ status }) => status)
  await stopping
  assert.equal(statuses.sort(), [200, 200, 503, 503])
  assert.equal(await greetings(db), [2])
})

test.run()
