import { setTimeout as pause } from 'node:timers/promises'
import { Composer } from 'grammy'
import { sql } from 'kysely'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { start } from '../src/features/start.ts'
import { cleanUp } from './support/cleanup.ts'
import { deadDatabase, greetings, processed } from './support/database.ts'
import { setUp } from './support/setup.ts'
import { until } from './support/until.ts'
import { anna, message } from './support/updates.ts'

test.after.each(cleanUp)

/** Greets, with its effect and its reply, and then does what a test wants. */
function greetingThen(next: (ctx: BotContext) => unknown): Composer<BotContext> {
  const after = new Composer<BotContext>()
  after.use(async (ctx, onward) => {
    await onward()
    await next(ctx)
  }, start)
  return after
}

test('an update that comes twice has one effect and one reply', async () => {
  const { bot, telegram, db, entries } = await setUp()
  const update = message('/start')
  await bot.handleUpdate(update)
  await bot.handleUpdate(update)
  assert.equal([await greetings(db), telegram.calls().length, await processed(db)], [[1], 1, 1])
  assert.equal(
    entries().map(({ outcome }) => outcome),
    ['handled', 'duplicate'],
  )
})

test('so it has where the second comes while the first is being handled', async () => {
  const { bot, telegram, db } = await setUp()
  const update = message('/start')
  await Promise.all([update, update, update].map((each) => bot.handleUpdate(each)))
  assert.equal([await greetings(db), telegram.calls().length], [[1], 1])
})

test('the reply is sent before the commit: cut off in between, there are two replies and never none', async () => {
  const { bot, telegram, db } = await setUp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  const handled = bot.handleUpdate(message('/start'))
  await until(() => telegram.calls().length > 0)
  // There is one connection: this is answered when the transaction has ended.
  let read = false
  const reading = processed(db).finally(() => {
    read = true
  })
  await pause(50)
  assert.not(read)
  answer()
  await handled
  assert.is(await reading, 1)
})

test('a bug in a handler takes back its effects and replies, and the update does not come again', async () => {
  const features = greetingThen(() => {
    throw new TypeError('not a function')
  })
  const { bot, telegram, db, entries } = await setUp({ features })
  const update = message('/start')
  await bot.handleUpdate(update)
  assert.equal([await greetings(db), telegram.calls(), await processed(db)], [[], [], 1])
  await bot.handleUpdate(update)
  assert.equal(
    entries().map(({ outcome, msg }) => outcome ?? msg),
    ['a handler failed', 'bug', 'duplicate'],
  )
})

test('a wrong query is a bug like any other, also where the handler catches it', async () => {
  for (const wrong of ['throws', 'catches']) {
    const features = greetingThen((ctx) => {
      const query = sql`select * from nowhere`.execute(ctx.db)
      return wrong === 'throws' ? query : query.catch(() => {})
    })
    const { bot, telegram, db, entries } = await setUp({ features })
    await bot.handleUpdate(message('/start'))
    assert.equal([await greetings(db), telegram.calls(), await processed(db)], [[], [], 1], wrong)
    assert.is(entries().at(-1)?.outcome, 'bug', wrong)
  }
})

test('what the database may get over makes the update come again: a lock, a deadlock, a shutdown', async () => {
  for (const code of ['55P03', '40P01', '57P01', '53300', '08006']) {
    const fault = Object.assign(new Error('later'), { code })
    const features = greetingThen(() => Promise.reject(fault))
    const { bot, db, entries } = await setUp({ features })
    await assertThrows(bot.handleUpdate(message('/start')))
    assert.equal([await greetings(db), await processed(db), entries().at(-1)?.outcome], [[], 0, 'again'], code)
  }
})

test('without a database the update must come again, and nothing is sent', async () => {
  const { bot, telegram, entries } = await setUp({ db: deadDatabase() })
  await assertThrows(bot.handleUpdate(message('/start')))
  assert.equal(telegram.calls(), [])
  assert.is(entries().at(-1)?.outcome, 'again')
})

test('a user who has blocked the bot is no reason to take anything back', async () => {
  for (const error_code of [400, 403]) {
    const { bot, telegram, db, entries } = await setUp()
    telegram.answer('sendMessage', { error_code })
    await bot.handleUpdate(message('/start'))
    assert.equal([await greetings(db), await processed(db)], [[1], 1])
    assert.equal(
      entries().map(({ outcome, msg }) => outcome ?? msg),
      ['a call to Telegram was refused', 'handled'],
    )
  }
})

test('where Telegram asks to wait too long, or the token was revoked, the update must come again', async () => {
  for (const answer of [{ error_code: 429, parameters: { retry_after: 600 } }, { error_code: 401 }]) {
    const { bot, telegram, db } = await setUp()
    telegram.answer('sendMessage', answer)
    const update = message('/start')
    await assertThrows(bot.handleUpdate(update))
    assert.equal([await greetings(db), await processed(db)], [[], 0])
    await bot.handleUpdate(update)
    assert.equal([await greetings(db), telegram.calls().length], [[1], 2])
  }
})

test('a short wait that Telegram asks for is waited for', async () => {
  const { bot, telegram, db } = await setUp()
  telegram.answer('sendMessage', { error_code: 429, parameters: { retry_after: 1 } })
  await bot.handleUpdate(message('/start'))
  assert.equal([await greetings(db), telegram.calls().length], [[1], 2])
})

test('without a way to Telegram it is given up in time, and the update must come again', async () => {
  const { bot, telegram, db } = await setUp({ secondsToSend: 1 })
  telegram.close()
  const begun = performance.now()
  await assertThrows(bot.handleUpdate(message('/start')))
  assert.ok(performance.now() - begun < 6_000)
  assert.equal([await greetings(db), await processed(db)], [[], 0])
})

test('a Telegram that never answers is given up in time too', async () => {
  const { bot, telegram, db } = await setUp({ secondsToSend: 1 })
  telegram.hold(new Promise(() => {}))
  await assertThrows(bot.handleUpdate(message('/start', anna)))
  assert.equal([await greetings(db), await processed(db)], [[], 0])
})

async function assertThrows(promise: Promise<unknown>): Promise<void> {
  const thrown = await promise.then(
    () => false,
    () => true,
  )
  assert.ok(thrown, 'should have thrown')
}

test.run()
