import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { ru } from '../src/messages/ru.ts'
import { cleanUp } from './support/cleanup.ts'
import { setUp } from './support/setup.ts'
import { anna, boris, message, press } from './support/updates.ts'

test.after.each(cleanUp)

test('/start greets in English, and knows the user the second time', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('/start'))
  await handle(message('/start'))
  assert.equal(telegram.texts(), [
    'Hello, Anna! I will remember you. /help tells what I can do.',
    'Hello again, Anna! We have met 2 times.',
  ])
})

test('/start greets in Russian', async () => {
  const { handle, telegram, db } = await setUp()
  await handle(message('/start', boris))
  await handle(message('/start', boris))
  assert.equal(telegram.texts(), [
    'Привет, Борис! Я тебя запомню. /help расскажет, что я умею.',
    'Снова привет, Борис! Мы здоровались 2 раза.',
  ])
  const user = await db.selectFrom('users').selectAll().executeTakeFirstOrThrow()
  assert.equal([Number(user.id), user.language_code, user.greetings], [boris.id, 'ru-RU', 2])
})

test('an unknown language, or none, is English', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('/start', { ...anna, language_code: 'pt-br' }))
  const { language_code: _, ...silent } = boris
  await handle(message('/start', silent))
  assert.equal(
    telegram.texts().map((text) => text.slice(0, 6)),
    ['Hello,', 'Hello,'],
  )
})

test('/help tells of every command', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('/help'))
  for (const command of ['/start', '/count', '/stats', '/help']) assert.match(telegram.texts()[0] ?? '', command)
})

test('/stats counts users and greetings, from nothing on', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('/stats'))
  for (const from of [anna, boris, boris]) await handle(message('/start', from))
  await handle(message('/stats'))
  await handle(message('/stats', boris))
  assert.equal(telegram.texts().at(0), 'Users: 0\nGreetings: 0')
  assert.equal(telegram.texts().slice(-2), ['Users: 2\nGreetings: 3', 'Пользователей: 2\nПриветствий: 3'])
})

test('a press of the button is answered, and the message edited', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('/count'))
  await handle(press('count:press'))
  await handle(press('count:press'))
  const methods = ['sendMessage', 'answerCallbackQuery', 'editMessageText', 'answerCallbackQuery', 'editMessageText']
  assert.equal(
    telegram.calls().map(({ method }) => method),
    methods,
  )
  const keyboard = { inline_keyboard: [[{ text: 'Press me', callback_data: 'count:press' }]] }
  assert.equal(telegram.calls()[0]?.payload.reply_markup, keyboard)
  assert.equal(telegram.calls().at(-1)?.payload.text, 'You have pressed the button 2 times.')
  assert.equal(telegram.calls().at(-1)?.payload.reply_markup, keyboard)
})

test('a button that nobody knows any more is answered too', async () => {
  const { handle, telegram } = await setUp()
  await handle(press('menu:long-gone'))
  assert.equal(
    telegram.calls().map(({ method, payload }) => [method, payload.text]),
    [['answerCallbackQuery', 'This button does nothing any more.']],
  )
})

test('other messages are answered in private, and not in groups', async () => {
  const { handle, telegram } = await setUp()
  await handle(message('how are you?'))
  await handle(message('how are you?', anna, true))
  assert.equal(telegram.texts(), ['I do not know that. /help tells what I can do.'])
})

test('Russian counts as Russians do', () => {
  assert.equal(
    [1, 2, 5, 11, 22, 25].map((n) => ru.pressed(n)),
    ['1 раз', '2 раза', '5 раз', '11 раз', '22 раза', '25 раз'].map((times) => `Кнопка нажата ${times}.`),
  )
})

test.run()
