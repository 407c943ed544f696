import { badRequest } from '../errors.ts'
import { shown } from '../files/shown.ts'
import { fileKinds, store } from '../files/upload.ts'
import { message, messageOf } from '../state/chats.ts'
import type { Bot, FileKind } from '../state/state.ts'
import { queueUpdate } from '../state/updates.ts'
import type { World } from '../state/world.ts'

/** A file that a person sends. */
export interface SentFile {
  readonly kind: FileKind
  readonly name: string
  /** In base64. */
  readonly content: string
  readonly caption?: string
  /** Its media type. */
  readonly type?: string
}

export async function sendFile(world: World, bot: Bot, chat: number, file: SentFile): Promise<number | undefined> {
  const { kind, name, content, caption = '', type = '' } = file
  if (!fileKinds.includes(kind)) throw badRequest(`kind: should be one of ${fileKinds.join(', ')}, found "${kind}"`)
  const stored = await store(world, bot, kind, { name, type, content: Buffer.from(content, 'base64') })
  const entry = message(world, bot, { chat, from: 'user', text: caption, content: shown(stored) })
  return queueUpdate(world, bot, chat, { message: messageOf(bot, entry) })
}
