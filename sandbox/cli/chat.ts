import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import type { Entry, TelegramClient } from '../telegram/client.ts'

export interface ChatOptions {
  readonly chatId: number
  readonly language: string
  readonly input: Readable & { readonly isTTY?: boolean }
  readonly output: Writable
  /** Seconds that a bot has for its answer when no person waits for it. */
  readonly answerTimeout?: number
}

/** One conversation, and how far it has been read. */
interface Conversation extends ChatOptions {
  readonly client: TelegramClient
  readonly bot: string
  seen: number
  /** The data of the buttons last shown. */
  buttons: string[]
}

/**
 * Talks to a bot as one of its users: a line is a message, `#1` presses the first button. On a terminal the answers come
 * as they come; else each line waits for its answer. The exit code: 3 when an answer did not come.
 */
export async function chat(client: TelegramClient, bot: string, options: ChatOptions): Promise<number> {
  await mustExist(client, bot)
  const before = await client.chat(bot, options.chatId)
  const conversation: Conversation = { ...options, client, bot, seen: before.at(-1)?.seq ?? 0, buttons: [] }
  return options.input.isTTY === true ? onTerminal(conversation) : byLine(conversation)
}

/** What the bot said, as lines of a terminal. */
export function linesOf({ kind, text, keyboard, editedAt }: Entry): string[] {
  if (kind === 'notice') return text === '' ? [] : [`(${text})`]
  const lines = (editedAt === undefined ? text : `(edited) ${text}`).split('\n')
  let number = 0
  const rows = (keyboard ?? []).map((row) =>
    row.map((button) =>
      button.callback_data === undefined ? `${button.text}: ${button.url ?? ''}` : `[${++number}] ${button.text}`,
    ),
  )
  return [...lines, ...rows.map((row) => `  ${row.join('  ')}`)]
}

async function byLine(conversation: Conversation): Promise<number> {
  for await (const line of createInterface({ input: conversation.input })) {
    if (line.trim() === '') continue
    if (!(await send(conversation, line.trim())) || !(await answered(conversation))) return 3
  }
  return 0
}

async function onTerminal(conversation: Conversation): Promise<number> {
  const screen = createInterface({
    input: conversation.input,
    output: conversation.output,
    terminal: true,
    prompt: '> ',
  })
  const closed = new AbortController()
  screen.once('close', () => closed.abort())
  const reading = follow(conversation, screen, closed.signal)
  conversation.output.write(`${conversation.bot}: a line is a message, #1 presses the first button, Ctrl-D ends\n`)
  screen.prompt()
  try {
    for await (const line of screen) {
      if (line.trim() !== '') await send(conversation, line.trim())
      screen.prompt()
    }
    return 0
  } finally {
    screen.close()
    closed.abort()
    await reading
  }
}

/** Shows new messages while the user may be typing: the input line is written again below them. */
async function follow(conversation: Conversation, screen: Interface, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const fresh = await news(conversation, 25, signal).catch(async (error: Error) => {
      if (signal.aborted) return []
      conversation.output.write(`\r\u001b[K${error.message}\n`)
      await sleep(1000, undefined, { signal }).catch(() => {})
      return []
    })
    if (fresh.length === 0) continue
    conversation.output.write('\r\u001b[K')
    show(conversation, fresh)
    screen.prompt(true)
  }
}

/** Sends a line; false where it names a button that is not there. */
async function send({ client, bot, chatId, language, buttons, output }: Conversation, line: string): Promise<boolean> {
  const number = /^#(\d+)$/.exec(line)?.[1]
  const data = number === undefined ? undefined : buttons[Number(number) - 1]
  if (number !== undefined && data === undefined) {
    output.write(`there is no button ${line}\n`)
    return false
  }
  await client.act(bot, { chat: chatId, language, ...(data === undefined ? { text: line } : { data }) })
  return true
}

/** Waits for the bot's answer and shows it, with what follows right upon it. */
async function answered(conversation: Conversation): Promise<boolean> {
  const { answerTimeout = 15, bot, output } = conversation
  const deadline = performance.now() + answerTimeout * 1000
  let heard = false
  for (let wait = answerTimeout; wait > 0; wait = heard ? 0.3 : (deadline - performance.now()) / 1000) {
    const fresh = await news(conversation, wait)
    if (heard && fresh.length === 0) return true
    heard ||= fresh.some(({ from }) => from === 'bot')
    show(conversation, fresh)
  }
  output.write(`${bot}: no answer within ${answerTimeout} s\n`)
  return false
}

async function news(conversation: Conversation, wait: number, signal?: AbortSignal): Promise<Entry[]> {
  const { client, bot, chatId, seen } = conversation
  const fresh = await client.chat(bot, chatId, { after: seen, wait, ...(signal && { signal }) })
  conversation.seen = fresh.at(-1)?.seq ?? seen
  return fresh
}

function show(conversation: Conversation, fresh: readonly Entry[]): void {
  for (const entry of fresh.filter(({ from }) => from === 'bot')) {
    for (const line of linesOf(entry)) conversation.output.write(`${line}\n`)
    if (entry.keyboard) conversation.buttons = entry.keyboard.flat().flatMap(({ callback_data: data }) => data ?? [])
  }
}

async function mustExist(client: TelegramClient, bot: string): Promise<void> {
  const names = (await client.bots()).map(({ name }) => name)
  if (names.includes(bot)) return
  const known = names.length === 0 ? 'there is none yet' : `there are ${names.join(', ')}`
  throw new UsageError(`the sandbox's Telegram has no bot "${bot}"${suggest(bot, names)}: ${known}`)
}
