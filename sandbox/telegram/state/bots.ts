import { randomBytes, randomInt } from 'node:crypto'
import type { Bot, State } from './state.ts'

/** The bot of this name, made if there is none. */
export function ensureBot(state: State, name: string): Bot {
  const known = botNamed(state, name)
  if (known !== undefined) return known
  const id = freshId(state)
  const bot: Bot = {
    ...{ id, name, username: usernameOf(name), token: freshToken(id) },
    ...blank(),
    // As Telegram's: code that expects small ids should fail here.
    last: { update: randomInt(100_000_000, 900_000_000), message: 0, seq: 0 },
  }
  state.bots.push(bot)
  return bot
}

/** A bot that nobody has used yet: also what a state of an older version lacks. */
export function blank(): Omit<Bot, 'id' | 'name' | 'username' | 'token' | 'last'> {
  return { ...{ commands: {}, profile: {}, menuButtons: {}, allowedUpdates: null, webhook: null }, ...unused() }
}

/** What there is of a bot before anything has happened to it. */
export function unused() {
  return {
    ...{ pending: [], users: {}, blocked: [], log: [], presses: {}, files: {}, pins: {}, inlineQueries: {} },
    ...{ invoiceLinks: {}, checkouts: {}, payments: [], webAppQueries: {}, missing: {}, loggedOutUntil: 0 },
    ...{ deliveries: [], counts: {} },
  }
}

export function botNamed(state: State, name: string): Bot | undefined {
  return state.bots.find((bot) => bot.name === name)
}

export function botWith(state: State, token: string): Bot | undefined {
  return state.bots.find((bot) => bot.token === token)
}

/** Shaped like Telegram's: ten digits, a colon, 35 signs that begin with AA. */
export function freshToken(id: number): string {
  return `${id}:AA${randomBytes(33).toString('base64url').slice(0, 33)}`
}

/** The bot as getMe shows it. */
export function meOf(bot: Bot): Record<string, unknown> {
  return {
    ...botUser(bot),
    can_join_groups: true,
    can_read_all_group_messages: false,
    // As if BotFather had been told so: /setinline, and /setinlinefeedback for all.
    supports_inline_queries: true,
    can_connect_to_business: false,
    has_main_web_app: false,
  }
}

/** The bot as messages show it. */
export function botUser({ id, name, username, profile }: Bot): Record<string, unknown> {
  return { id, is_bot: true, first_name: profile.name || name, username }
}

function freshId(state: State): number {
  const id = randomInt(7_000_000_000, 8_000_000_000)
  return state.bots.some((bot) => bot.id === id) ? freshId(state) : id
}

function usernameOf(name: string): string {
  const word = name.replace(/\W/g, '_')
  return word.endsWith('bot') ? word : `${word}_bot`
}
