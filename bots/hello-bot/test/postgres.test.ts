// What only a real server shows: several connections at once. Runs with TEST_DATABASE_URL, on a database of its own.
import { setTimeout as pause } from 'node:timers/promises'
import { Composer } from 'grammy'
import { sql } from 'kysely'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { start } from '../src/features/start.ts'
import { cleanUp } from './support/cleanup.ts'
import { greetings, processed, serverDatabase } from './support/database.ts'
import { setUp } from './support/setup.ts'
import { until } from './support/until.ts'
import { anna, boris, message } from './support/updates.ts'

const { TEST_DATABASE_URL: url = '' } = process.env
const real = url === '' ? test.skip : test

test.after.each(cleanUp)

/** Counts as one should not: it reads, thinks, and writes. */
const slowly = new Composer<BotContext>(async ({ db, from }) => {
  const id = from?.id ?? 0
  const user = await db.selectFrom('users').select('greetings').where('id', '=', id).executeTakeFirst()
  await pause(50)
  const next = { id, greetings: (user?.greetings ?? 0) + 1 }
  await db
    .insertInto('users')
    .values(next)
    .onConflict((conflict) => conflict.column('id').doUpdateSet(next))
    .execute()
})

real('updates of one chat wait for each other', async () => {
  const db = await serverDatabase(url)
  const { bot } = await setUp({ db, features: slowly })
  await Promise.all([anna, boris, anna].map((from) => bot.handleUpdate(message('x', from))))
  assert.equal(await greetings(db), [2, 1])
})

real('an update that comes again while the first is handled has no effect', async () => {
  const db = await serverDatabase(url)
  const { handle, telegram } = await setUp({ db })
  const update = message('/start')
  await Promise.all([update, update, update].map((each) => handle(each)))
  assert.equal([await greetings(db), telegram.calls().length], [[1], 1])
})

real('a server that goes while a handler works ends nothing but the update, which comes again', async () => {
  const db = await serverDatabase(url)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let begun = false
  const features = new Composer<BotContext>(async (_, next) => {
    begun = true
    await ended
    await next()
  }, start)
  const { bot, handle, telegram } = await setUp({ db, features })
  const update = message('/start')
  const handled = bot.handleUpdate(update).then(
    () => 'handled',
    () => 'again',
  )
  await until(() => begun)
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where state = 'idle in transaction' and usename = current_user`.execute(
    db,
  )
  await pause(50)
  end()
  assert.is(await handled, 'again')
  assert.equal([await greetings(db), await processed(db), telegram.calls()], [[], 0, []])
  await handle(update)
  assert.equal([await greetings(db), telegram.calls().length], [[1], 1])
})

test.run()
