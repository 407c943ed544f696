import { ApiError, tooMany } from '../errors.ts'
import { meOf } from '../state/bots.ts'
import { runtimeOf } from '../state/world.ts'
import { deleteWebhook, getWebhookInfo, setWebhook } from '../webhook/webhook.ts'
import { type Answer, answer, type Call } from './call.ts'
import { getMyCommands, setMyCommands } from './commands.ts'
import { answerCallbackQuery, editMessageText, sendChatAction, sendMessage } from './messages.ts'
import { getUpdates } from './poll.ts'

const methods: Readonly<Record<string, (call: Call) => Promise<Answer>>> = {
  getMe: async ({ bot }) => answer(meOf(bot)),
  getUpdates,
  setWebhook,
  deleteWebhook,
  getWebhookInfo,
  sendMessage,
  editMessageText,
  answerCallbackQuery,
  sendChatAction,
  setMyCommands,
  getMyCommands,
}
const byName = new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]))

/** Runs a method of the Bot API; the case of its name does not matter. */
export async function run(method: string, call: Call): Promise<Answer> {
  const name = method.toLowerCase()
  const found = byName.get(name)
  if (found === undefined) throw new ApiError(404, 'Not Found: method not found')
  failOnPurpose(name, call)
  return found(call)
}

function failOnPurpose(name: string, { world, bot }: Call): void {
  const fault = runtimeOf(world, bot).faults.find(({ method, times }) => method.toLowerCase() === name && times > 0)
  if (fault === undefined) return
  fault.times--
  if (fault.error === 429) throw tooMany(fault.retryAfter)
  throw new ApiError(
    fault.error,
    fault.error === 403 ? 'Forbidden: bot was blocked by the user' : 'Internal Server Error',
  )
}
