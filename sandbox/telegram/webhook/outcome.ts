import { parseBody } from '../bot-api/arguments.ts'
import { type Bot, trim, type Update, type Webhook } from '../state/state.ts'
import { scaled, type World } from '../state/world.ts'
import { nextTry, retryAfterOf } from './retry.ts'
import type { Reply } from './webhook-client.ts'

/** What follows from an attempt to deliver: the update is done with, or waits, or was the last that the webhook got. */
export function settle(
  world: World,
  bot: Bot,
  webhook: Webhook,
  update: Update,
  { outcome, at }: { outcome: Reply | Error; at: number },
): 'webhook gone' | undefined {
  record(bot, update, outcome, at)
  const failure = failureOf(outcome)
  if (failure === undefined && 'status' in outcome) {
    webhook.goneSince = null
    forget(bot, update)
    void execute(world, bot, outcome)
  }
  if (failure === undefined) return undefined
  webhook.lastError = { date: Math.floor(Date.now() / 1000), message: failure.message }
  postpone(world, update, failure.retryAfter)
  return 'status' in outcome && isGone(world, webhook, outcome.status) ? 'webhook gone' : undefined
}

function record(bot: Bot, { id, chat, failures }: Update, outcome: Reply | Error, at: number): void {
  const seen = 'status' in outcome ? { status: outcome.status } : { error: outcome.message }
  bot.deliveries.push({ update_id: id, chat, attempt: failures + 1, ...seen, ms: Date.now() - at, at })
  trim(bot.deliveries, 5000)
  const key = String(seen.status ?? 'error')
  bot.counts[key] = (bot.counts[key] ?? 0) + 1
}

function failureOf(outcome: Reply | Error): { message: string; retryAfter: number } | undefined {
  if (!('status' in outcome)) return { message: outcome.message, retryAfter: 0 }
  const { status, reason, headers } = outcome
  if (status >= 200 && status <= 299) return undefined
  const message = `Wrong response from the webhook: ${status} ${reason}`.trim()
  return { message, retryAfter: retryAfterOf(headers['retry-after']) }
}

function postpone(world: World, update: Update, retryAfter: number): void {
  const { delay, seconds } = nextTry(update, retryAfter)
  update.delay = delay
  update.failures++
  update.wakeAt = Date.now() + scaled(world, seconds)
}

function forget(bot: Bot, update: Update): void {
  bot.pending = bot.pending.filter((each) => each !== update)
}

/** Nothing but 410 for 23 hours: the owner has gone, Telegram takes the webhook down itself. */
function isGone(world: World, webhook: Webhook, status: number): boolean {
  webhook.goneSince = status === 410 ? (webhook.goneSince ?? Date.now()) : null
  return webhook.goneSince !== null && Date.now() > webhook.goneSince + scaled(world, 23 * 3600)
}

/** A webhook may answer with a call of a method, whose result is not reported. */
async function execute(world: World, bot: Bot, { headers, body }: Reply): Promise<void> {
  const { args } = await parseBody(String(headers['content-type']), body).catch(() => ({ args: new Map() }))
  const method: string = args.get('method')?.toLowerCase() ?? ''
  if (method === '' || /^(get|deletewebhook$|setwebhook$|close$|logout$)/.test(method)) return
  await world.execute(bot, method, args).catch(() => {})
}
