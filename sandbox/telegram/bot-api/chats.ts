import { ApiError, badRequest, tooMany } from '../errors.ts'
import { botUser } from '../state/bots.ts'
import { chatWith, messageIn, messageOf, userOf } from '../state/chats.ts'
import { changed, scaled } from '../state/world.ts'
import { removeWebhook } from '../webhook/webhook.ts'
import { type Answer, answer, type Call } from './call.ts'

/** All chats here are private ones; of another a bot that is in none gets the same answer. */
export async function getChat(call: Call): Promise<Answer> {
  const { bot } = call
  const chat = knownChat(call)
  const pinned = messageIn(bot, chat, bot.pins[chat]?.at(-1) ?? 0)
  return answer({
    ...chatWith(bot, chat),
    ...{ accent_color_id: chat % 7, max_reaction_count: 11, active_usernames: usernames(userOf(bot, chat).username) },
    ...(pinned && { pinned_message: messageOf(bot, pinned) }),
  })
}

export async function getChatMember(call: Call): Promise<Answer> {
  const { bot, args } = call
  const chat = knownChat(call)
  const user = Number(args.get('user_id'))
  if (user === bot.id) return answer({ user: botUser(bot), status: 'member' })
  if (user !== chat) throw badRequest('user not found')
  return answer({ user: userOf(bot, chat), status: 'member' })
}

export async function getChatMemberCount(call: Call): Promise<Answer> {
  knownChat(call)
  return answer(2)
}

export async function getChatAdministrators(call: Call): Promise<Answer> {
  knownChat(call)
  throw badRequest('there are no administrators in the private chat')
}

export async function leaveChat(call: Call): Promise<Answer> {
  knownChat(call)
  throw badRequest("chat member status can't be changed in private chats")
}

export async function getUserProfilePhotos({ bot, args }: Call): Promise<Answer> {
  if (bot.users[args.get('user_id') ?? ''] === undefined) throw badRequest('user not found')
  return answer({ total_count: 0, photos: [] })
}

/** For 10 minutes no method is answered, as by the cloud's server after a bot has moved to a local one. */
export async function logOut({ world, bot }: Call): Promise<Answer> {
  removeWebhook(world, bot)
  bot.loggedOutUntil = Date.now() + scaled(world, 600)
  changed(world, bot)
  return answer(true)
}

/** Refused in the first 10 minutes of a server. */
export async function close({ world }: Call): Promise<Answer> {
  const wait = world.startedAt + scaled(world, 600) - Date.now()
  if (wait > 0) throw tooMany(Math.ceil(wait / 1000))
  return answer(true)
}

export function refuseLoggedOut({ bot }: Call): void {
  if (Date.now() < bot.loggedOutUntil) throw new ApiError(400, 'Logged out')
}

function knownChat({ bot, args }: Call): number {
  const text = args.get('chat_id') ?? ''
  if (text === '') throw badRequest('chat_id is empty')
  const chat = Number(text)
  if (bot.users[chat] === undefined) throw badRequest('chat not found')
  return chat
}

function usernames(username: unknown): unknown[] {
  return username === undefined ? [] : [username]
}
