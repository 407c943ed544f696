import type { ApiMethods } from '@grammyjs/types'
import { ApiError, badRequest, tooMany } from '../errors.ts'
import { meOf } from '../state/bots.ts'
import { changed, runtimeOf } from '../state/world.ts'
import { deleteWebhook, getWebhookInfo, setWebhook } from '../webhook/webhook.ts'
import { type Answer, answer, type Call } from './call.ts'
import * as chats from './chats.ts'
import { deleteMyCommands, getMyCommands, setMyCommands } from './commands.ts'
import * as edits from './edit.ts'
import { getFile } from './files.ts'
import { answerInlineQuery } from './inline.ts'
import { sendFile, sendMediaGroup } from './media.ts'
import { answerCallbackQuery, answerWebAppQuery, sendChatAction, sendMessage } from './messages.ts'
import { notHere } from './not-here.ts'
import * as oldMessages from './old-messages.ts'
import * as payments from './payments.ts'
import * as places from './places.ts'
import { getUpdates } from './poll.ts'
import { sendPoll, stopPoll } from './polls.ts'
import * as profile from './profile.ts'

const { refuseLoggedOut, ...ofChats } = chats
const { setProfile, getProfile, ...ofProfile } = profile

const methods = {
  getMe: async ({ bot }: Call) => answer(meOf(bot)),
  ...{ getUpdates, setWebhook, deleteWebhook, getWebhookInfo },
  ...{ sendMessage, sendMediaGroup, sendChatAction, sendPoll, stopPoll, getFile },
  sendPhoto: sendFile('photo'),
  sendDocument: sendFile('document'),
  sendVideo: sendFile('video'),
  sendAudio: sendFile('audio'),
  sendVoice: sendFile('voice'),
  sendAnimation: sendFile('animation'),
  sendSticker: sendFile('sticker'),
  sendVideoNote: sendFile('video_note'),
  ...places,
  ...edits,
  ...oldMessages,
  ...ofChats,
  ...{ answerCallbackQuery, answerInlineQuery, answerWebAppQuery },
  ...{ setMyCommands, getMyCommands, deleteMyCommands },
  ...ofProfile,
  setMyName: setProfile('name', 64),
  getMyName: getProfile('name'),
  setMyDescription: setProfile('description', 512),
  getMyDescription: getProfile('description'),
  setMyShortDescription: setProfile('short_description', 120),
  getMyShortDescription: getProfile('short_description'),
  ...payments,
} satisfies Methods

type Methods = Partial<Record<keyof ApiMethods<unknown>, (call: Call) => Promise<Answer>>>

const byName = new Map(Object.entries(methods).map(([name, method]) => [name.toLowerCase(), method]))
const missing = new Map(notHere.map((name) => [name.toLowerCase(), name]))

/** Runs a method of the Bot API; the case of its name does not matter. */
export async function run(method: string, call: Call): Promise<Answer> {
  const name = method.toLowerCase()
  const found = byName.get(name)
  if (found === undefined) throw refusalOf(name, call)
  refuseLoggedOut(call)
  failOnPurpose(name, call)
  return found(call)
}

/** One that Telegram has is never answered as if it had been done, and is counted: a bot may hide the error. */
function refusalOf(name: string, { world, bot }: Call): ApiError {
  const known = missing.get(name)
  if (known === undefined) return new ApiError(404, 'Not Found: method not found')
  bot.missing[known] = (bot.missing[known] ?? 0) + 1
  changed(world, bot)
  // No 501: clients take every 5xx for something that passes, and call again.
  return badRequest(`not implemented: the sandbox's Telegram does not have ${known}, which Telegram has`)
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
