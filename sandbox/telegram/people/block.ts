import { botUser } from '../state/bots.ts'
import { chatWith, userOf } from '../state/chats.ts'
import type { Bot } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import { changed, type World } from '../state/world.ts'

/** A person blocks the bot, or lets it write again; it is told of a change. */
export function block(world: World, bot: Bot, chat: number, blocked: boolean): void {
  const was = bot.blocked.includes(chat)
  if (was === blocked) return
  bot.blocked = blocked ? [...bot.blocked, chat] : bot.blocked.filter((each) => each !== chat)
  changed(world, bot)
  const member = (out: boolean) => ({
    user: botUser(bot),
    ...(out ? { status: 'kicked', until_date: 0 } : { status: 'member' }),
  })
  queueUpdate(world, bot, chat, {
    my_chat_member: {
      ...{ chat: chatWith(bot, chat), from: userOf(bot, chat), date: Math.floor(Date.now() / 1000) },
      ...{ old_chat_member: member(was), new_chat_member: member(blocked) },
    },
  })
}
