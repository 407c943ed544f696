import { request } from 'node:http'
import { Composer } from 'grammy'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { cleanUp } from './support/cleanup.ts'
import { deadDatabase, greetings, processed, waiting } from './support/database.ts'
import { secret, setUpApp } from './support/setup.ts'
import { until } from './support/until.ts'
import { message } from './support/updates.ts'

test.after.each(cleanUp)

const header = 'X-Telegram-Bot-Api-Secret-Token'

test('an update is taken, with an effect and a reply; the same again is fine, and has none', async () => {
  const { post, telegram, db } = await setUpApp()
  const update = message('/start')
  assert.equal([(await post(update)).status, (await post(update)).status], [200, 200])
  await until(async () => (await waiting(db)) === 0)
  assert.equal([await greetings(db), telegram.calls().length], [[1], 1])
})

test('without the secret, or with a wrong one, it is 401, whatever the body, and no handler hears of it', async () => {
  let asked = 0
  const features = new Composer<BotContext>(() => void asked++)
  const { post, db, text } = await setUpApp({ features })
  const wrong = [{}, { [header]: '' }, { [header]: 'x' }, { [header]: `${secret}x` }, { [header]: secret.slice(1) }]
  for (const headers of wrong) assert.is((await post(message('/start'), headers)).status, 401)
  for (const body of ['no json', 'x'.repeat(2_000_000)]) assert.is((await post(body, {})).status, 401)
  assert.equal([asked, await processed(db)], [0, 0])
  assert.not.match(text(), '"update"')
})

test('other paths are 404, other methods 405', async () => {
  const { url } = await setUpApp()
  const status = async (path: string, method: string) => (await fetch(`${url}${path}`, { method })).status
  assert.is(await status('/', 'GET'), 404)
  assert.is(await status('/webhook/more', 'POST'), 404)
  assert.is(await status('/webhook', 'GET'), 405)
  assert.is(await status('/healthz', 'POST'), 405)
  assert.is(await status('/readyz', 'DELETE'), 405)
})

test('what is no update is 400', async () => {
  const { post } = await setUpApp()
  const bodies = ['', '{', 'null', '[]', '"text"', '{}', '{"update_id":"1"}', '{"update_id":1.5}']
  for (const body of bodies) assert.is((await post(body)).status, 400, body)
})

test('an update of a kind that nobody wants is taken and forgotten', async () => {
  const { post, telegram } = await setUpApp()
  assert.is((await post({ update_id: 5, poll: { id: '1' } })).status, 200)
  assert.equal(telegram.calls(), [])
})

test('a body over 1 MiB is 413, whether its size was said or not', async () => {
  const { url, post } = await setUpApp()
  assert.is((await post(`{"update_id":1,"x":"${'x'.repeat(1024 * 1024)}"}`)).status, 413)
  const status = await new Promise((resolve, reject) => {
    const options = { method: 'POST', headers: { [header]: secret, 'Transfer-Encoding': 'chunked' } }
    const sending = request(`${url}/webhook`, options, ({ statusCode }) => resolve(statusCode))
    sending.on('error', reject)
    sending.write('x'.repeat(700_000))
    sending.write('x'.repeat(700_000))
  })
  assert.is(status, 413)
})

test('a bug in a handler is 200', async () => {
  const features = new Composer<BotContext>(() => {
    throw new Error('oh')
  })
  const { post, db } = await setUpApp({ features })
  assert.is((await post(message('/start'))).status, 200)
  assert.is(await processed(db), 1)
})

test('without a database it is 503 with Retry-After, and the bot is alive, but not ready', async () => {
  const { post, url } = await setUpApp({ db: deadDatabase() })
  const response = await post(message('/start'))
  assert.equal([response.status, response.headers.get('retry-after')], [503, '2'])
  const ready = await fetch(`${url}/readyz`)
  assert.equal([ready.status, await ready.text()], [503, 'the database does not answer\n'])
  assert.is((await fetch(`${url}/healthz`)).status, 200)
})

test('it is ready when all is there', async () => {
  const { url } = await setUpApp()
  assert.is((await fetch(`${url}/readyz`)).status, 200)
  assert.is((await fetch(`${url}/readyz`, { method: 'HEAD' })).status, 200)
})

test('where updates are polled for, there is health and no webhook', async () => {
  const { url, post } = await setUpApp({ mode: 'polling' })
  assert.is((await fetch(`${url}/readyz`)).status, 200)
  assert.is((await post(message('/start'))).status, 404)
})

test('connections are kept longer than a proxy keeps them', async () => {
  const { url } = await setUpApp()
  assert.match((await fetch(`${url}/healthz`)).headers.get('keep-alive') ?? '', 'timeout=65')
})

test.run()
