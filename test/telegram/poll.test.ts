import { get } from 'node:https'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callApi, endAll, makePair, telegram, until } from './support.ts'

test.after.each(endAll)

const taken = 'Conflict: terminated by other getUpdates request; make sure that only one bot instance is running'

test('updates come until an offset confirms them', async () => {
  const { call, client } = await telegram()
  const ids = await client.actAll(
    'hello-bot',
    [1, 2, 3].map((i) => ({ chat: 7, text: `${i}` })),
  )
  const texts = async (args: object) =>
    (await call('getUpdates', args)).result.map((update: { message: { text: string } }) => update.message.text)
  assert.equal(await texts({}), ['1', '2', '3'])
  assert.equal(await texts({ limit: 2 }), ['1', '2'])
  assert.equal(await texts({ offset: Number(ids[0]) + 1 }), ['2', '3'])
  assert.equal(await texts({ offset: Number(ids[2]) + 1000 }), ['2', '3'])
  assert.equal(await texts({ offset: -1 }), ['3'])
  assert.equal(await texts({}), ['3'])
  assert.equal(await texts({ offset: Number(ids[2]) + 1 }), [])
})

test('a long poll ends with the first update', async () => {
  const { call, client } = await telegram()
  const poll = call('getUpdates', { timeout: 30 })
  await until(async () => (await client.report('hello-bot')).polled)
  const id = await client.act('hello-bot', { chat: 7, text: 'hi' })
  assert.is((await poll).result[0].update_id, id)
})

test('a second poller ends the long poll of the first with a conflict', async () => {
  const { call, client } = await telegram()
  const first = call('getUpdates', { timeout: 30 })
  await until(async () => (await client.report('hello-bot')).polled)
  const second = call('getUpdates', { timeout: 30 })
  assert.equal(await first, { ok: false, error_code: 409, description: taken })
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  assert.is((await second).result.length, 1)
})

test('of two conflicts in a row the second is told late', async () => {
  // Three seconds last 60 ms.
  const { call, client } = await telegram({ timeScale: 0.02 })
  const started = performance.now()
  const ended: number[] = []
  const poll = async () => ended.push((await call('getUpdates', { timeout: 30 })).error_code ?? 0)
  const polls = [poll()]
  await until(async () => (await client.report('hello-bot')).polled)
  for (const _ of [1, 2]) {
    polls.push(poll())
    await sleep(5)
  }
  await until(() => ended.length === 2)
  assert.ok(performance.now() - started > 60)
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  await Promise.all(polls)
  assert.equal(ended, [409, 409, 0])
})

test('setWebhook ends a long poll', async () => {
  const { call, client } = await telegram()
  const poll = call('getUpdates', { timeout: 30 })
  await until(async () => (await client.report('hello-bot')).polled)
  await call('setWebhook', { url: 'https://127.0.0.1/tg' })
  assert.is((await poll).description, 'Conflict: terminated by setWebhook request')
})

test('a poller that has hung up is no conflict, and loses nothing', async () => {
  const { token, apiRoot, client, call } = await telegram()
  const gone = new AbortController()
  const url = `${apiRoot}/bot${token}/getUpdates?timeout=30`
  const poll = fetch(url, { signal: gone.signal }).catch(() => 'gone')
  await until(async () => (await client.report('hello-bot')).polled)
  gone.abort()
  assert.is(await poll, 'gone')
  await until(async () => !(await client.report('hello-bot')).polled)
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  assert.is((await call('getUpdates', { timeout: 30 })).result.length, 1)
})

test('allowed_updates of a poll stay, too', async () => {
  const { call, client } = await telegram()
  await call('getUpdates', { allowed_updates: ['callback_query'] })
  await call('getUpdates')
  assert.is(await client.act('hello-bot', { chat: 7, text: 'hi' }), null)
})

test('an unknown token is unauthorized, an unknown method not found', async () => {
  const { token, apiRoot, call } = await telegram()
  assert.equal(await callApi(`${apiRoot}/bot123:abc/getMe`), {
    ...{ ok: false, error_code: 401, description: 'Unauthorized' },
  })
  assert.is((await call('getMi')).description, 'Not Found: method not found')
  assert.is((await call('getMi')).error_code, 404)
  assert.is((await callApi(`${apiRoot}/`)).error_code, 404)
  assert.match(token, /^\d{10}:[\w-]{35}$/)
})

test('parameters come by query, form or JSON, and the method in any letters', async () => {
  const { token, apiRoot, client } = await telegram()
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  const url = `${apiRoot}/bot${token}/sendmessage`
  const form = new FormData()
  form.set('chat_id', '7')
  form.set('text', 'ж')
  const encoded = new URLSearchParams({ chat_id: '7', text: 'ж' })
  const answers = [
    await fetch(`${url}?${encoded}`),
    await fetch(url, { method: 'POST', body: encoded }),
    await fetch(url, { method: 'POST', body: form }),
    await fetch(`${url}?chat_id=7`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"ж"}',
    }),
  ]
  for (const answer of answers) assert.is(((await answer.json()) as { result: { text: string } }).result.text, 'ж')
})

test('the same API is there by HTTPS, for those that trust its authority', async () => {
  const { cert, key } = makePair('api.telegram.org')
  const { token, tlsPort } = await telegram({}, { cert, key, port: 0 })
  const ask = (ca: string[]) =>
    new Promise<string>((resolve, reject) => {
      const address = {
        host: '127.0.0.1',
        servername: 'api.telegram.org',
        port: tlsPort,
        path: `/bot${token}/getMe`,
        ca,
      }
      get(address, (response) => text(response).then(resolve, reject)).on('error', reject)
    })
  assert.is(JSON.parse(await ask([cert])).result.username, 'hello_bot')
  assert.match(await ask([makePair('api.telegram.org').cert]).catch(String), /self-signed certificate/)
})

test.run()
