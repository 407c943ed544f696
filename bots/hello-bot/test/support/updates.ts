import type { Update, User } from 'grammy/types'

let lastId = 1_000

export const anna: User = { id: 7_000_000_001, is_bot: false, first_name: 'Anna', language_code: 'en' }
export const boris: User = { id: 7_000_000_002, is_bot: false, first_name: 'Борис', language_code: 'ru-RU' }

/** A message that a user writes to the bot, or into a group. */
export function message(text: string, from = anna, group = false): Update & { update_id: number } {
  const chat = group
    ? ({ id: -5, type: 'group', title: 'Friends' } as const)
    : ({ id: from.id, type: 'private', first_name: from.first_name } as const)
  const length = text.split(' ')[0]?.length ?? 0
  const entities = text.startsWith('/') ? [{ type: 'bot_command' as const, offset: 0, length }] : []
  lastId++
  return { update_id: lastId, message: { message_id: lastId, date: 1, chat, from, text, entities } }
}

/** A press on a button under one of the bot's messages. */
export function press(data: string, from = anna): Update {
  const { update_id, message: shown } = message('You have pressed the button 0 times.', from)
  const query = { id: `${update_id}`, from, chat_instance: '1', data, ...(shown && { message: shown }) }
  return { update_id, callback_query: query }
}
