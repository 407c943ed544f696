import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import type { TelegramClient, UserAction } from '../telegram/client.ts'
import type { Choice } from './chat-lines.ts'

/** What follows when a line was typed: an answer of the bot is waited for, or there is only this to print. */
export type Outcome = 'asked' | { readonly prints: string }

export interface Speaker {
  readonly client: TelegramClient
  readonly bot: string
  readonly chatId: number
  readonly language: string
  /** The numbered buttons that were shown last. */
  readonly choices: readonly Choice[]
}

export const chatHelp = `A line is a message; #2 presses button 2. What else a person can do:
  !upload FILE [CAPTION]    send a file: by its name as a picture, a video, audio, a voice message, or a document
  !document FILE [CAPTION]  send it as a document
  !pay                      pay the newest invoice; !pay LINK the one of a link
  !inline WORDS             ask the bot as @BOT WORDS does in any chat
  !app [URL]                open its Mini App: prints the URL, with launch data that its token proves
  !edit TEXT                change your last message
  !react EMOJI              react to its last message
  !contact  !location       share yours
  !block  !unblock          the bot
  !!TEXT                    a message that begins with "!"
`

/** Does what a line says. A `UsageError` says what is wrong with it. */
export async function follow(speaker: Speaker, line: string): Promise<Outcome> {
  const { choices } = speaker
  const number = /^#(\d+)$/.exec(line)?.[1]
  if (number !== undefined) {
    const choice = choices[Number(number) - 1]
    if (choice === undefined) throw new UsageError(`there is no button ${line}`)
    return press(speaker, choice)
  }
  if (!line.startsWith('!')) return ask(speaker, { text: line })
  if (line.startsWith('!!')) return ask(speaker, { text: line.slice(1) })
  const [, name = '', rest = ''] = /^!(\S*)\s*(.*)$/s.exec(line) ?? []
  const order = orders[name]
  if (order === undefined) throw new UsageError(`unknown !${name}${suggest(name, Object.keys(orders))}; see !help`)
  return order(speaker, rest.trim())
}

const orders: Readonly<Record<string, (speaker: Speaker, rest: string) => Promise<Outcome>>> = {
  help: async () => ({ prints: chatHelp }),
  upload: (speaker, rest) => upload(speaker, rest),
  document: (speaker, rest) => upload(speaker, rest, 'document'),
  pay: (speaker, link) => ask(speaker, { pay: link === '' ? {} : { link } }),
  inline: (speaker, inline) => ask(speaker, { inline }),
  app: (speaker, url) => openApp(speaker, url === '' ? {} : { url }),
  edit: editLast,
  react,
  contact: (speaker) => ask(speaker, { contact: {} }),
  location: (speaker) => ask(speaker, { location: {} }),
  block: (speaker) => block(speaker, true),
  unblock: (speaker) => block(speaker, false),
}

function press(speaker: Speaker, { does }: Choice): Promise<Outcome> {
  if ('app' in does) return openApp(speaker, { url: does.app, byReplyButton: does.byReplyButton })
  return ask(speaker, does)
}

async function ask({ client, bot, chatId, language }: Speaker, action: Omit<UserAction, 'chat'>): Promise<Outcome> {
  await client.act(bot, { ...action, chat: chatId, language })
  return 'asked'
}

async function openApp(
  { client, bot, chatId }: Speaker,
  app: { url?: string; byReplyButton?: boolean },
): Promise<Outcome> {
  return { prints: `${await client.openApp(bot, { chat: chatId, ...app })}\n` }
}

async function editLast(speaker: Speaker, text: string): Promise<Outcome> {
  const { client, bot, chatId } = speaker
  const own = (await client.chat(bot, chatId)).filter(({ from, kind }) => from === 'user' && kind === 'message')
  const edit = Math.max(0, ...own.map(({ message_id }) => message_id))
  if (edit === 0 || text === '') throw new UsageError('!edit needs a text, and a message of yours before it')
  return ask(speaker, { edit, text })
}

/** Most bots do not answer that. */
async function react(speaker: Speaker, reaction: string): Promise<Outcome> {
  await ask(speaker, { reaction })
  return { prints: '' }
}

async function block({ client, bot, chatId }: Speaker, blocked: boolean): Promise<Outcome> {
  await client.block(bot, chatId, blocked)
  return { prints: '' }
}

type File = NonNullable<UserAction['file']>

/** By the end of a file's name; any other is a document. */
const kinds: Readonly<Record<string, [kind: File['kind'], type: string]>> = {
  '.jpg': ['photo', 'image/jpeg'],
  '.jpeg': ['photo', 'image/jpeg'],
  '.png': ['photo', 'image/png'],
  '.webp': ['sticker', 'image/webp'],
  '.gif': ['animation', 'image/gif'],
  '.mp4': ['video', 'video/mp4'],
  '.mp3': ['audio', 'audio/mpeg'],
  '.m4a': ['audio', 'audio/mp4'],
  '.ogg': ['voice', 'audio/ogg'],
  '.oga': ['voice', 'audio/ogg'],
  '.pdf': ['document', 'application/pdf'],
  '.csv': ['document', 'text/csv'],
  '.txt': ['document', 'text/plain'],
  '.json': ['document', 'application/json'],
}

async function upload(speaker: Speaker, rest: string, as?: File['kind']): Promise<Outcome> {
  const [, quoted, bare, caption = ''] = /^(?:"([^"]+)"|(\S+))\s*(.*)$/s.exec(rest) ?? []
  const path = quoted ?? bare
  if (path === undefined) throw new UsageError('which file? !upload FILE [CAPTION]')
  const content = await readFile(path, 'base64').catch((error: Error) => {
    throw new UsageError(`cannot read ${path}: ${error.message}`)
  })
  const [kind, type] = kinds[extname(path).toLowerCase()] ?? ['document', 'application/octet-stream']
  return ask(speaker, { file: { kind: as ?? kind, name: basename(path), content, caption, type } })
}
