import type { MenuButton } from '@grammyjs/types'
import { badRequest } from '../errors.ts'
import { changed } from '../state/world.ts'
import { integer, isObject, isTrue, json } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { checkApp } from './keyboard.ts'

/** setMyName and its like: a text of so many signs, by language; without a text that of the language is taken away. */
export function setProfile(kind: string, most: number): (call: Call) => Promise<Answer> {
  return async ({ world, bot, args }) => {
    const text = args.get(kind) ?? ''
    if (text.length > most) throw badRequest(`bot ${kind.replace('_', ' ')} is too long`)
    bot.profile[keyOf(kind, args)] = text
    changed(world, bot)
    return answer(true)
  }
}

/** getMyName and its like: that of the language, else that of all others. */
export function getProfile(kind: string): (call: Call) => Promise<Answer> {
  return async ({ bot, args }) => {
    const standard = kind === 'name' ? bot.name : ''
    return answer({ [kind]: bot.profile[keyOf(kind, args)] || bot.profile[kind] || standard })
  }
}

export async function setChatMenuButton({ world, bot, args }: Call): Promise<Answer> {
  const button = json(args, 'menu_button', "can't parse menu button JSON object") ?? { type: 'default' }
  if (!isObject(button) || !['commands', 'default', 'web_app'].includes(String(button.type)))
    throw badRequest("can't parse menu button: MenuButton has unsupported type")
  if (button.type === 'web_app') checkApp('menu button Web App URL', button.web_app)
  bot.menuButtons[menuOf(args)] = button as unknown as MenuButton
  changed(world, bot)
  return answer(true)
}

export async function getChatMenuButton({ bot, args }: Call): Promise<Answer> {
  const chat = menuOf(args)
  return answer(bot.menuButtons[chat] ?? { type: chat === '0' ? 'commands' : 'default' })
}

export async function setMyDefaultAdministratorRights({ world, bot, args }: Call): Promise<Answer> {
  const rights = json(args, 'rights', "can't parse chat administrator rights JSON object") ?? {}
  if (!isObject(rights)) throw badRequest('object expected as chat administrator rights')
  bot.profile[rightsOf(args)] = rights
  changed(world, bot)
  return answer(true)
}

export async function getMyDefaultAdministratorRights({ bot, args }: Call): Promise<Answer> {
  const names = `is_anonymous can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members
    can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories`
  const none = Object.fromEntries(names.split(/\s+/).map((name) => [name, false]))
  const given = bot.profile[rightsOf(args)]
  return answer({ ...none, ...(isObject(given) ? given : {}) })
}

function keyOf(kind: string, args: ReadonlyMap<string, string>): string {
  return `${kind} ${args.get('language_code') ?? ''}`.trim()
}

function menuOf(args: ReadonlyMap<string, string>): string {
  return String(integer(args, 'chat_id', 0))
}

function rightsOf(args: ReadonlyMap<string, string>): string {
  return isTrue(args.get('for_channels')) ? 'rights for channels' : 'rights'
}
