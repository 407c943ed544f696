import type { Bot, Delivery, Press } from '../state/state.ts'
import { runtimeOf, type World } from '../state/world.ts'
import { webhookInfo } from '../webhook/webhook.ts'

/** All that there is to know about a bot, for tests and for the curious. */
export interface Report {
  readonly name: string
  readonly token: string
  readonly id: number
  readonly username: string
  /** As getWebhookInfo tells it. */
  readonly webhook: Readonly<Record<string, unknown>>
  readonly pending: number
  /** True while a client waits in getUpdates. */
  readonly polled: boolean
  readonly commands: Readonly<Record<string, unknown>>
  /** How many deliveries ended with which status, `error` for those that met none. */
  readonly counts: Readonly<Record<string, number>>
  /** The newest, oldest first. */
  readonly deliveries: readonly Delivery[]
  /** How many messages the bot has sent, to which chats, and upon which updates. */
  readonly sent: {
    readonly total: number
    readonly byChat: Readonly<Record<string, number>>
    readonly byUpdate: Readonly<Record<string, number>>
  }
  /** The button presses by the id of their callback query, each with its answer if it got one. */
  readonly presses: Readonly<Record<string, Press>>
  /** How often the bot has called methods that Telegram has and this server does not. */
  readonly missing: Readonly<Record<string, number>>
}

export function reportOf(world: World, bot: Bot): Report {
  const { name, token, id, username, commands, counts, deliveries, presses, missing } = bot
  const webhook = webhookInfo(bot)
  const polled = runtimeOf(world, bot).longPoll !== undefined
  const pending = bot.pending.length
  return {
    name,
    token,
    id,
    username,
    webhook,
    pending,
    polled,
    commands,
    counts,
    deliveries,
    sent: sentBy(bot),
    presses,
    missing,
  }
}

function sentBy({ log }: Bot): Report['sent'] {
  const sent = log.filter(({ from, kind }) => from === 'bot' && kind === 'message')
  return {
    total: sent.length,
    byChat: tally(sent.map(({ chat }) => chat)),
    byUpdate: tally(sent.flatMap(({ update_id }) => update_id ?? [])),
  }
}

function tally(keys: readonly number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1
  return counts
}
