import { randomBytes, randomInt } from 'node:crypto'
import type { Bot, State } from './state.ts'

/** The bot of this name, made if there is none. */
export function ensureBot(state: State, name: string): Bot {
  const known = botNamed(state, name)
  if (known !== undefined) return known
  const id = freshId(state)
  const bot: Bot = {
    id,
    name,
    username: usernameOf(name),
    token: freshToken(id),
    commands: {},
    allowedUpdates: null,
    webhook: null,
    pending: [],
    users: {},
    blocked: [],
    log: [],
    presses: {},
    deliveries: [],
    counts: {},
    // As Telegram's: code that expects small ids should fail here.
    last: { update: randomInt(100_000_000, 900_000_000), message: 0, seq: 0 },
  }
  state.bots.push(bot)
  return bot
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
export function meOf({ id, name, username }: Bot): Record<string, unknown> {
  return {
    id,
    is_bot: true,
    first_name: name,
    username,
    can_join_groups: true,
    can_read_all_group_messages: false,
    supports_inline_queries: false,
    can_connect_to_business: false,
    has_main_web_app: false,
  }
}

function freshId(state: State): number {
  const id = randomInt(7_000_000_000, 8_000_000_000)
  return state.bots.some((bot) => bot.id === id) ? freshId(state) : id
}

function usernameOf(name: string): string {
  const word = name.replace(/\W/g, '_')
  return word.endsWith('bot') ? word : `${word}_bot`
}
