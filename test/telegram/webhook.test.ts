import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, fast, formOf, makePair, telegram, until, webhook } from './support.ts'

test.after.each(endAll)

// Nothing listens here: that is no reason for Telegram to refuse it.
const nowhere = 'https://127.0.0.1:8443/tg'

const refused: [what: string, args: object, description: string][] = [
  ['plain http', { url: 'http://127.0.0.1/tg' }, 'bad webhook: An HTTPS URL must be provided for webhook'],
  ['another scheme', { url: 'ftp://127.0.0.1/tg' }, 'invalid webhook URL specified'],
  ['no URL at all', { url: 'https://' }, 'invalid webhook URL specified'],
  [
    'another port',
    { url: 'https://127.0.0.1:3000/tg' },
    'bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443',
  ],
  ['a private address', { url: 'https://192.168.1.2/tg' }, 'bad webhook: IP address 192.168.1.2 is reserved'],
  ['an IPv6 address', { url: 'https://[2001:db8::1]/tg' }, 'bad webhook: IPv6-only addresses are not allowed'],
  ['a wrong address', { url: nowhere, ip_address: 'vps1' }, 'bad webhook: Invalid IP address specified'],
  [
    'an unknown host',
    { url: 'https://nowhere.invalid/tg' },
    'bad webhook: Failed to resolve host: Name or service not known',
  ],
  ['a long secret', { url: nowhere, secret_token: 'a'.repeat(257) }, 'secret token is too long'],
  ['a secret with a dot', { url: nowhere, secret_token: 'a.b' }, 'secret token contains unallowed characters'],
  ['no certificate', formOf({ url: nowhere }, 'nonsense'), 'bad webhook: Failed to set custom certificate file'],
]
for (const [what, args, description] of refused) {
  test(`setWebhook refuses ${what}`, async () => {
    const { call } = await telegram()
    const answer = await call('setWebhook', args)
    assert.equal(answer, { ok: false, error_code: 400, description: `Bad Request: ${description}` })
  })
}

test("a webhook in a reserved network that is allowed is taken, with Telegram's defaults", async () => {
  const { call } = await telegram()
  assert.equal(await call('setWebhook', { url: nowhere }), { ok: true, result: true, description: 'Webhook was set' })
  const { result } = await call('getWebhookInfo')
  assert.is(result.url, nowhere)
  assert.is(result.ip_address, '127.0.0.1')
  assert.is(result.max_connections, 40)
  assert.is(result.has_custom_certificate, false)
  assert.is(result.allowed_updates, undefined)
})

test('what nobody listens at is told of in getWebhookInfo, before any update', async () => {
  const { call } = await telegram()
  await call('setWebhook', { url: nowhere })
  await until(async () => (await call('getWebhookInfo')).result.last_error_message === 'Connection refused')
})

test('a refused setWebhook leaves the bot without the webhook that it had', async () => {
  const { call } = await telegram(fast)
  await call('setWebhook', { url: nowhere })
  await call('setWebhook', { url: 'https://nowhere.invalid/tg' })
  assert.is((await call('getWebhookInfo')).result.url, '')
})

test('the same setWebhook again is none, unless it drops updates', async () => {
  const { call, client } = await telegram(fast)
  const args = { url: nowhere, secret_token: 'abc', max_connections: 5 }
  await call('setWebhook', args)
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  await until(async () => (await call('getWebhookInfo')).result.last_error_date > 0)
  assert.is((await call('setWebhook', args)).description, 'Webhook is already set')
  assert.ok((await call('getWebhookInfo')).result.last_error_date > 0)
  assert.is((await call('setWebhook', { ...args, max_connections: 6 })).description, 'Webhook was set')
  assert.is(
    (await call('setWebhook', { ...args, max_connections: 6, secret_token: 'def' })).description,
    'Webhook was set',
  )
  assert.is((await call('getWebhookInfo')).result.max_connections, 6)
})

test('drop_pending_updates forgets what waits', async () => {
  const { call, client } = await telegram()
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  assert.is((await call('getWebhookInfo')).result.pending_update_count, 1)
  await call('setWebhook', { url: nowhere, drop_pending_updates: true })
  assert.is((await call('getWebhookInfo')).result.pending_update_count, 0)
})

test('an uploaded certificate is taken anew each time', async () => {
  const { call } = await telegram(fast)
  const { cert } = makePair('127.0.0.1')
  for (const _ of [1, 2]) {
    assert.is((await call('setWebhook', formOf({ url: nowhere }, cert))).description, 'Webhook was set')
  }
  assert.is((await call('getWebhookInfo')).result.has_custom_certificate, true)
})

test('a certificate that is mere text is overlooked, as Telegram does', async () => {
  const { call } = await telegram()
  await call('setWebhook', { url: nowhere, certificate: makePair('127.0.0.1').cert })
  assert.is((await call('getWebhookInfo')).result.has_custom_certificate, false)
})

test('more than one setWebhook a second is too many', async () => {
  const { call } = await telegram({ timeScale: 1 })
  await call('setWebhook', { url: nowhere })
  assert.equal(await call('setWebhook', { url: nowhere }), {
    ok: false,
    error_code: 429,
    description: 'Too Many Requests: retry after 1',
    parameters: { retry_after: 1 },
  })
})

test('allowed_updates stay what they were when they are left out, and an empty list is the default', async () => {
  const { call, client } = await telegram(fast)
  const allowed = async () => (await call('getWebhookInfo')).result.allowed_updates
  await call('setWebhook', { url: nowhere, allowed_updates: ['callback_query', 'nonsense'] })
  assert.equal(await allowed(), ['callback_query'])
  await call('setWebhook', { url: `${nowhere}/2` })
  assert.equal(await allowed(), ['callback_query'])
  assert.is(await client.act('hello-bot', { chat: 7, text: 'hi' }), null)
  await call('setWebhook', { url: `${nowhere}/2`, allowed_updates: '[]' })
  assert.is(await allowed(), undefined)
  assert.type(await client.act('hello-bot', { chat: 7, text: 'hi' }), 'number')
})

test('deleteWebhook, and setWebhook without a URL, take the webhook down', async () => {
  const { call } = await telegram(fast)
  await call('setWebhook', { url: nowhere })
  assert.is((await call('setWebhook')).description, 'Webhook was deleted')
  assert.is((await call('deleteWebhook')).description, 'Webhook is already deleted')
  assert.is((await call('getWebhookInfo')).result.url, '')
})

test('getUpdates is a conflict while a webhook is set', async () => {
  const { call } = await telegram()
  await call('setWebhook', { url: nowhere })
  const answer = await call('getUpdates')
  assert.is(answer.error_code, 409)
  assert.is(
    answer.description,
    "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
  )
})

test('an update is posted with the secret, over a connection that is kept', async () => {
  const hook = await webhook()
  const { call, client } = await telegram({ caFile: hook.certFile })
  await call('setWebhook', { url: hook.url, secret_token: 'abc_DEF-9' })
  await client.actAll('hello-bot', [
    { chat: 7, text: '/start', language: 'en', from: { first_name: 'Ann' } },
    { chat: 7, text: 'more' },
  ])
  await until(() => hook.got.length === 2)
  const [first, second] = hook.got
  assert.is(first?.headers['x-telegram-bot-api-secret-token'], 'abc_DEF-9')
  assert.is(first?.headers['content-type'], 'application/json')
  assert.is(first?.headers.host, `${hook.address}:8443`)
  assert.ok(first?.socket === second?.socket)
  const ann = { id: 7, is_bot: false, first_name: 'Ann', language_code: 'en' }
  assert.equal(first?.update.message?.from, ann)
  assert.equal(first?.update.message?.entities, [{ offset: 0, length: 6, type: 'bot_command' }])
})

test.run()
