import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { callApi, endAll, telegram, withPerson } from './support.ts'

test.after.each(endAll)

test('every method of Telegram is here, or says that it is not, and is counted then', async () => {
  const { apiRoot, client } = await telegram()
  const { token } = await client.ensureBot('other')
  const source = readFileSync('node_modules/@grammyjs/types/methods.d.ts', 'utf8')
  const names = [...source.matchAll(/^ {4}([a-zA-Z]+)\(/gm)].map(([, name = '']) => name)
  assert.ok(names.length > 150)
  let missing = 0
  for (const name of names.filter((each) => each !== 'logOut')) {
    const { error_code, description = '' } = await callApi(`${apiRoot}/bot${token}/${name}`)
    assert.not.equal(error_code, 404, name)
    if (!description.startsWith('Bad Request: not implemented: ')) continue
    assert.is(
      description,
      `Bad Request: not implemented: the sandbox's Telegram does not have ${name}, which Telegram has`,
    )
    missing++
  }
  assert.ok(missing > 50)
  const counted = (await client.report('other')).missing
  assert.is(Object.keys(counted).length, missing)
  assert.is(counted.sendGame, 1)
})

test('a private chat has two members, and no administrators', async () => {
  const { call } = await withPerson()
  const { result } = await call('getChat', { chat_id: 7 })
  assert.equal([result.id, result.type, result.first_name], [7, 'private', 'User 7'])
  assert.is((await call('getChatMemberCount', { chat_id: 7 })).result, 2)
  const member = async (user_id: number) => await call('getChatMember', { chat_id: 7, user_id })
  assert.is((await member(7)).result.status, 'member')
  assert.is((await member(8)).description, 'Bad Request: user not found')
  assert.is((await call('getChat', { chat_id: '@channel' })).description, 'Bad Request: chat not found')
  const { description } = await call('getChatAdministrators', { chat_id: 7 })
  assert.is(description, 'Bad Request: there are no administrators in the private chat')
  assert.equal((await call('getUserProfilePhotos', { user_id: 7 })).result, { total_count: 0, photos: [] })
})

test('who blocks the bot, and lets it write again, is told of once each', async () => {
  const { client, updates } = await withPerson()
  for (const blocked of [true, true, false]) await client.block('hello-bot', 7, blocked)
  const seen = (await updates()).map(({ my_chat_member: { from, old_chat_member, new_chat_member } }: Told) => [
    ...[from.id, old_chat_member.status, new_chat_member.status],
  ])
  assert.equal(seen, [
    [7, 'member', 'kicked'],
    [7, 'kicked', 'member'],
  ])
})
interface Told {
  readonly my_chat_member: {
    readonly from: { readonly id: number }
    readonly old_chat_member: { readonly status: string }
    readonly new_chat_member: { readonly status: string }
  }
}

test('name and descriptions are kept by language, the menu button by chat', async () => {
  const { call } = await withPerson()
  const get = async (method: string, args: object = {}) => (await call(method, args)).result
  assert.equal(await get('getMyName'), { name: 'hello-bot' })
  await call('setMyName', { name: 'Hello' })
  await call('setMyName', { name: 'Привет', language_code: 'ru' })
  assert.equal(
    [await get('getMyName'), await get('getMyName', { language_code: 'ru' })],
    [{ name: 'Hello' }, { name: 'Привет' }],
  )
  assert.is((await get('getMe')).first_name, 'Hello')
  await call('setMyDescription', { description: 'a' })
  await call('setMyShortDescription', { short_description: 'b' })
  assert.equal(
    [await get('getMyDescription'), await get('getMyShortDescription')],
    [{ description: 'a' }, { short_description: 'b' }],
  )
  assert.equal(
    [await get('getChatMenuButton'), await get('getChatMenuButton', { chat_id: 7 })],
    [{ type: 'commands' }, { type: 'default' }],
  )
  const button = { type: 'web_app', text: 'Shop', web_app: { url: 'https://e.org' } }
  await call('setChatMenuButton', { chat_id: 7, menu_button: button })
  assert.equal(
    [await get('getChatMenuButton', { chat_id: 7 }), await get('getChatMenuButton')],
    [button, { type: 'commands' }],
  )
  const plain = { ...button, web_app: { url: 'http://e.org' } }
  assert.match(
    String((await call('setChatMenuButton', { menu_button: plain })).description),
    'Only HTTPS links are allowed',
  )
  await call('setMyDefaultAdministratorRights', { rights: { can_invite_users: true } })
  assert.equal((await get('getMyDefaultAdministratorRights')).can_invite_users, true)
})

test('commands that are deleted are gone', async () => {
  const { call } = await withPerson()
  await call('setMyCommands', { commands: [{ command: 'a', description: 'b' }] })
  await call('deleteMyCommands')
  assert.equal((await call('getMyCommands')).result, [])
})

test('after logOut nothing is answered for a while, and close is refused to a young server', async () => {
  const { call } = await withPerson()
  assert.is((await call('close')).error_code, 429)
  assert.is((await call('logOut')).result, true)
  assert.equal(await call('getMe'), { ok: false, error_code: 400, description: 'Logged out' })
})

test('places, contacts and dice are sent as such', async () => {
  const { call } = await withPerson()
  const send = async (method: string, args: object) => await call(method, { chat_id: 7, ...args })
  const here = { latitude: 52.5, longitude: 13.4 }
  assert.equal((await send('sendLocation', here)).result.location, here)
  assert.equal((await send('sendVenue', { ...here, title: 'a', address: 'b' })).result.venue.location, here)
  assert.is((await send('sendContact', { phone_number: '1', first_name: 'a' })).result.contact.phone_number, '1')
  assert.is((await send('sendDice', { emoji: '🎯' })).result.dice.emoji, '🎯')
  assert.is((await send('sendDice', { emoji: 'x' })).description, 'Bad Request: DICE_EMOJI_INVALID')
  assert.is((await send('sendLocation', { latitude: 91 })).description, 'Bad Request: wrong latitude specified')
})

test('a vote in a poll is told of, by name where it is not anonymous', async () => {
  const { call, client, updates } = await withPerson()
  const args = { chat_id: 7, question: 'sure?', options: [{ text: 'yes' }, 'no'], is_anonymous: false }
  const { message_id } = (await call('sendPoll', args)).result
  await client.act('hello-bot', { chat: 7, vote: [1] })
  const [{ poll }, { poll_answer: vote }] = await updates()
  assert.equal([poll.total_voter_count, poll.options[1].voter_count], [1, 1])
  assert.equal([vote.poll_id, vote.user.id, vote.option_ids], [poll.id, 7, [1]])
  assert.is((await call('stopPoll', { chat_id: 7, message_id })).result.is_closed, true)
  assert.is(
    (await call('stopPoll', { chat_id: 7, message_id })).description,
    'Bad Request: poll has already been closed',
  )
  assert.is(
    (await call('sendPoll', { ...args, options: ['a'] })).description,
    'Bad Request: poll must have at least 2 option',
  )
})

test('a contact, a place and the data of a Mini App come as messages', async () => {
  const { client, updates } = await withPerson()
  await client.act('hello-bot', { chat: 7, contact: {} })
  await client.act('hello-bot', { chat: 7, location: {} })
  await client.act('hello-bot', { chat: 7, webApp: { button_text: 'Shop', data: '{}' } })
  const [contact, place, data] = (await updates()).map(({ message }: { message: object }) => message)
  assert.equal([contact.contact.user_id, place.location.latitude, data.web_app_data.data], [7, 52.52, '{}'])
  assert.is(contact.text, undefined)
})

test('buttons under the input field are kept with the message, and lead nowhere without HTTPS', async () => {
  const { call, client } = await withPerson()
  const send = (reply_markup: object) => call('sendMessage', { chat_id: 7, text: 'a', reply_markup })
  await send({ keyboard: [['Yes', { text: 'No' }]] })
  assert.equal((await client.chat('hello-bot', 7)).at(-1)?.replyKeyboard, [[{ text: 'Yes' }, { text: 'No' }]])
  await send({ remove_keyboard: true })
  assert.equal((await client.chat('hello-bot', 7)).at(-1)?.replyKeyboard, [])
  const app = { text: 'Shop', web_app: { url: 'http://e.org' } }
  assert.match(
    String((await send({ inline_keyboard: [[app]] })).description),
    "'http://e.org' is invalid: Only HTTPS links are allowed",
  )
  const local = { text: 'a', url: 'http://localhost:3000' }
  assert.match(
    String((await send({ inline_keyboard: [[local]] })).description),
    "'http://localhost:3000' is invalid: Wrong HTTP URL",
  )
})

test.run()
