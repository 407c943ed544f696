import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, withPerson } from './support.ts'

test.after.each(endAll)

const keyboard = {
  inline_keyboard: [
    [
      { text: 'Yes', callback_data: 'yes' },
      { text: 'Site', url: 'https://example.org' },
    ],
  ],
}

test('a message is shown in the chat, with its buttons', async () => {
  const { call, client, hi } = await withPerson()
  const { result } = await call('sendMessage', { chat_id: 7, text: 'sure?', reply_markup: keyboard })
  assert.equal(result.reply_markup, keyboard)
  assert.is(result.from.username, 'hello_bot')
  const [, entry] = await client.chat('hello-bot', 7)
  assert.equal([entry?.from, entry?.text, entry?.update_id], ['bot', 'sure?', hi.update_id])
  assert.equal(entry?.keyboard, keyboard.inline_keyboard)
  assert.equal((await client.report('hello-bot')).sent, { total: 1, byChat: { 7: 1 }, byUpdate: { [hi.update_id]: 1 } })
})

test('a press on a button is answered once', async () => {
  const { call, client } = await withPerson()
  const { result } = await call('sendMessage', { chat_id: 7, text: 'sure?', reply_markup: keyboard })
  await client.act('hello-bot', { chat: 7, data: 'yes' })
  const [{ callback_query: query }] = (await call('getUpdates')).result
  assert.equal([query.data, query.message.message_id, query.from.id], ['yes', result.message_id, 7])
  const args = { callback_query_id: query.id, text: 'done' }
  assert.is((await call('answerCallbackQuery', args)).result, true)
  assert.is(
    (await call('answerCallbackQuery', args)).description,
    'Bad Request: query is too old and response timeout expired or query ID is invalid',
  )
  const report = await client.report('hello-bot')
  assert.is(report.presses[query.id]?.answer?.text, 'done')
  assert.equal((await client.chat('hello-bot', 7)).at(-1)?.kind, 'notice')
})

test('nobody can press a button that is not there', async () => {
  const { client } = await withPerson()
  const press = client.act('hello-bot', { chat: 7, data: 'no' })
  assert.match(String(await press.catch(String)), 'chat 7 shows no button with the data "no"')
})

test('an edit is new in the chat, and the same again is none', async () => {
  const { call, client } = await withPerson()
  const { result } = await call('sendMessage', { chat_id: 7, text: 'one', reply_markup: keyboard })
  const seen = (await client.chat('hello-bot', 7)).at(-1)?.seq ?? 0
  const args = { chat_id: 7, message_id: result.message_id, text: 'two' }
  assert.type((await call('editMessageText', args)).result.edit_date, 'number')
  const fresh = await client.chat('hello-bot', 7, { after: seen })
  assert.equal(
    fresh.map(({ text, keyboard: shown }) => [text, shown]),
    [['two', undefined]],
  )
  assert.match((await call('editMessageText', args)).description ?? '', 'Bad Request: message is not modified: ')
})

const refused: [method: string, args: object, code: number, description: string][] = [
  ['sendMessage', { text: 'a' }, 400, 'Bad Request: chat_id is empty'],
  ['sendMessage', { chat_id: 8, text: 'a' }, 400, 'Bad Request: chat not found'],
  ['sendMessage', { chat_id: 7 }, 400, 'Bad Request: message text is empty'],
  ['sendMessage', { chat_id: 7, text: 'a'.repeat(4097) }, 400, 'Bad Request: message is too long'],
  [
    'sendMessage',
    { chat_id: 7, text: 'a', reply_markup: { inline_keyboard: [[{ text: 'a', callback_data: 'ж'.repeat(33) }]] } },
    400,
    'Bad Request: BUTTON_DATA_INVALID',
  ],
  [
    'sendMessage',
    { chat_id: 7, text: 'a', reply_markup: '{' },
    400,
    "Bad Request: can't parse reply keyboard markup JSON object",
  ],
  ['editMessageText', { chat_id: 7, message_id: 99, text: 'a' }, 400, 'Bad Request: message to edit not found'],
  ['editMessageText', { chat_id: 7, message_id: 1, text: 'a' }, 400, "Bad Request: message can't be edited"],
  ['sendChatAction', { chat_id: 7 }, 400, 'Bad Request: wrong parameter action in request'],
  ['setMyCommands', { commands: [{ command: 'A b', description: 'c' }] }, 400, 'Bad Request: BOT_COMMAND_INVALID'],
]
for (const [method, args, code, description] of refused) {
  test(`${method} says: ${description}`, async () => {
    const { call } = await withPerson()
    assert.equal(await call(method, args), { ok: false, error_code: code, description })
  })
}

test('who has blocked the bot hears nothing from it', async () => {
  const { call, client } = await withPerson()
  await client.block('hello-bot', 7, true)
  const sent = await call('sendMessage', { chat_id: 7, text: 'a' })
  assert.equal(sent, { ok: false, error_code: 403, description: 'Forbidden: bot was blocked by the user' })
  await client.block('hello-bot', 7, false)
  assert.ok((await call('sendMessage', { chat_id: 7, text: 'a' })).ok)
})

test('more messages to a chat than may be are too many, if that is watched', async () => {
  const { call, client } = await withPerson({ chatInterval: 1, timeScale: 1 })
  await client.act('hello-bot', { chat: 8, text: 'hi' })
  assert.ok((await call('sendMessage', { chat_id: 7, text: 'a' })).ok)
  assert.equal((await call('sendMessage', { chat_id: 7, text: 'b' })).parameters, { retry_after: 1 })
  assert.ok((await call('sendMessage', { chat_id: 8, text: 'a' })).ok)
})

test('faults are answered as often as was ordered', async () => {
  const { call, client } = await withPerson()
  await client.fault('hello-bot', { method: 'sendMessage', error: 429, retryAfter: 5, times: 2 })
  await client.fault('hello-bot', { method: 'getMe', error: 500 })
  const send = () => call('sendMessage', { chat_id: 7, text: 'a' })
  assert.equal((await send()).parameters, { retry_after: 5 })
  assert.is((await send()).error_code, 429)
  assert.ok((await send()).ok)
  assert.is((await call('getMe')).description, 'Internal Server Error')
})

test('commands are kept by scope and language', async () => {
  const { call } = await withPerson()
  const commands = [{ command: 'start', description: 'Begin' }]
  await call('setMyCommands', { commands, language_code: 'en' })
  assert.equal((await call('getMyCommands', { language_code: 'en' })).result, commands)
  assert.equal((await call('getMyCommands')).result, [])
})

test.run()
