import { Composer } from 'grammy'
import { sql } from 'kysely'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { start } from '../src/features/start.ts'
import { cleanUp } from './support/cleanup.ts'
import { deadDatabase, greetings, processed, waiting } from './support/database.ts'
import { setUp } from './support/setup.ts'
import { until } from './support/until.ts'
import { message } from './support/updates.ts'

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

/** Greets, and calls directly, as a handler does that needs the answer. */
const asking = greetingThen((ctx) => ctx.reply('directly'))

test('an update that comes twice has one effect and one reply', async () => {
  const { handle, telegram, db, entries } = await setUp()
  const update = message('/start')
  await handle(update)
  await handle(update)
  assert.equal([await greetings(db), telegram.calls().length, await processed(db)], [[1], 1, 1])
  assert.equal(
    entries().map(({ outcome }) => outcome),
    ['handled', 'duplicate'],
  )
})

test('so it has where the second comes while the first is being handled', async () => {
  const { handle, telegram, db } = await setUp()
  const update = message('/start')
  await Promise.all([update, update, update].map((each) => handle(each)))
  assert.equal([await greetings(db), telegram.calls().length], [[1], 1])
})

test('Telegram is called after the commit, and the call is forgotten when it has answered', async () => {
  const { bot, telegram, db } = await setUp()
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  telegram.hold(answered)
  await bot.handleUpdate(message('/start'))
  assert.equal([await greetings(db), await processed(db), await waiting(db)], [[1], 1, 1])
  await until(() => telegram.calls().length === 1)
  assert.is(await waiting(db), 1)
  answer()
  await until(async () => (await waiting(db)) === 0)
  assert.is(telegram.calls().length, 1)
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

test('a commit that fails takes back effects and replies: none was made before it', async () => {
  const features = greetingThen(async ({ db }) => {
    await sql`create temporary table if not exists twice (id integer unique deferrable initially deferred)`.execute(db)
    await sql`insert into twice values (1), (1)`.execute(db)
  })
  const { bot, outbox, telegram, db, entries } = await setUp({ features })
  await bot.handleUpdate(message('/start'))
  await outbox.close(1_000)
  assert.equal([await greetings(db), telegram.calls(), await processed(db), await waiting(db)], [[], [], 1, 0])
  assert.is(entries().at(-1)?.outcome, 'bug')
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
    const { handle, telegram, db, entries } = await setUp()
    telegram.answer('sendMessage', { error_code })
    await handle(message('/start'))
    assert.equal([await greetings(db), await processed(db), telegram.calls().length], [[1], 1, 1])
    assert.equal(
      entries().map(({ outcome, msg }) => outcome ?? msg),
      ['handled', 'a call to Telegram was refused'],
    )
  }
})

test('where Telegram wants a direct call later, or the token was revoked, the update must come again', async () => {
  for (const answer of [{ error_code: 429, parameters: { retry_after: 600 } }, { error_code: 401 }]) {
    const { bot, telegram, db } = await setUp({ features: asking })
    telegram.answer('sendMessage', answer)
    const update = message('/start')
    await assertThrows(bot.handleUpdate(update))
    assert.equal([await greetings(db), await processed(db), await waiting(db)], [[], 0, 0])
    await bot.handleUpdate(update)
    assert.equal([await greetings(db), await processed(db)], [[1], 1])
  }
})

test('a direct call that nobody answers is given up in time, and the update must come again', async () => {
  for (const gone of [true, false]) {
    const { bot, telegram, db } = await setUp({ features: asking, secondsToSend: 1 })
    if (gone) telegram.close()
    else telegram.hold()
    const begun = performance.now()
    await assertThrows(bot.handleUpdate(message('/start')))
    assert.ok(performance.now() - begun < 8_000)
    assert.equal([await greetings(db), await processed(db)], [[], 0])
  }
})

async function assertThrows(promise: Promise<unknown>): Promise<void> {
  const thrown = await promise.then(
    () => false,
    () => true,
  )
  assert.ok(thrown, 'should have thrown')
}

test.run()
