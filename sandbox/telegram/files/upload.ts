import { randomBytes } from 'node:crypto'
import { badRequest } from '../errors.ts'
import type { Bot, FileKind, StoredFile } from '../state/state.ts'
import { changed, type World } from '../state/world.ts'
import { imageSize } from './image-size.ts'

/** A file as it came, by a form or from a URL. */
export interface Upload {
  readonly name: string
  readonly type: string
  readonly content: Buffer
}

const kinds: Readonly<Record<FileKind, { prefix: string; folder: string; extension: string; mime: string }>> = {
  photo: { prefix: 'AgACAgIAAxk', folder: 'photos', extension: 'jpg', mime: 'image/jpeg' },
  document: { prefix: 'BQACAgIAAxk', folder: 'documents', extension: '', mime: 'application/octet-stream' },
  video: { prefix: 'BAACAgIAAxk', folder: 'videos', extension: 'mp4', mime: 'video/mp4' },
  audio: { prefix: 'CQACAgIAAxk', folder: 'music', extension: 'mp3', mime: 'audio/mpeg' },
  voice: { prefix: 'AwACAgIAAxk', folder: 'voice', extension: 'oga', mime: 'audio/ogg' },
  animation: { prefix: 'CgACAgIAAxk', folder: 'animations', extension: 'mp4', mime: 'video/mp4' },
  sticker: { prefix: 'CAACAgIAAxk', folder: 'stickers', extension: 'webp', mime: 'image/webp' },
  video_note: { prefix: 'DQACAgIAAxk', folder: 'video_notes', extension: 'mp4', mime: 'video/mp4' },
}
export const fileKinds = Object.keys(kinds) as FileKind[]

/** A bot may upload so many bytes, a photo may have so many. */
const most = 50 * 2 ** 20
const mostOfPhoto = 10 * 2 ** 20

/** How many files of a bot are kept. */
const kept = 1000

/** Takes a file in. It has a file_id for this bot from then on. */
export async function store(world: World, bot: Bot, kind: FileKind, upload: Upload): Promise<StoredFile> {
  const { content, type } = upload
  if (content.length === 0) throw badRequest('file must be non-empty')
  const limit = kind === 'photo' ? mostOfPhoto : most
  if (content.length > limit) {
    const what = kind === 'photo' ? 'too big for a photo; the maximum size is' : 'too big; the maximum size is'
    throw badRequest(`file of size ${content.length} bytes is ${what} ${limit} bytes`)
  }
  const size = imageSize(content)
  if (kind === 'photo' && size === undefined) throw badRequest('IMAGE_PROCESS_FAILED')
  const { prefix, folder, extension, mime } = kinds[kind]
  const isUnknown = !type.includes('/') || type === 'application/octet-stream'
  const path = `${folder}/file_${nextNumber(bot)}`
  const end = extension || /\.(\w+)$/.exec(upload.name)?.[1]
  const file: StoredFile = {
    file_id: `${prefix}${randomBytes(42).toString('base64url')}`,
    file_unique_id: `AgAD${randomBytes(9).toString('base64url')}`,
    ...{ kind, size: content.length, name: upload.name, mime: isUnknown ? mime : type },
    path: end ? `${path}.${end}` : path,
    ...(size ?? { width: 0, height: 0 }),
  }
  await world.contents.put(file.file_unique_id, content)
  bot.files[file.file_id] = file
  await forgetOld(world, bot)
  changed(world, bot)
  return file
}

/** Old files are forgotten, so their count would be a number twice. */
function nextNumber(bot: Bot): number {
  return Number(/_(\d+)/.exec(Object.values(bot.files).at(-1)?.path ?? '_0')?.[1]) + 1
}

async function forgetOld(world: World, bot: Bot): Promise<void> {
  const all = Object.values(bot.files)
  for (const { file_id, file_unique_id } of all.slice(0, Math.max(0, all.length - kept))) {
    delete bot.files[file_id]
    await world.contents.drop(file_unique_id)
  }
}
