import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chat } from '../../sandbox/cli/chat.ts'
import { linesOf } from '../../sandbox/cli/chat-lines.ts'
import { endAll, folder, pixel, telegram, upload } from './support.ts'

type It = Awaited<ReturnType<typeof telegram>>
// biome-ignore lint/suspicious/noExplicitAny: whatever an update is about
type Update = any

test.after.each(endAll)

/** What a bot of a shop does: it answers each kind of update. */
async function answerTo({ call }: It, update: Update): Promise<void> {
  const { message, callback_query: press, pre_checkout_query: checkout, inline_query: query } = update
  const to = (args: object) => ({ chat_id: 7, ...args })
  const price = {
    title: 'Coffee',
    description: 'One cup',
    payload: '1',
    currency: 'XTR',
    prices: [{ label: 'a', amount: 5 }],
  }
  if (message?.text === '/photo')
    await call('sendPhoto', upload({ chat_id: '7', caption: 'mine' }, { photo: ['a.png', pixel] }))
  if (message?.text === '/album') {
    const media = ['one', 'two'].map((name) => ({ type: 'document', media: `attach://${name}`, caption: name }))
    await call(
      'sendMediaGroup',
      upload({ chat_id: '7', media: JSON.stringify(media) }, { one: ['1.txt', 'a'], two: ['2.txt', 'b'] }),
    )
  }
  if (message?.text === '/buy') await call('sendInvoice', to(price))
  if (message?.text === '/link')
    await call('sendMessage', to({ text: (await call('createInvoiceLink', price)).result }))
  if (checkout) await call('answerPreCheckoutQuery', { pre_checkout_query_id: checkout.id, ok: true })
  if (message?.successful_payment) await call('sendMessage', to({ text: 'thanks' }))
  if (message?.document) await call('sendMessage', to({ text: `${message.document.file_name}: ${message.caption}` }))
  if (message?.photo)
    await call('setMessageReaction', to({ message_id: message.message_id, reaction: [{ type: 'emoji', emoji: '👍' }] }))
  if (message?.contact)
    await call('sendMessage', to({ text: message.contact.phone_number, reply_markup: { remove_keyboard: true } }))
  if (update.edited_message) await call('sendMessage', to({ text: `now ${update.edited_message.text}` }))
  if (message?.text === '/menu') {
    const app = { text: 'Shop', web_app: { url: 'https://e.org/shop' } }
    const site = { text: 'Site', url: 'https://e.org' }
    await call(
      'sendMessage',
      to({ text: 'menu', reply_markup: { inline_keyboard: [[site, app, { text: 'Out', callback_data: 'out' }]] } }),
    )
  }
  if (message?.text === '/ask') {
    const reply_markup = { keyboard: [['Yes', { text: 'My number', request_contact: true }]] }
    await call('sendMessage', to({ text: 'well?', reply_markup }))
  }
  if (message?.text === '/poll') await call('sendPoll', to({ question: 'Tea?', options: ['yes', 'no'] }))
  if (message?.text === 'Yes') await call('sendMessage', to({ text: 'good' }))
  if (press) await call('deleteMessage', to({ message_id: press.message.message_id }))
  if (query) {
    const results = [
      { type: 'article', id: '1', title: 'Cat', description: 'small', input_message_content: { message_text: 'Meow' } },
    ]
    await call('answerInlineQuery', { inline_query_id: query.id, results: query.query === 'cats' ? results : [] })
  }
}

/** The exit code of a conversation by a pipe, and what it printed. */
async function talk(lines: string): Promise<{ exit: number; shown: string }> {
  const it = await telegram({ timeScale: 1 })
  const stop = new AbortController()
  const serving = (async () => {
    for (let offset = 0; !stop.signal.aborted; ) {
      const { result = [] } = await it
        .call('getUpdates', { offset, timeout: 1 })
        .catch(() => ({}) as { result?: never })
      for (const update of result) {
        offset = update.update_id + 1
        await answerTo(it, update)
      }
    }
  })()
  const input = new PassThrough()
  const output = new PassThrough()
  let shown = ''
  output.on('data', (part) => {
    shown += part
  })
  input.end(lines)
  const exit = await chat(it.client, 'hello-bot', { chatId: 7, language: 'en', input, output, answerTimeout: 5 })
  stop.abort()
  await it.close()
  await serving
  return { exit, shown }
}

const conversations: [what: string, lines: string, shown: string][] = [
  ['a photo', '/photo\n', '[photo 1×1] mine\n'],
  ['an album', '/album\n', '[album, document 1.txt, 1 bytes] one\n[album, document 2.txt, 1 bytes] two\n'],
  [
    'an invoice, and pays it',
    '/buy\n#1\n',
    '[invoice] Coffee: One cup, 5 XTR\n  [1] Pay 5 XTR\n(paid 5 XTR)\nthanks\n',
  ],
  [
    'the newest invoice, and pays it',
    '/buy\n!pay\n',
    '[invoice] Coffee: One cup, 5 XTR\n  [1] Pay 5 XTR\n(paid 5 XTR)\nthanks\n',
  ],
  ['a deletion, upon a press', '/menu\n#2\n', 'menu\n  Site: https://e.org  [1] Shop (app)  [2] Out\n(deleted) menu\n'],
  [
    'the results of an inline query, and the chosen one',
    '!inline cats\n#1\n',
    'results for "cats":\n  [1] Cat: small\nMeow\n',
  ],
  ['that there are no results', '!inline dogs\n', 'results for "dogs":\n  none\n'],
  ['buttons under the input field, which write', '/ask\n#1\n', 'well?\n  [1] Yes  [2] My number\ngood\n'],
  [
    'the contact that a button asks for',
    '/ask\n#2\n',
    'well?\n  [1] Yes  [2] My number\n15550100\n  (the buttons under the input field are gone)\n',
  ],
  [
    'a poll, and votes in it',
    '/poll\n#2\n',
    '[poll] Tea?\n  [1] yes: 0\n  [2] no: 0\n[poll] Tea?\n  [1] yes: 0\n  [2] no: 1\n',
  ],
  ['nothing anew upon a reaction', '/photo\n!react 🔥\n/photo\n', '[photo 1×1] mine\n[photo 1×1] mine\n'],
  ['what an edit brings', '/photo\n!edit hello\n', '[photo 1×1] mine\nnow hello\n'],
]
for (const [what, lines, shown] of conversations) {
  test(`shows ${what}`, async () => assert.equal(await talk(lines), { exit: 0, shown }))
}

test('uploads a file, by its name as what it is', async () => {
  const [list, picture] = [join(folder, 'my list.csv'), join(folder, 'a.png')]
  writeFileSync(list, 'a,b')
  writeFileSync(picture, pixel)
  const { exit, shown } = await talk(`!upload "${list}" with words\n!upload ${picture}\n!document ${picture} plain\n`)
  assert.is(shown, 'my list.csv: with words\n(👍 on: [photo 1×1])\na.png: plain\n')
  assert.is(exit, 0)
})

test('opens a Mini App by printing its URL', async () => {
  const { shown } = await talk('/menu\n#1\n!app https://e.org/other\n')
  assert.match(shown, /\nhttps:\/\/e\.org\/shop#tgWebAppData=query_id.*\nhttps:\/\/e\.org\/other#tgWebAppData=/)
})

test('help is not for the bot, and !! writes what begins with !', async () => {
  const { shown } = await talk('!help\n')
  for (const word of ['!upload', '!pay', '!inline', '!app']) assert.match(shown, word)
})

const wrong: [line: string, shown: string][] = [
  ['!pya', 'unknown !pya (did you mean "pay"?); see !help\n'],
  ['!pay', 'Bad Request: chat 7 shows no invoice\n'],
  ['!upload', 'which file? !upload FILE [CAPTION]\n'],
  ['!edit', '!edit needs a text, and a message of yours before it\n'],
  ['!app', 'Bad Request: the bot has no menu button that opens a Mini App\n'],
]
for (const [line, shown] of wrong) {
  test(`${line} is said to be wrong, and is exit code 3`, async () => {
    assert.equal(await talk(`${line}\n`), { exit: 3, shown })
  })
}

test('a file that cannot be read is named', async () => {
  const { exit, shown } = await talk('!upload /nowhere/a.png\n')
  assert.match(shown, /^cannot read \/nowhere\/a\.png: ENOENT/)
  assert.is(exit, 3)
})

test('edits and media are named as such', () => {
  const base = { seq: 1, chat: 7, from: 'bot', kind: 'message', message_id: 1, at: 0, text: 'a' } as const
  assert.equal(linesOf({ ...base, editedAt: 1 }), ['(edited) a'])
  assert.equal(linesOf({ ...base, text: '', content: { dice: { emoji: '🎲', value: 4 } } }), ['[🎲 4]'])
  assert.equal(linesOf({ ...base, content: { voice: { file_id: '', file_unique_id: '', duration: 1 } } }), [
    '[voice] a',
  ])
})

test.run()
