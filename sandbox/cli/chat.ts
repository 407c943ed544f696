import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { type Entry, Refused, type TelegramClient } from '../telegram/client.ts'
import { follow } from './chat-actions.ts'
import { type Choice, choicesOf, isShown, linesOf } from './chat-lines.ts'

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
  choices: readonly Choice[]
}

/**
 * Talks to a bot as one of its users: a line is a message, `#1` presses the first button, `!help` says what else there is. On
 * a terminal the answers come as they come; else each line waits for its answer. The exit code: 3 when one did not come, or
 * a line could not be done.
 */
export async function chat(client: TelegramClient, bot: string, options: ChatOptions): Promise<number> {
  await mustExist(client, bot)
  const before = await client.chat(bot, options.chatId)
  const conversation: Conversation = { ...options, client, bot, seen: before.at(-1)?.seq ?? 0, choices: [] }
  return options.input.isTTY === true ? onTerminal(conversation) : byLine(conversation)
}

async function byLine(conversation: Conversation): Promise<number> {
  for await (const line of createInterface({ input: conversation.input })) {
    if (line.trim() === '') continue
    const sent = await send(conversation, line.trim())
    if (sent === 'wrong' || (sent === 'asked' && !(await answered(conversation)))) return 3
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
  const reading = watch(conversation, screen, closed.signal)
  conversation.output.write(
    `${conversation.bot}: a line is a message, #1 presses the first button, !help shows more, Ctrl-D ends\n`,
  )
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
async function watch(conversation: Conversation, screen: Interface, signal: AbortSignal): Promise<void> {
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

/** Does what a line says, and prints what is wrong with it. */
async function send(conversation: Conversation, line: string): Promise<'asked' | 'done' | 'wrong'> {
  const { output } = conversation
  try {
    const outcome = await follow(conversation, line)
    if (outcome === 'asked') return 'asked'
    output.write(outcome.prints)
    return 'done'
  } catch (error) {
    // What Telegram refuses is an answer; a server that is gone is none.
    if (!(error instanceof UsageError || error instanceof Refused)) throw error
    output.write(`${error instanceof Refused ? error.reason : error.message}\n`)
    return 'wrong'
  }
}

/** Waits for the bot's answer and shows it, with what follows right upon it. */
async function answered(conversation: Conversation): Promise<boolean> {
  const { answerTimeout = 15, bot, output } = conversation
  const deadline = performance.now() + answerTimeout * 1000
  let heard = false
  for (let wait = answerTimeout; wait > 0; wait = heard ? 0.3 : (deadline - performance.now()) / 1000) {
    const fresh = await news(conversation, wait)
    if (heard && fresh.length === 0) return true
    heard ||= fresh.some(isShown)
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
  for (const entry of fresh.filter(isShown)) {
    for (const line of linesOf(entry)) conversation.output.write(`${line}\n`)
    const choices = choicesOf(entry)
    if (choices.length > 0) conversation.choices = choices
  }
}

async function mustExist(client: TelegramClient, bot: string): Promise<void> {
  const names = (await client.bots()).map(({ name }) => name)
  if (names.includes(bot)) return
  const known = names.length === 0 ? 'there is none yet' : `there are ${names.join(', ')}`
  throw new UsageError(`the sandbox's Telegram has no bot "${bot}"${suggest(bot, names)}: ${known}`)
}
