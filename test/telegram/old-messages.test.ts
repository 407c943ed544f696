import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { endAll, pixel, upload, withPerson } from './support.ts'

test.after.each(endAll)

type It = Awaited<ReturnType<typeof withPerson>>

const sendText = async ({ call }: It, args: object = {}) =>
  (await call('sendMessage', { chat_id: 7, text: 'one', ...args })).result
const sendPhoto = async ({ call }: It, args: Record<string, string> = {}) =>
  (await call('sendPhoto', upload({ chat_id: '7', caption: 'one', ...args }, { photo: ['a.png', pixel] }))).result
const descriptionOf = async ({ call }: It, method: string, args: object) =>
  (await call(method, { chat_id: 7, ...args })).description

test('captions, media and buttons are edited', async () => {
  const it = await withPerson()
  const { message_id } = await sendPhoto(it)
  const edit = async (method: string, args: object) =>
    (await it.call(method, { chat_id: 7, message_id, ...args })).result
  assert.is((await edit('editMessageCaption', { caption: 'two' })).caption, 'two')
  const keyboard = { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] }
  const shown = await edit('editMessageReplyMarkup', { reply_markup: keyboard })
  assert.equal([shown.reply_markup, shown.caption], [keyboard, 'two'])
  const media = JSON.stringify({ type: 'document', media: 'attach://doc', caption: 'three' })
  const form = upload({ chat_id: '7', message_id, media }, { doc: ['a.txt', 'abc'] })
  const { result } = await it.call('editMessageMedia', form)
  assert.equal([result.document.file_name, result.caption, result.photo], ['a.txt', 'three', undefined])
  assert.is(
    await descriptionOf(it, 'editMessageText', { message_id, text: 'a' }),
    'Bad Request: there is no text in the message to edit',
  )
})

test('the same buttons again are no edit', async () => {
  const it = await withPerson()
  const reply_markup = { inline_keyboard: [[{ text: 'Yes', callback_data: 'yes' }]] }
  const { message_id } = await sendText(it, { reply_markup })
  assert.match(
    String(await descriptionOf(it, 'editMessageReplyMarkup', { message_id, reply_markup })),
    'message is not modified',
  )
  assert.is((await it.call('editMessageReplyMarkup', { chat_id: 7, message_id })).result.reply_markup, undefined)
})

test('a text has no caption to edit', async () => {
  const it = await withPerson()
  const { message_id } = await sendText(it)
  const description = 'Bad Request: there is no caption in the message to edit'
  assert.is(await descriptionOf(it, 'editMessageCaption', { message_id, caption: 'a' }), description)
})

test('a deleted message is gone for the bot, and deleted in the chat', async () => {
  const it = await withPerson()
  const ids = [await sendText(it), await sendText(it), await sendText(it)].map(({ message_id }) => message_id)
  assert.is((await it.call('deleteMessage', { chat_id: 7, message_id: ids[0] })).result, true)
  assert.is(
    await descriptionOf(it, 'deleteMessage', { message_id: ids[0] }),
    'Bad Request: message to delete not found',
  )
  assert.is((await it.call('deleteMessages', { chat_id: 7, message_ids: [ids[1], 999] })).result, true)
  assert.is(
    await descriptionOf(it, 'editMessageText', { message_id: ids[1], text: 'a' }),
    'Bad Request: message to edit not found',
  )
  assert.equal((await it.client.chat('hello-bot', 7)).map(({ kind }) => kind).sort(), [
    'deleted',
    'deleted',
    'message',
    'message',
  ])
})

test('a forward says where it is from, a copy does not', async () => {
  const it = await withPerson()
  await it.client.act('hello-bot', { chat: 8, text: 'hi' })
  const { message_id, photo } = await sendPhoto(it)
  const args = { chat_id: 8, from_chat_id: 7, message_id }
  const forwarded = (await it.call('forwardMessage', args)).result
  assert.equal([forwarded.photo, forwarded.caption, forwarded.chat.id], [photo, 'one', 8])
  assert.equal([forwarded.forward_origin.type, forwarded.forward_origin.sender_user.username], ['user', 'hello_bot'])
  const copied = (await it.call('copyMessage', { ...args, caption: 'two' })).result
  assert.equal(Object.keys(copied), ['message_id'])
  const last = (await it.client.chat('hello-bot', 8)).at(-1)
  assert.equal([last?.text, last?.fields?.forward_origin, last?.content?.photo], ['two', undefined, photo])
  assert.is(
    (await it.call('copyMessages', { chat_id: 8, from_chat_id: 7, message_ids: [message_id, 999] })).result.length,
    1,
  )
  assert.is((await it.call('forwardMessages', { ...args, message_ids: [message_id] })).result.length, 1)
  assert.is(
    (await it.call('forwardMessage', { ...args, message_id: 999 })).description,
    'Bad Request: message to forward not found',
  )
  assert.is(
    (await it.call('copyMessage', { ...args, message_id: 999 })).description,
    'Bad Request: message to copy not found',
  )
})

test('protected content is not passed on', async () => {
  const it = await withPerson()
  const { message_id, has_protected_content } = await sendText(it, { protect_content: true })
  assert.is(has_protected_content, true)
  const args = { from_chat_id: 7, message_id }
  assert.is(await descriptionOf(it, 'copyMessage', args), "Bad Request: message can't be copied")
  assert.is(await descriptionOf(it, 'forwardMessage', args), "Bad Request: message can't be forwarded")
})

test('the newest pinned message is shown by getChat, until it is unpinned', async () => {
  const it = await withPerson()
  const [one, two] = [await sendText(it), await sendText(it, { text: 'two' })]
  for (const { message_id } of [one, two]) await it.call('pinChatMessage', { chat_id: 7, message_id })
  const pinned = async () => (await it.call('getChat', { chat_id: 7 })).result.pinned_message?.text
  assert.is(await pinned(), 'two')
  await it.call('unpinChatMessage', { chat_id: 7 })
  assert.is(await pinned(), 'one')
  await it.call('unpinAllChatMessages', { chat_id: 7 })
  assert.is(await pinned(), undefined)
  assert.is(await descriptionOf(it, 'unpinChatMessage', {}), 'Bad Request: message to unpin not found')
  assert.is(await descriptionOf(it, 'pinChatMessage', { message_id: 999 }), 'Bad Request: message to pin not found')
})

test('a reaction is seen by the other side', async () => {
  const it = await withPerson()
  await it.call('getUpdates', { allowed_updates: ['message', 'message_reaction'] })
  const { message_id } = await sendText(it)
  await it.call('setMessageReaction', { chat_id: 7, message_id: 1, reaction: [{ type: 'emoji', emoji: '👍' }] })
  assert.equal((await it.client.chat('hello-bot', 7)).find((each) => each.message_id === 1)?.reactions, { bot: '👍' })
  await it.client.act('hello-bot', { chat: 7, reaction: '🔥' })
  const [{ message_reaction: seen }] = await it.updates()
  assert.equal(
    [seen.message_id, seen.old_reaction, seen.new_reaction],
    [message_id, [], [{ type: 'emoji', emoji: '🔥' }]],
  )
  const two = [
    { type: 'emoji', emoji: '👍' },
    { type: 'emoji', emoji: '🔥' },
  ]
  assert.is(
    await descriptionOf(it, 'setMessageReaction', { message_id, reaction: two }),
    'Bad Request: REACTIONS_TOO_MANY',
  )
})

test('a reply shows what it is to; one to nothing is refused unless it may be', async () => {
  const it = await withPerson()
  const reply = await sendText(it, { reply_parameters: { message_id: 1 } })
  assert.is(reply.reply_to_message.text, 'hi')
  assert.is((await sendText(it, { reply_to_message_id: 1 })).reply_to_message.text, 'hi')
  const lost = { text: 'a', reply_parameters: { message_id: 99 } }
  assert.is(await descriptionOf(it, 'sendMessage', lost), 'Bad Request: message to be replied not found')
  const may = { ...lost.reply_parameters, allow_sending_without_reply: true }
  assert.is((await sendText(it, { reply_parameters: may })).reply_to_message, undefined)
})

test("a person's edit is an update of its own", async () => {
  const it = await withPerson()
  await it.client.act('hello-bot', { chat: 7, edit: 1, text: 'hello' })
  const [{ edited_message: edited }] = await it.updates()
  assert.equal([edited.message_id, edited.text], [1, 'hello'])
  assert.type(edited.edit_date, 'number')
})

test.run()
