import { copyFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nextTry } from '../../sandbox/telegram/webhook/retry.ts'
import { endAll, fast, formOf, telegram, until, webhook } from './support.ts'

test.after.each(endAll)

const unverified = 'SSL error {error:0A000086:SSL routines::certificate verify failed}'
const act = (chat: number, text: string) => ({ chat, text })

test('an unknown certificate stops every update, until it is uploaded', async () => {
  const hook = await webhook()
  const { call, client } = await telegram()
  await call('setWebhook', { url: hook.url })
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === unverified)
  await client.actAll('hello-bot', [act(7, 'one'), act(7, 'two')])
  await until(async () => ((await client.report('hello-bot')).counts.error ?? 0) > 1)
  assert.is((await call('getWebhookInfo')).result.pending_update_count, 2)
  assert.equal(hook.texts(), [])
  await call('setWebhook', formOf({ url: hook.url }, hook.cert))
  await until(() => hook.got.length === 2)
  await until(async () => (await call('getWebhookInfo')).result.pending_update_count === 0)
  assert.equal(hook.texts(), ['one', 'two'])
  assert.is((await call('getWebhookInfo')).result.last_error_message, undefined)
})

test('a trusted certificate of another name is not taken', async () => {
  const hook = await webhook(undefined, { name: 'other.example' })
  const { call } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === unverified)
})

test('an address stands in a public certificate as such, in an uploaded one as the name', async () => {
  const hook = await webhook(undefined, { subject: 'other.example' })
  const { call, client } = await telegram({ ...fast, caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hook.got.length === 1)
  await call('setWebhook', formOf({ url: hook.url }, hook.cert))
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === unverified)
})

test('a host name is matched and sent as such, whatever the address', async () => {
  const hook = await webhook(undefined, { name: 'bots.example.org' })
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: 'https://bots.example.org:8443/tg', ip_address: hook.address })
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hook.got.length === 1)
  assert.is(hook.got[0]?.socket.servername, 'bots.example.org')
  assert.is(hook.got[0]?.headers.host, 'bots.example.org:8443')
})

test('TLS below 1.2 is not spoken', async () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
  const hook = await webhook(undefined, old)
  const { call } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await until(async () => /^SSL error/.test((await call('getWebhookInfo')).result.last_error_message))
})

test('a chat waits behind its failing update, other chats do not', async () => {
  let broken = true
  const hook = await webhook(({ update }, response) => {
    response.statusCode = broken && update.message?.text === 'poison' ? 500 : 200
    response.end()
  })
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await client.actAll('hello-bot', [act(7, 'poison'), act(7, 'after'), act(8, 'other')])
  await until(() => hook.texts().filter((text) => text === 'poison').length >= 3)
  const info = async () => (await call('getWebhookInfo')).result
  await until(async () => (await info()).pending_update_count === 2)
  assert.ok(hook.texts().includes('other'))
  assert.not(hook.texts().includes('after'))
  assert.is((await info()).last_error_message, 'Wrong response from the webhook: 500 Internal Server Error')
  broken = false
  await until(() => hook.texts().includes('after'))
  assert.equal(hook.texts().slice(-2), ['poison', 'after'])
  const report = await client.report('hello-bot')
  const attempts = report.deliveries.filter(({ chat }) => chat === 7).map(({ attempt }) => attempt)
  assert.equal(attempts.slice(0, 3), [1, 2, 3])
})

test('no more connections at once than the webhook wants', async () => {
  const waiting: (() => void)[] = []
  const hook = await webhook((_, response) => void waiting.push(() => response.end()))
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url, max_connections: 3 })
  await client.actAll(
    'hello-bot',
    Array.from({ length: 8 }, (_, i) => act(i + 1, 'hi')),
  )
  await until(() => waiting.length === 3)
  waiting.shift()?.()
  await until(() => waiting.length === 3)
  assert.is(hook.got.length, 4)
})

test('Retry-After is waited for, from the first failure on', async () => {
  const hook = await webhook((_, response) => {
    if (hook.got.length === 1) response.writeHead(503, { 'retry-after': '6' })
    response.end()
  })
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hook.got.length === 2)
  await until(async () => (await client.report('hello-bot')).deliveries.length === 2)
  const [first, second] = (await client.report('hello-bot')).deliveries
  assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 60, 'a hundredth of 6 s')
  assert.equal([first?.status, second?.status], [503, 200])
})

test('waits nothing, then 2, 4, 8 … seconds, then 60 to 120 at random, as Telegram does', () => {
  let state = { failures: 0, delay: 1 }
  const waits = Array.from({ length: 9 }, () => {
    const { delay, seconds } = nextTry(state, 0, 0.5)
    state = { failures: state.failures + 1, delay }
    return seconds
  })
  assert.equal(waits, [0, 2, 4, 8, 16, 32, 64, 90, 90])
  assert.is(nextTry({ failures: 3, delay: 4 }, 7200).seconds, 3600)
  assert.is(nextTry({ failures: 3, delay: 4 }, 5).delay, 4)
})

test('an update that is a day old is dropped', async () => {
  const hook = await webhook((_, response) => response.writeHead(500).end())
  // A day lasts 0.9 s.
  const { call, client } = await telegram({ caFile: hook.certFile, timeScale: 1e-5 })
  await call('setWebhook', { url: hook.url })
  await client.act('hello-bot', act(7, 'hi'))
  await until(async () => (await call('getWebhookInfo')).result.pending_update_count === 0)
  assert.ok(hook.got.length > 1)
})

test('nothing but 410 for 23 hours takes the webhook down', async () => {
  const hook = await webhook((_, response) => response.writeHead(410).end())
  const { call, client } = await telegram({ caFile: hook.certFile, timeScale: 1e-6 })
  await call('setWebhook', { url: hook.url })
  await client.act('hello-bot', act(7, 'hi'))
  const info = async () => (await call('getWebhookInfo')).result
  await until(async () => {
    if ((await info()).pending_update_count === 0) await client.act('hello-bot', act(7, 'hi'))
    return (await info()).url === ''
  })
})

test('a webhook that does not answer in time has failed', async () => {
  const hook = await webhook(({ update }, response) => update.message?.text === 'slow' || response.end())
  const { call, client } = await telegram({ caFile: hook.certFile, responseTimeout: 0.05, timeScale: 1 })
  await call('setWebhook', { url: hook.url })
  await client.actAll('hello-bot', [act(7, 'slow'), act(8, 'quick')])
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === 'Read timeout expired')
})

test('an answer that is a method call is executed, but no get and no setWebhook', async () => {
  const hook = await webhook(({ update }, response) => {
    response.setHeader('content-type', 'application/json')
    const sent = { method: 'sendMessage', chat_id: 7, text: 'by reply' }
    response.end(JSON.stringify(update.message?.text === 'out' ? { method: 'deleteWebhook' } : sent))
  })
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url })
  await client.actAll('hello-bot', [act(7, 'out'), act(7, 'hi')])
  const chat = () => client.chat('hello-bot', 7)
  await until(async () => (await chat()).some(({ text }) => text === 'by reply'))
  assert.is((await call('getWebhookInfo')).result.url, hook.url)
})

test('an update under way when the webhook changes goes to the new one', async () => {
  const hang = await webhook(() => {})
  const hook = await webhook()
  const { call, client } = await telegram(fast)
  await call('setWebhook', formOf({ url: hang.url }, hang.cert))
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hang.got.length === 1)
  await call('setWebhook', formOf({ url: hook.url }, hook.cert))
  await until(() => hook.got.length === 1)
})

test('an authority is asked for anew: its file may appear later', async () => {
  const hook = await webhook()
  const later = `${hook.certFile}.later`
  const { call, client } = await telegram({ caFile: later })
  await call('setWebhook', { url: hook.url })
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === unverified)
  copyFileSync(hook.certFile, later)
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hook.got.length === 1)
})

test('an authority can be an address, whose own certificate nobody knows', async () => {
  const hook = await webhook()
  const authority = await webhook((_, response) => response.end(hook.cert))
  const { call, client } = await telegram({ caUrls: [authority.url] })
  await call('setWebhook', { url: hook.url })
  await client.act('hello-bot', act(7, 'hi'))
  await until(() => hook.got.length === 1)
})

test.run()
