import type { MessageEntity } from '@grammyjs/types'

type Plain = 'bot_command' | 'url' | 'email' | 'mention' | 'hashtag'

// In this order: an address of mail is no mention, and what is in a link is nothing else.
const kinds: readonly [Plain, RegExp][] = [
  [
    'url',
    /(?<![^\s(])(?:https?:\/\/[^\s<>"]+|(?:[a-z0-9-]+\.)+(?:com|org|net|io|me|dev|ru|app)(?:\/[^\s<>"]*)?)(?<![.,!?)])/gi,
  ],
  ['email', /(?<![^\s(])[\w.+-]+@(?:[a-z0-9-]+\.)+[a-z]{2,}/gi],
  ['bot_command', /(?<![^\s])\/[a-z0-9_]{1,32}(@\w+)?(?!\w)/gi],
  ['mention', /(?<!\w)@[a-z]\w{3,31}/gi],
  ['hashtag', /(?<![\w&])#[\p{L}\d_]*\p{L}[\p{L}\d_]*/gu],
]

/** What Telegram sees in a text by itself: commands, links and the like. Offsets count UTF-16 units. */
export function detected(text: string): MessageEntity[] {
  const found: MessageEntity[] = []
  for (const [type, pattern] of kinds) {
    for (const { 0: word, index } of text.matchAll(pattern)) {
      const [from, to] = [index, index + word.length]
      if (!found.some(({ offset, length }) => from < offset + length && offset < to))
        found.push({ type, offset: from, length: word.length })
    }
  }
  return found.sort((one, other) => one.offset - other.offset)
}
