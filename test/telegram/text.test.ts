import type { MessageEntity } from '@grammyjs/types'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { detected } from '../../sandbox/telegram/text/detected.ts'
import { parseHtml } from '../../sandbox/telegram/text/html.ts'
import { parseMarkdown } from '../../sandbox/telegram/text/markdown.ts'
import { parseMarkdownV2 } from '../../sandbox/telegram/text/markdown-v2.ts'
import { endAll, withPerson } from './support.ts'

test.after.each(endAll)

/** Entities as `type offset+length`, and what else they say. */
const shown = (entities: readonly MessageEntity[]) =>
  entities.map(({ type, offset, length, ...more }) => [`${type} ${offset}+${length}`, ...Object.values(more)].join(' '))

type Parse = typeof parseHtml
const right: [parse: Parse, source: string, text: string, entities: string[]][] = [
  [parseHtml, '<b>a</b> &lt;b&gt; &amp;amp; &#1078;', 'a <b> &amp; ж', ['bold 0+1']],
  [parseHtml, '<b>a<i>b</i></b>', 'ab', ['bold 0+2', 'italic 1+1']],
  [parseHtml, '<a href="https://e.org/?a=1&amp;b">x</a>', 'x', ['text_link 0+1 https://e.org/?a=1&b']],
  [parseHtml, '<pre><code class="language-ts">1</code></pre>', '1', ['code 0+1', 'pre 0+1']],
  [
    parseHtml,
    '<tg-spoiler>😀</tg-spoiler><blockquote expandable>q</blockquote>',
    '😀q',
    ['spoiler 0+2', 'expandable_blockquote 2+1'],
  ],
  [parseHtml, '<b></b>a > b &copy;', 'a > b &copy;', []],
  [
    parseMarkdownV2,
    '*a _b_* ~c~ ||d|| __e__',
    'a b c d e',
    ['bold 0+3', 'italic 2+1', 'strikethrough 4+1', 'spoiler 6+1', 'underline 8+1'],
  ],
  [
    parseMarkdownV2,
    '1\\.5 \\- `a.b` [x](https://e.org/\\))',
    '1.5 - a.b x',
    ['code 6+3', 'text_link 10+1 https://e.org/)'],
  ],
  [parseMarkdownV2, '```ts\nlet a = 1;```', 'let a = 1;', ['pre 0+10 ts']],
  [parseMarkdownV2, '>a\n>b\nc', 'a\nb\nc', ['blockquote 0+4']],
  [parseMarkdownV2, '_it __both___', 'it both', ['italic 0+7', 'underline 3+4']],
  [
    parseMarkdown,
    '*a* _b_ `c` [d](https://e.org) \\_x\\_ 1.5',
    'a b c d _x_ 1.5',
    ['bold 0+1', 'italic 2+1', 'code 4+1', 'text_link 6+1 https://e.org'],
  ],
]
for (const [parse, source, text, entities] of right) {
  test(`${parse.name} reads ${source}`, () => {
    const parsed = parse(source)
    assert.is(parsed.text, text)
    assert.equal(shown(parsed.entities), entities)
  })
}

const wrong: [parse: Parse, source: string, message: string][] = [
  [parseHtml, '1 < 2', 'Unsupported start tag "" at byte offset 2'],
  [parseHtml, 'a <b', 'Unclosed start tag at byte offset 2'],
  [parseHtml, 'ж<div>a</div>', 'Unsupported start tag "div" at byte offset 2'],
  [parseHtml, '<b>a', `Can't find end tag corresponding to start tag "b"`],
  [parseHtml, '<b>a</i>', 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'],
  [parseHtml, 'a</b>', 'Unexpected end tag at byte offset 1'],
  [parseMarkdownV2, 'v1.5', "Character '.' is reserved and must be escaped with the preceding '\\'"],
  [parseMarkdownV2, 'a!', "Character '!' is reserved and must be escaped with the preceding '\\'"],
  [parseMarkdownV2, '🏟 🏟_abacaba', "Can't find end of Italic entity at byte offset 9"],
  [parseMarkdownV2, '🏟 🏟_abac * asd ', "Can't find end of Bold entity at byte offset 15"],
  [parseMarkdownV2, '🏟 🏟`', "Can't find end of Code entity at byte offset 9"],
  [parseMarkdown, 'a_b', "Can't find end of the entity starting at byte offset 1"],
]
for (const [parse, source, message] of wrong) {
  test(`${parse.name} refuses ${source}`, () => {
    assert.throws(
      () => parse(source),
      (error: Error) => error.message === `Bad Request: can't parse entities: ${message}`,
    )
  })
}

test('commands, links, names and tags are seen in plain text', () => {
  const text = '/start@x_bot see https://e.org/a. or e.org, @friend a@b.org #tag'
  assert.equal(
    detected(text).map(({ type, offset, length }) => [type, text.slice(offset, offset + length)]),
    [
      ['bot_command', '/start@x_bot'],
      ['url', 'https://e.org/a'],
      ['url', 'e.org'],
      ['mention', '@friend'],
      ['email', 'a@b.org'],
      ['hashtag', '#tag'],
    ],
  )
})

test('a message is sent by its parse mode, whatever letters it is in, or by given entities', async () => {
  const { call } = await withPerson()
  const send = async (args: object) => (await call('sendMessage', { chat_id: 7, ...args })).result
  assert.equal((await send({ text: ' <b>a</b> /go', parse_mode: 'Html' })).entities, [
    { type: 'bold', offset: 0, length: 1 },
    { type: 'bot_command', offset: 2, length: 3 },
  ])
  const entities = [{ type: 'italic', offset: 0, length: 1 }]
  assert.equal((await send({ text: '*a*', entities })).entities, entities)
  assert.is((await send({ text: '*a*' })).text, '*a*')
  assert.is(
    (await call('sendMessage', { chat_id: 7, text: 'a', parse_mode: 'XML' })).description,
    'Bad Request: unsupported parse_mode',
  )
})

test.run()
