import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chat } from '../../sandbox/cli/chat.ts'
import { linesOf } from '../../sandbox/cli/chat-lines.ts'
import { endAll, telegram, until } from './support.ts'

type It = Awaited<ReturnType<typeof telegram>>

/** A bot that greets with two buttons, and edits its message upon a press. */
async function greeter({ call }: It, stop: AbortSignal): Promise<void> {
  let offset = 0
  while (!stop.aborted) {
    const { result = [] } = await call('getUpdates', { offset, timeout: 1 }).catch(() => ({}) as { result?: never })
    for (const { update_id, message, callback_query: query } of result) {
      offset = update_id + 1
      const rows = [
        [
          { text: 'Yes', callback_data: 'yes' },
          { text: 'No', callback_data: 'no' },
        ],
      ]
      const shown = { reply_markup: { inline_keyboard: rows } }
      if (message?.text === '/start') await call('sendMessage', { chat_id: 7, text: 'Hello\nthere', ...shown })
      if (query) {
        const edited = { chat_id: 7, message_id: query.message.message_id, text: `You said ${query.data}` }
        await call('answerCallbackQuery', { callback_query_id: query.id, text: 'noted' })
        await call('editMessageText', edited)
      }
    }
  }
}

/** A conversation with the greeter, by a pipe or on a terminal. */
async function begin({ isTTY = false, answerTimeout = 5 } = {}) {
  const it = await telegram()
  const stop = new AbortController()
  const bot = greeter(it, stop.signal)
  const input = Object.assign(new PassThrough(), { isTTY })
  const output = new PassThrough()
  let shown = ''
  output.on('data', (part) => {
    shown += part
  })
  const code = chat(it.client, 'hello-bot', { chatId: 7, language: 'en', input, output, answerTimeout })
  const end = async () => {
    input.end()
    const exit = await code
    stop.abort()
    await it.close()
    await bot
    return { exit, shown }
  }
  return { input, shows: (text: string) => until(() => shown.includes(text)), end }
}

async function piped(lines: string, options = {}) {
  const { input, end } = await begin(options)
  input.write(lines)
  return end()
}

test.after.each(endAll)

test('each line of a pipe waits for its answer, #1 presses a button', async () => {
  const { exit, shown } = await piped('/start\n#2\n')
  assert.is(shown, 'Hello\nthere\n  [1] Yes  [2] No\n(noted)\n(edited) You said no\n')
  assert.is(exit, 0)
})

test('no answer in time is exit code 3', async () => {
  const { exit, shown } = await piped('what?\n', { answerTimeout: 0.05 })
  assert.is(shown, 'hello-bot: no answer within 0.05 s\n')
  assert.is(exit, 3)
})

test('a button that is not there is exit code 3', async () => {
  assert.equal(await piped('#1\n'), { exit: 3, shown: 'there is no button #1\n' })
})

test('on a terminal answers come as they come', async () => {
  const { input, shows, end } = await begin({ isTTY: true })
  input.write('/start\n')
  await shows('[1] Yes  [2] No')
  input.write('#1\n')
  await shows('(edited) You said yes')
  assert.is((await end()).exit, 0)
})

test('a bot that is not there is suggested another', async () => {
  const { client } = await telegram()
  const options = { chatId: 7, language: 'en', input: new PassThrough(), output: new PassThrough() }
  const error = await chat(client, 'helo-bot', options).catch(String)
  assert.match(String(error), 'has no bot "helo-bot" (did you mean "hello-bot"?): there are hello-bot')
})

test('buttons with an address are no buttons to press', () => {
  const keyboard = [[{ text: 'Site', url: 'https://example.org' }], [{ text: 'Yes', callback_data: 'yes' }]]
  const entry = { seq: 1, chat: 7, from: 'bot', kind: 'message', message_id: 1, at: 0, text: 'a', keyboard } as const
  assert.equal(linesOf(entry), ['a', '  Site: https://example.org', '  [1] Yes'])
})

test.run()
