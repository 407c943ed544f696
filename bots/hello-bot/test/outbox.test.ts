import { Composer, InlineKeyboard, InputFile } from 'grammy'
import { sql } from 'kysely'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import type { Database } from '../src/database.ts'
import { createOutbox } from '../src/outbox/index.ts'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { greetings, processed, waiting } from './support/database.ts'
import { setUp } from './support/setup.ts'
import { until } from './support/until.ts'
import { anna, boris, message, press } from './support/updates.ts'

test.after.each(cleanUp)

/** Says what it is told. */
const echo = new Composer<BotContext>((ctx) => ctx.send(() => ctx.reply(ctx.message?.text ?? '')))

/** As if so much time had gone by, and the process that had the rows were dead. */
async function expire(db: Database): Promise<void> {
  await sql`update outbox set until = clock_timestamp() - interval '1 second'`.execute(db)
}

const saying = (text: string) => ({
  chat: `${anna.id}`,
  method: 'sendMessage',
  payload: { chat_id: anna.id, text },
})

const isEmpty = (db: Database) => async () => (await waiting(db)) === 0

test('a process that dies between the commit and the answer leaves its calls to the next one', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  telegram.hold()
  for (const text of ['one', 'two']) await bot.handleUpdate(message(text))
  await until(() => telegram.calls().length === 1)
  await expire(db)
  const next = await setUp({ db })
  next.outbox.start()
  await until(isEmpty(db))
  assert.equal(next.telegram.texts(), ['one', 'two'])
  assert.is(await processed(db), 2)
})

test('what a living process has is not taken, and what comes after it in its chat waits for it', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  await bot.handleUpdate(message('one'))
  const next = await setUp({ db, features: echo })
  next.outbox.start()
  await next.bot.handleUpdate(message('two'))
  await next.bot.handleUpdate(message('three'))
  await next.bot.handleUpdate(message('other', boris))
  await until(() => next.telegram.texts().includes('other'))
  await until(async () => (await waiting(db)) === 3)
  assert.equal([telegram.texts(), next.telegram.texts()], [['one'], ['other']])
  answer()
  await until(isEmpty(db))
  assert.equal([telegram.texts(), next.telegram.texts()], [['one'], ['other', 'two', 'three']])
})

test('calls of one chat wait for each other, and for no other chat', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered, `sendMessage ${anna.id}`)
  for (const text of ['one', 'two', 'three']) await bot.handleUpdate(message(text))
  for (const text of ['a', 'b']) await bot.handleUpdate(message(text, boris))
  await until(() => telegram.texts().includes('b'))
  await until(async () => (await waiting(db)) === 3)
  assert.equal(telegram.texts().toSorted(), ['a', 'b', 'one'])
  answer()
  await until(isEmpty(db))
  assert.equal(
    telegram.texts().filter((text) => text.length > 1),
    ['one', 'two', 'three'],
  )
})

test('a wait that Telegram asks for is kept by that chat, and by no other', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  telegram.answer(`sendMessage ${anna.id}`, { error_code: 429, parameters: { retry_after: 1 } })
  await bot.handleUpdate(message('one'))
  await bot.handleUpdate(message('two'))
  await until(() => telegram.calls().length === 1)
  const begun = performance.now()
  await bot.handleUpdate(message('a', boris))
  await until(() => telegram.texts().includes('a'))
  assert.equal(telegram.texts(), ['one', 'a'])
  await until(isEmpty(db))
  assert.ok(performance.now() - begun > 900)
  assert.equal(telegram.texts(), ['one', 'a', 'one', 'two'])
})

test('where several chats in a row are told to wait, all do', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  const limited = { error_code: 429, parameters: { retry_after: 1 } }
  telegram.answer('sendMessage', limited, limited, limited)
  for (const id of [1, 2, 3]) await bot.handleUpdate(message(`${id}`, { ...anna, id }))
  await until(() => telegram.calls().length === 3)
  const begun = performance.now()
  await bot.handleUpdate(message('late', boris))
  await until(isEmpty(db))
  assert.ok(performance.now() - begun > 900)
  assert.equal(telegram.texts().slice(0, 3).toSorted(), ['1', '2', '3'])
  assert.equal(telegram.texts().slice(3).toSorted(), ['1', '2', '3', 'late'])
})

test('a fault of Telegram, or none to be reached, is waited out; what it refuses is dropped, and the next one goes', async () => {
  const { bot, telegram, db, entries } = await setUp({ features: echo })
  telegram.answer('sendMessage', { error_code: 502 }, { error_code: 403 })
  for (const text of ['one', 'two']) await bot.handleUpdate(message(text))
  await until(isEmpty(db))
  assert.equal(telegram.texts(), ['one', 'one', 'two'])
  assert.equal(
    entries().flatMap(({ level, msg }) => (level === 'warn' ? [msg] : [])),
    ['a call to Telegram failed: trying again', 'a call to Telegram was refused'],
  )
})

test('what is older than a day is dropped, also where a backup has brought it back', async () => {
  const { bot, telegram, db } = await setUp({ features: echo })
  telegram.hold()
  for (const text of ['old', 'new']) await bot.handleUpdate(message(text))
  await sql`update outbox set at = now() - interval '25 hours' where payload->>'text' = 'old'`.execute(db)
  await expire(db)
  const next = await setUp({ db })
  next.outbox.start()
  await until(isEmpty(db))
  assert.equal(next.telegram.texts(), ['new'])
  assert.match(next.text(), 'not taken by Telegram for a day')
})

test('a commit of which nobody knows is found again, and later calls of that chat wait for it', async () => {
  const { bot, outbox, telegram, db } = await setUp({ features: echo })
  outbox.start()
  await db.transaction().execute((work) => outbox.keep(work, 1, [saying('lost')]))
  outbox.doubt()
  await bot.handleUpdate(message('after'))
  await expire(db)
  await until(isEmpty(db))
  assert.equal(telegram.texts(), ['lost', 'after'])
})

test('a process that has lost its calls to another, since it was held up, makes no more of them', async () => {
  const { bot, log, entries, telegram, db } = await setUp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  const outbox = createOutbox({ db, api: bot.api, log, renewMs: 20 })
  afterwards(() => outbox.close(0))
  outbox.send(await db.transaction().execute((work) => outbox.keep(work, 1, [saying('one'), saying('two')])))
  await until(() => telegram.calls().length === 1)
  await sql`update outbox set owner = 1, until = clock_timestamp() + interval '1 hour'`.execute(db)
  await until(() => entries().some(({ msg }) => msg === 'another process has taken over calls'))
  answer()
  await outbox.close(1_000)
  assert.equal([telegram.texts(), await waiting(db)], [['one'], 1])
})

test('the calls of a handler are data, in their order, with all that they say', async () => {
  const keyboard = new InlineKeyboard().text('Press', 'x')
  const features = new Composer<BotContext>((ctx) => {
    ctx.send(async () => {
      await ctx.reply('\u0000 and "quotes"', { reply_markup: keyboard })
      await ctx.replyWithPhoto('a-file-id')
    })
    ctx.send(() => ctx.answerCallbackQuery())
    ctx.send(() => ctx.api.sendMessage('@channel', 'elsewhere'))
  })
  const { bot, telegram, db } = await setUp({ features })
  telegram.hold(undefined, 'sendMessage')
  telegram.hold(undefined, 'sendPhoto')
  const update = press('x')
  await bot.handleUpdate(update)
  const rows = await db.selectFrom('outbox').select(['chat', 'method', 'payload']).orderBy('id').execute()
  const chat_id = anna.id
  const reply_markup = { inline_keyboard: [[{ text: 'Press', callback_data: 'x' }]] }
  const chat = `${anna.id}`
  assert.equal(
    rows.map(({ payload, ...rest }) => [rest, payload]),
    [
      [
        { chat, method: 'sendMessage' },
        { chat_id, text: '\u0000 and "quotes"', reply_markup },
      ],
      [
        { chat, method: 'sendPhoto' },
        { chat_id, photo: 'a-file-id' },
      ],
      [{ chat, method: 'answerCallbackQuery' }, { callback_query_id: `${update.update_id}` }],
      [
        { chat: '@channel', method: 'sendMessage' },
        { chat_id: '@channel', text: 'elsewhere' },
      ],
    ],
  )
})

test('what cannot be data is a bug that says what to do instead: a file to upload, an answer', async () => {
  const wrong: [(ctx: BotContext) => Promise<unknown>, string][] = [
    [
      (ctx) => ctx.replyWithPhoto(new InputFile(Buffer.from('x'))),
      'sendPhoto: a file to upload cannot wait in the outbox: send a file_id or a URL, or make the call directly',
    ],
    [
      async (ctx) => (await ctx.reply('x')).message_id,
      'sendMessage has no .message_id here, since it is called after the commit: to use its answer make the call directly',
    ],
  ]
  for (const [call, words] of wrong) {
    const features = new Composer<BotContext>((ctx) => ctx.send(() => call(ctx)))
    const { bot, telegram, db, text } = await setUp({ features })
    await bot.handleUpdate(message('x'))
    assert.equal([telegram.calls(), await waiting(db), await processed(db)], [[], 0, 1])
    assert.match(text(), words)
  }
})

test('a direct call is made at once, with its answer', async () => {
  const features = new Composer<BotContext>(async (ctx) => {
    const sent = await ctx.reply('directly')
    ctx.send(() => ctx.reply(`then ${String(sent)}`))
  })
  const { handle, telegram, db } = await setUp({ features })
  await handle(message('x'))
  assert.equal([telegram.texts(), await greetings(db)], [['directly', 'then true'], []])
})

test.run()
