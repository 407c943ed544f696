import { Composer, GrammyError } from 'grammy'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { BotContext } from '../src/context.ts'
import { errorFields } from '../src/log.ts'
import { cleanUp } from './support/cleanup.ts'
import { secret, setUp, token } from './support/setup.ts'
import { anna, message, press } from './support/updates.ts'

test.after.each(cleanUp)

const secretive = { ...anna, first_name: 'Annabella', last_name: 'Secretive', username: 'annabella_s' }

test('an update is a line: its id, kind, time and outcome', async () => {
  const { bot, entries } = await setUp()
  const update = message('/start')
  await bot.handleUpdate(update)
  await bot.handleUpdate(press('count:press'))
  const { time, ms, ...rest } = entries()[0] ?? {}
  assert.equal(rest, { level: 'info', update_id: update.update_id, type: 'message', outcome: 'handled', msg: 'update' })
  assert.type(ms, 'number')
  assert.ok(Date.parse(String(time)) > 0)
  assert.is(entries()[1]?.type, 'callback_query')
})

test('neither text nor names come into the log, whatever becomes of the update', async () => {
  const features = new Composer<BotContext>((ctx) => {
    const text = ctx.message?.text ?? ''
    if (text.startsWith('parse')) JSON.parse(text)
    if (text.startsWith('word')) throw new Error(`unknown word: ${text.split(' ')[1]}`)
    if (text.startsWith('throw')) throw new Error(`cannot do "${text}" for ${ctx.from?.first_name}`)
    ctx.send(() => ctx.reply(`You said: ${text}`))
  })
  const { handle, telegram, text, entries } = await setUp({ features })
  telegram.answer('sendMessage', { error_code: 400, description: 'Bad Request: chat not found' })
  for (const verb of ['parse', 'word', 'throw', 'refuse'])
    await handle(message(`${verb} confidential words`, secretive))
  for (const word of ['conf', 'words', 'Annabella', 'Secretive', 'annabella_s']) assert.not.match(text(), word)
  assert.equal(
    entries().map(({ msg }) => msg),
    [...Array(3).fill(['a handler failed', 'update']).flat(), 'update', 'a call to Telegram was refused'],
  )
  assert.match(text(), 'Bad Request: chat not found')
  assert.match(text(), 'log.test.ts')
})

test('secrets are struck out of any line', async () => {
  const { log, text } = await setUp()
  log.error({ err: new Error(`calling /bot${token}/getMe`), headers: { secret } }, `token ${token}`)
  const answer = { ok: false, error_code: 400, description: 'no' } as const
  log.error({ err: new GrammyError('failed', answer, 'sendMessage', { text: 'confidential' }) })
  assert.not.match(text(), 'confidential')
  log.child({ url: `http://x/${token}` }).info('child')
  assert.not.match(text(), token)
  assert.not.match(text(), secret)
  assert.match(text(), 'calling /bot***/getMe')
})

test('of an error there is what it was and where, and nothing that was sent', () => {
  const answer = { ok: false, error_code: 400, description: 'no' } as const
  const fields = errorFields(new GrammyError('failed', answer, 'sendMessage', { text: 'confidential' }))
  assert.equal([fields.type, fields.code], ['GrammyError', 400])
  assert.not.match(JSON.stringify(fields), 'confidential')
  assert.equal(errorFields('thrown'), { type: 'string', message: 'thrown' })
  const inner = errorFields(new Error('outer', { cause: new Error('inner') })).cause as { message: string }
  assert.is(inner.message, 'inner')
})

test.run()
