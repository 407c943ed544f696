import type { Bot, Update, Webhook } from '../state/state.ts'
import { dropExpired, markHanded } from '../state/updates.ts'
import { changed, type Runtime, scaled, type World } from '../state/world.ts'
import { checkAddress, resolve } from './address.ts'
import { settle } from './outcome.ts'
import { agentFor, peerOf, post, probe, type Reply } from './webhook-client.ts'

/** Hands a bot's updates to its webhook until stopped: those of one chat in order and one at a time, chats side by side. */
export function startDelivery(
  world: World,
  bot: Bot,
  webhook: Webhook,
  { isNew }: { isNew: boolean },
): NonNullable<Runtime['worker']> {
  const agent = agentFor(webhook)
  const stopped = new AbortController()
  const busy = new Set<number>()
  const address = { knownUntil: isNew ? Date.now() + scaled(world, 1800) : 0 }
  let timer: NodeJS.Timeout | undefined

  const worker = {
    wake() {
      clearTimeout(timer)
      if (stopped.signal.aborted) return
      dropExpired(bot)
      const now = Date.now()
      let next = Number.POSITIVE_INFINITY
      for (const update of heads(bot.pending, busy)) {
        if (busy.size >= webhook.maxConnections) return
        if (update.wakeAt <= now) void deliver(update)
        else next = Math.min(next, update.wakeAt)
      }
      if (next !== Number.POSITIVE_INFINITY) timer = setTimeout(worker.wake, next - now)
    },
    stop() {
      clearTimeout(timer)
      stopped.abort()
      agent.destroy()
    },
  }

  async function deliver(update: Update): Promise<void> {
    busy.add(update.chat)
    markHanded(world, bot, update)
    const at = Date.now()
    const outcome = await send(update).catch((error: Error) => error)
    // Cut off by ourselves: the next worker sends it once more.
    if (stopped.signal.aborted) return
    busy.delete(update.chat)
    if (settle(world, bot, webhook, update, { outcome, at }) === 'webhook gone') {
      worker.stop()
      bot.webhook = null
    }
    changed(world, bot)
    worker.wake()
  }

  async function send({ id, body }: Update): Promise<Reply> {
    await refresh(world, webhook, address)
    return post(peerOf(webhook, await world.authorities()), {
      agent,
      secret: webhook.secret,
      body: JSON.stringify({ update_id: id, ...body }),
      seconds: world.options.responseTimeout,
      signal: stopped.signal,
    })
  }

  // Telegram opens its first connection at once: a bad certificate shows before any update comes.
  if (isNew) void tryOut(world, bot, webhook)
  worker.wake()
  return worker
}

/** Of every chat with nothing under way the update that is first in line. */
function* heads(pending: readonly Update[], busy: ReadonlySet<number>): Generator<Update> {
  const seen = new Set(busy)
  for (const update of pending) {
    if (seen.has(update.chat)) continue
    seen.add(update.chat)
    yield update
  }
}

/** Looks the host up again after half an hour; the old address stays while there is no better one. */
async function refresh(world: World, webhook: Webhook, address: { knownUntil: number }): Promise<void> {
  if (webhook.ipFixed || Date.now() < address.knownUntil) return
  address.knownUntil = Date.now() + scaled(world, 1800 + 180 * Math.random())
  try {
    const ip = await resolve(peerOf(webhook, []).url.hostname)
    checkAddress(ip, world.options.allow)
    webhook.ip = ip
  } catch {}
}

async function tryOut(world: World, bot: Bot, webhook: Webhook): Promise<void> {
  const message = await probe(peerOf(webhook, await world.authorities()), world.options.responseTimeout)
  if (message === undefined) return
  webhook.lastError = { date: Math.floor(Date.now() / 1000), message }
  changed(world, bot)
}
