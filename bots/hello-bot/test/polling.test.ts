import type { Update } from 'grammy/types'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { poll } from '../src/polling.ts'
import { afterwards, cleanUp } from './support/cleanup.ts'
import { setUp } from './support/setup.ts'
import { until } from './support/until.ts'
import { message } from './support/updates.ts'

test.after.each(cleanUp)

/** Polls until told to end; `take` answers with `again` as often as is said. */
async function polling(options: { again?: number; conflictLimit?: number } = {}) {
  const { bot, telegram, log, text } = await setUp()
  const taken: number[] = []
  let again = options.again ?? 0
  const take = async ({ update_id }: Update) => {
    taken.push(update_id)
    return again-- > 0 ? 'again' : 'done'
  }
  const end = new AbortController()
  afterwards(() => end.abort())
  const { conflictLimit = 60_000 } = options
  const ended = poll({ api: bot.api, take, log, signal: end.signal, conflictLimit })
  ended.catch(() => {})
  const stop = async () => {
    end.abort()
    await ended
  }
  const offsets = () =>
    telegram.all().flatMap(({ method, payload }) => (method === 'getUpdates' ? [payload.offset] : []))
  return { telegram, taken, ended, offsets, text, stop }
}

test('the webhook goes first, without what waits there; then updates are taken in order and confirmed', async () => {
  const { telegram, taken, offsets, stop } = await polling()
  const [one, two, three] = [message('1'), message('2'), message('3')]
  telegram.updates([one, two], [three])
  const ids = [one, two, three].map(({ update_id }) => update_id)
  await until(() => offsets().at(-1) === three.update_id + 1)
  await stop()
  assert.equal(taken, ids)
  assert.equal(
    [...new Set(offsets())].slice(-2),
    [ids[1], ids[2]].map((id) => Number(id) + 1),
  )
  const [first, second] = telegram.all().filter(({ method }) => method !== 'getMe')
  assert.equal(first, { method: 'deleteWebhook', payload: { drop_pending_updates: false } })
  assert.equal(second?.payload.allowed_updates, ['message', 'callback_query'])
})

test('an update that must come again is taken again before the next', async () => {
  const { telegram, taken, stop } = await polling({ again: 1 })
  const [one, two] = [message('1'), message('2')]
  telegram.updates([one, two])
  await until(() => taken.length === 3)
  await stop()
  assert.equal(taken, [one.update_id, one.update_id, two.update_id])
})

test('a fault of Telegram is waited out', async () => {
  const { telegram, taken, text, stop } = await polling()
  telegram.answer('getUpdates', { error_code: 502 })
  telegram.updates([message('1')])
  await until(() => taken.length === 1)
  await stop()
  assert.match(text(), 'getUpdates failed: trying again')
})

test('a poller that is being replaced is waited for', async () => {
  const { telegram, taken, text, stop } = await polling()
  telegram.answer('getUpdates', { error_code: 409 })
  telegram.updates([message('1')])
  await until(() => taken.length === 1)
  await stop()
  assert.match(text(), 'another process polls with this token: trying again')
})

test('one that stays ends this one, also where a call succeeds now and then', async () => {
  const { telegram, ended } = await polling({ conflictLimit: 2_900 })
  const conflict = { error_code: 409 }
  telegram.answer('getUpdates', conflict, conflict, conflict)
  const message = await ended.then(String, (error: Error) => error.message)
  assert.is(message, 'another process polls with this token: stop it, or give this bot a token of its own')
})

test('a token that was revoked ends it', async () => {
  const { telegram, ended } = await polling()
  telegram.answer('getUpdates', { error_code: 401 })
  const message = await ended.then(String, (error: Error) => error.message)
  assert.match(message, 'BOT_TOKEN')
})

test('it stops in the middle of a long poll', async () => {
  const { telegram, offsets, stop } = await polling()
  telegram.hold(new Promise(() => {}), 'getUpdates')
  await until(() => offsets().length > 0)
  const begun = performance.now()
  await stop()
  assert.ok(performance.now() - begun < 5_000)
})

test.run()
