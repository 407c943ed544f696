import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callApi, endAll, fast, folder, formOf, telegram, until, webhook } from './support.ts'

test.after.each(endAll)

test('a restart loses nothing', async () => {
  let broken = true
  const hook = await webhook((_, response) => response.writeHead(broken ? 500 : 200).end())
  const stateFile = join(folder, 'state.json')
  const before = await telegram({ stateFile })
  await before.call(
    'setWebhook',
    formOf({ url: hook.url, secret_token: 'abc', allowed_updates: '["message"]' }, hook.cert),
  )
  await before.client.act('hello-bot', { chat: 7, text: 'hi', from: { first_name: 'Ann' } })
  await before.call('sendMessage', { chat_id: 7, text: 'hello' })
  await until(() => hook.got.length > 0)
  await before.close()
  broken = false
  const after = await telegram({ stateFile })
  assert.is(after.token, before.token)
  await until(async () => (await after.client.report('hello-bot')).pending === 0)
  const { headers, update } = hook.got.at(-1) ?? {}
  assert.is(headers?.['x-telegram-bot-api-secret-token'], 'abc')
  assert.is(update?.update_id, hook.got[0]?.update.update_id)
  assert.equal(
    (await after.client.chat('hello-bot', 7)).map(({ text }) => text),
    ['hi', 'hello'],
  )
  assert.equal((await after.call('getWebhookInfo')).result.allowed_updates, ['message'])
  assert.is((await after.call('sendMessage', { chat_id: 7, text: 'more' })).result.chat.first_name, 'Ann')
})

test('the state is written soon after a change', async () => {
  const stateFile = join(folder, 'soon.json')
  const { token } = await telegram({ stateFile })
  await until(() => existsSync(stateFile) && readFileSync(stateFile, 'utf8').includes(token))
})

test('a revoked token is unauthorized, and its webhook gone', async () => {
  const { token, apiRoot, client, call } = await telegram(fast)
  await call('setWebhook', { url: 'https://127.0.0.1/tg' })
  const fresh = await client.revoke('hello-bot')
  assert.is.not(fresh.token, token)
  assert.is((await call('getMe')).error_code, 401)
  const { result } = await callApi(`${apiRoot}/bot${fresh.token}/getWebhookInfo`)
  assert.is(result.url, '')
})

test('a bot is made once', async () => {
  const { client, token } = await telegram()
  assert.is((await client.ensureBot('hello-bot')).token, token)
  assert.is.not((await client.ensureBot('other')).token, token)
  assert.equal(
    (await client.bots()).map(({ username }) => username),
    ['hello_bot', 'other_bot'],
  )
  assert.match(String(await client.report('nobody').catch(String)), 'no bot "nobody"')
})

test('reset forgets what was said, and keeps bots and webhooks', async () => {
  const { client, call, token } = await telegram()
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  await call('setWebhook', { url: 'https://127.0.0.1/tg' })
  await client.reset()
  const report = await client.report('hello-bot')
  assert.equal([report.pending, report.deliveries.length, report.token], [0, 0, token])
  assert.is(report.webhook.url, 'https://127.0.0.1/tg')
  assert.equal(await client.chat('hello-bot', 7), [])
})

test('who reads a chat can wait for what comes', async () => {
  const { client } = await telegram()
  const reading = client.chat('hello-bot', 7, { wait: 10 })
  await client.act('hello-bot', { chat: 8, text: 'elsewhere' })
  await client.act('hello-bot', { chat: 7, text: 'hi' })
  assert.equal(
    (await reading).map(({ text }) => text),
    ['hi'],
  )
  assert.equal(await client.chat('hello-bot', 7, { after: 99, wait: 0.02 }), [])
})

test.run()
