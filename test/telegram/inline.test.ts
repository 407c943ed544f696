import { createHmac } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, withPerson } from './support.ts'

test.after.each(endAll)

const article = (id: string, more: object = {}) => ({
  ...{
    type: 'article',
    id,
    title: `Title ${id}`,
    input_message_content: { message_text: `*${id}*`, parse_mode: 'Markdown' },
  },
  ...more,
})

test('an inline query is answered once, and the chosen result is a message', async () => {
  const { call, client, updates } = await withPerson()
  assert.is((await call('getMe')).result.supports_inline_queries, true)
  await client.act('hello-bot', { chat: 7, inline: 'cats' })
  const [{ inline_query: query }] = await updates()
  assert.equal([query.query, query.from.id, query.offset], ['cats', 7, ''])
  const reply_markup = { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] }
  const args = { inline_query_id: query.id, results: [article('a'), article('b', { reply_markup })] }
  assert.is((await call('answerInlineQuery', args)).result, true)
  assert.match(String((await call('answerInlineQuery', args)).description), 'query is too old')
  const shown = (await client.chat('hello-bot', 7)).at(-1)
  assert.equal([shown?.kind, shown?.results?.map(({ title }) => title)], ['results', ['Title a', 'Title b']])
  // The next one has no answer yet.
  await client.act('hello-bot', { chat: 7, inline: 'cats and' })
  await updates()
  await client.act('hello-bot', { chat: 7, choose: { index: 1 } })
  const [{ message }, { chosen_inline_result: chosen }] = await updates()
  assert.equal([message.text, message.via_bot.username, message.from.id], ['b', 'hello_bot', 7])
  assert.equal([chosen.result_id, chosen.query], ['b', 'cats'])
  await client.act('hello-bot', { chat: 7, data: 'yes' })
  const [{ callback_query: press }] = await updates()
  assert.equal([press.inline_message_id, press.message], [chosen.inline_message_id, undefined])
  const edit = { inline_message_id: chosen.inline_message_id, text: 'changed' }
  assert.is((await call('editMessageText', edit)).result, true)
  assert.is((await client.chat('hello-bot', 7)).at(-1)?.text, 'changed')
})

const refused: [results: object[], description: string][] = [
  [[article('a'), article('a')], 'RESULT_ID_DUPLICATE'],
  [[article('')], 'RESULT_ID_INVALID'],
  [[{ type: 'article', id: 'a', title: 'a' }], 'message content must be specified for articles'],
  [[{ type: 'poll', id: 'a' }], "can't parse inline query result: unallowed result type specified"],
]
for (const [results, description] of refused) {
  test(`inline results are refused: ${description}`, async () => {
    const { call, client, updates } = await withPerson()
    await client.act('hello-bot', { chat: 7, inline: '' })
    const [{ inline_query: query }] = await updates()
    const answer = await call('answerInlineQuery', { inline_query_id: query.id, results })
    assert.is(answer.description, `Bad Request: ${description}`)
  })
}

/** As Telegram documents it: the fields but `hash`, sorted, signed with a key made of the token. */
function isValid(initData: string, token: string): boolean {
  const fields = [...new URLSearchParams(initData)]
  const text = fields
    .filter(([name]) => name !== 'hash')
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join('\n')
  const secret = createHmac('sha256', 'WebAppData').update(token).digest()
  return new URLSearchParams(initData).get('hash') === createHmac('sha256', secret).update(text).digest('hex')
}

test('a Mini App is launched with data that the token proves, and its query is answered once', async () => {
  const { call, client, token } = await withPerson()
  await client.act('hello-bot', { chat: 7, text: 'hi', language: 'ru', from: { username: 'ann' } })
  const url = await client.openApp('hello-bot', { chat: 7, url: 'https://e.org/app?a=1', startParam: 'ref' })
  assert.ok(url.startsWith('https://e.org/app?a=1#tgWebAppData='))
  const data = new URLSearchParams(new URL(url).hash.slice(1)).get('tgWebAppData') ?? ''
  assert.ok(isValid(data, token))
  assert.not.match(data, '+')
  assert.not(isValid(data, `${token}x`))
  const fields = new URLSearchParams(data)
  const { id, username, language_code } = JSON.parse(fields.get('user') ?? '')
  assert.equal([id, username, language_code, fields.get('start_param')], [7, 'ann', 'ru', 'ref'])
  assert.ok(Math.abs(Number(fields.get('auth_date')) - Date.now() / 1000) < 60)
  const args = { web_app_query_id: fields.get('query_id'), result: article('a') }
  assert.type((await call('answerWebAppQuery', args)).result.inline_message_id, 'string')
  assert.is((await client.chat('hello-bot', 7)).at(-1)?.text, 'a')
  assert.match(String((await call('answerWebAppQuery', args)).description), 'query is too old')
})

test('without a URL the menu button says which app; a button under the input field has no query', async () => {
  const { call, client } = await withPerson()
  const none = await client.openApp('hello-bot', { chat: 7 }).catch(String)
  assert.match(none, 'the bot has no menu button that opens a Mini App')
  await call('setChatMenuButton', {
    menu_button: { type: 'web_app', text: 'Shop', web_app: { url: 'https://e.org/menu' } },
  })
  assert.match(await client.openApp('hello-bot', { chat: 7 }), /^https:\/\/e\.org\/menu#tgWebAppData=query_id%3DAA/)
  const byReply = await client.openApp('hello-bot', { chat: 7, url: 'https://e.org', byReplyButton: true })
  assert.not.match(byReply, 'query_id')
})

test.run()
