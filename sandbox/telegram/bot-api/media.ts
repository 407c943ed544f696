import { randomBytes } from 'node:crypto'
import type { MessageEntity } from '@grammyjs/types'
import { badRequest } from '../errors.ts'
import { download } from '../files/download.ts'
import { type About, shown } from '../files/shown.ts'
import { fileKinds, store } from '../files/upload.ts'
import { messageOf } from '../state/chats.ts'
import type { Content, FileKind, StoredFile } from '../state/state.ts'
import { argumentsIn, integer, isObject, isTrue, json } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { send, sendTo, targetOf } from './send.ts'
import { captionOf } from './text.ts'

/** sendPhoto, sendDocument …: the method that sends a file of one kind. */
export function sendFile(kind: FileKind): (call: Call) => Promise<Answer> {
  return async (call) => {
    const { text, entities } = captionOf(call.args)
    const file = await fileIn(call, kind, kind, call.args.get(kind))
    return send(call, { text, entities, content: shown(file, aboutOf(call.args)), ...spoilerOf(call.args) })
  }
}

/** An album: messages that belong together, of pictures and videos, of documents, or of audio. */
export async function sendMediaGroup(call: Call): Promise<Answer> {
  const media = json(call.args, 'media', "can't parse media JSON object")
  if (!Array.isArray(media)) throw badRequest('parameter "media" is required')
  if (media.length === 0) throw badRequest('there are no messages to send')
  if (media.length > 10) throw badRequest('too many messages to send as an album')
  const items = await Promise.all(media.map((each) => mediaIn(call, each)))
  for (const { kind } of items) {
    if (!['photo', 'video', 'document', 'audio'].includes(kind))
      throw badRequest(`can't parse InputMedia: type "${kind}" can't be used in sendMediaGroup`)
    if (['document', 'audio'].includes(kind) && items.some((each) => each.kind !== kind))
      throw badRequest(`${kind} can't be mixed with other media types`)
  }
  const { keyboard: _, ...target } = targetOf(call)
  const media_group_id = String(randomBytes(8).readBigUInt64BE() >> 1n)
  const entries = items.map(({ kind: _, fields, ...item }) =>
    sendTo(call, target, { ...item, fields: { ...fields, ...(items.length > 1 && { media_group_id }) } }),
  )
  return answer(entries.map((entry) => messageOf(call.bot, entry)))
}

export interface Media {
  readonly kind: FileKind
  readonly text: string
  readonly entities: readonly MessageEntity[]
  readonly content: Content
  readonly fields?: { readonly has_media_spoiler: true }
}

/** One InputMedia, with its caption. */
export async function mediaIn(call: Call, media: unknown): Promise<Media> {
  if (!isObject(media)) throw badRequest("can't parse InputMedia: expected an Object")
  const kind = fileKinds.find((each) => each === media.type)
  if (kind === undefined) throw badRequest(`can't parse InputMedia: Invalid InputMedia type "${media.type}" specified`)
  const args = argumentsIn(media)
  const file = await fileIn(call, kind, '', args.get('media'))
  return { kind, ...captionOf(args), content: shown(file, aboutOf(args)), ...spoilerOf(args) }
}

/** A file by any of the ways to send one: uploaded with the call, by a URL, or by the file_id that it has already. */
async function fileIn(call: Call, kind: FileKind, field: string, value = ''): Promise<StoredFile> {
  const { world, bot, files } = call
  const attached = files.get(/^attach:\/\/(.+)/.exec(value)?.[1] ?? field)
  if (attached !== undefined) return store(world, bot, kind, attached)
  if (value === '') throw badRequest(`there is no ${kind} in the request`)
  if (/^https?:\/\//i.test(value)) return store(world, bot, kind, await download(value, await world.authorities()))
  const known = bot.files[value]
  if (known === undefined) throw badRequest('wrong file identifier/HTTP URL specified')
  if (known.kind !== kind) throw badRequest(`can't use file of type ${known.kind} as ${kind}`)
  return known
}

function aboutOf(args: ReadonlyMap<string, string>): About {
  const given = (name: string) => (args.has(name) ? { [name]: integer(args, name, 0) } : {})
  const words = (name: string) => (args.get(name) ? { [name]: args.get(name) } : {})
  return { ...given('duration'), ...given('width'), ...given('height'), ...words('performer'), ...words('title') }
}

function spoilerOf(args: ReadonlyMap<string, string>) {
  return isTrue(args.get('has_spoiler')) ? { fields: { has_media_spoiler: true as const } } : {}
}
