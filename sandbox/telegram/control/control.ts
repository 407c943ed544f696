import type { IncomingMessage, ServerResponse } from 'node:http'
import { endLongPoll } from '../bot-api/poll.ts'
import { ApiError, badRequest } from '../errors.ts'
import { bodyOf, hangUp, sendJson } from '../http.ts'
import { act, type UserAction } from '../people/act.ts'
import { block } from '../people/block.ts'
import { type Launch, launch } from '../people/mini-app.ts'
import { botNamed, ensureBot, freshToken, unused } from '../state/bots.ts'
import { entriesOf } from '../state/chats.ts'
import type { Bot } from '../state/state.ts'
import { awaitChange, changed, runtimeOf, type World } from '../state/world.ts'
import { removeWebhook, startWorker, stopWorker } from '../webhook/webhook.ts'
import { reportOf } from './report.ts'

interface Ask {
  readonly world: World
  readonly path: readonly string[]
  readonly query: URLSearchParams
  readonly body: Record<string, unknown>
  readonly signal: AbortSignal
}

/** The API that Telegram does not have: makes bots, acts as their users, and reports what happened. */
export async function handleControl(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const signal = hangUp(response)
  try {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://localhost')
    const path = pathname.split('/').slice(1).map(decodeURIComponent)
    const body = parse(String((await bodyOf(request, 64 * 2 ** 20)) ?? ''))
    sendJson(response, 200, await answerTo(request.method ?? '', { world, path, query, body, signal }))
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    sendJson(response, error.code, { error: error.message })
  }
}

async function answerTo(method: string, ask: Ask): Promise<unknown> {
  const [first, name, action] = ask.path
  const { world } = ask
  if (method === 'GET' && first === 'healthz') return { ok: true }
  if (method === 'POST' && first === 'reset') return reset(world)
  if (first !== 'bots') throw new ApiError(404, `no ${method} /${ask.path.join('/')}`)
  if (name === undefined && method === 'GET') return world.state.bots.map(identityOf)
  if (name === undefined) return create(ask)
  const bot = botNamed(world.state, name)
  if (bot === undefined) throw new ApiError(404, `no bot "${name}"`)
  const act = actions[`${method} ${action ?? ''}`.trim()]
  if (act === undefined) throw new ApiError(404, `no ${method} /${ask.path.join('/')}`)
  return act(bot, ask)
}

const actions: Readonly<Record<string, (bot: Bot, ask: Ask) => unknown>> = {
  GET: (bot, { world }) => reportOf(world, bot),
  'GET chats': readChat,
  'GET file': readFile,
  'POST updates': async (bot, { world, body }) => {
    if (!Array.isArray(body.updates))
      return { update_id: (await act(world, bot, body as unknown as UserAction)) ?? null }
    const ids: (number | null)[] = []
    for (const each of body.updates as UserAction[]) ids.push((await act(world, bot, each)) ?? null)
    return { update_ids: ids }
  },
  'POST webapp': (bot, { world, body }) => ({ url: launch(world, bot, body as unknown as Launch) }),
  'POST revoke': revoke,
  'POST block': (bot, { world, body: { chat, blocked } }) => {
    if (typeof chat !== 'number' || typeof blocked !== 'boolean') throw badRequest('to block needs a chat and blocked')
    block(world, bot, chat, blocked)
    return {}
  },
  'POST fault': (bot, { world, body }) => {
    const { method, error, retryAfter = 1, times = 1 } = body
    if (typeof method !== 'string' || typeof error !== 'number') throw badRequest('a fault needs a method and an error')
    runtimeOf(world, bot).faults.push({ method, error, retryAfter: Number(retryAfter), times: Number(times) })
    return {}
  },
}

function create({ world, body }: Ask): unknown {
  const { name } = body
  if (typeof name !== 'string' || !/^[a-z][a-z0-9_-]{0,39}$/i.test(name))
    throw badRequest('a bot needs a name of letters, digits and dashes')
  const bot = ensureBot(world.state, name)
  changed(world, bot)
  return identityOf(bot)
}

/** As with BotFather: the old token is nothing any more, and the webhook that was set with it is gone. */
function revoke(bot: Bot, { world }: Ask): unknown {
  endLongPoll(world, bot, new ApiError(401, 'Unauthorized'))
  removeWebhook(world, bot)
  bot.token = freshToken(bot.id)
  changed(world, bot)
  return identityOf(bot)
}

async function readChat(bot: Bot, { world, path, query, signal }: Ask): Promise<unknown> {
  const after = Number(query.get('after')) || 0
  const seconds = Math.min(60, Number(query.get('wait')) || 0)
  return awaitChange(runtimeOf(world, bot), { seconds, signal }, () => entriesOf(bot, Number(path[3]), after))
}

/** What is in a file that was sent to or by the bot, in base64. */
async function readFile(bot: Bot, { world, path }: Ask): Promise<unknown> {
  const file = bot.files[path[3] ?? '']
  const content = file && (await world.contents.get(file.file_unique_id))
  if (content === undefined) throw new ApiError(404, `no file "${path[3]}"`)
  return { content: content.toString('base64') }
}

function reset(world: World): unknown {
  for (const bot of world.state.bots) {
    // What is under way would still be told of.
    stopWorker(world, bot)
    const { users, files } = bot
    Object.assign(bot, { ...unused(), users, files })
    const { faults, handed, lastSent } = runtimeOf(world, bot)
    faults.length = 0
    handed.clear()
    lastSent.clear()
    startWorker(world, bot)
    changed(world, bot)
  }
  return {}
}

function identityOf({ name, token, id, username }: Bot): Record<string, unknown> {
  return { name, token, id, username }
}

function parse(text: string): Record<string, unknown> {
  try {
    return text === '' ? {} : JSON.parse(text)
  } catch {
    throw badRequest('the body is no JSON')
  }
}
