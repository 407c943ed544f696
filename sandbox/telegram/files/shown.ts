import type { Content, StoredFile } from '../state/state.ts'

/** What the sender of a file said about it; it is not looked up in the file. */
export interface About {
  readonly duration?: number
  readonly width?: number
  readonly height?: number
  readonly performer?: string
  readonly title?: string
}

/** The part of a message that shows a file. */
export function shown(file: StoredFile, { duration = 0, performer, title, ...about }: About = {}): Content {
  const { file_id, file_unique_id, size: file_size, name, mime: mime_type, kind } = file
  const id = { file_id, file_unique_id, file_size }
  const [width, height] = [about.width ?? file.width, about.height ?? file.height]
  const named = { ...(name !== '' && { file_name: name }), mime_type }
  switch (kind) {
    case 'photo':
      // Telegram makes smaller ones as well; here is the largest only, which bots take.
      return { photo: [{ ...id, width, height }] }
    case 'document':
      return { document: { ...id, ...named } }
    case 'video':
      return { video: { ...id, ...named, width, height, duration } }
    case 'animation':
      // The document is there for bots that know no animations.
      return { animation: { ...id, ...named, width, height, duration }, document: { ...id, ...named } }
    case 'audio':
      return { audio: { ...id, ...named, duration, ...(performer && { performer }), ...(title && { title }) } }
    case 'voice':
      return { voice: { ...id, mime_type, duration } }
    case 'video_note':
      return { video_note: { ...id, length: width || 240, duration } }
    case 'sticker':
      return {
        sticker: {
          ...{ ...id, type: 'regular', width: width || 512, height: height || 512 },
          ...{ is_animated: mime_type === 'application/x-tgsticker', is_video: mime_type === 'video/webm' },
        },
      }
  }
}

/** The file that a message shows, if it shows one: its kind and its file_id. */
export function fileOf(content: Content = {}): { kind: string; file_id: string; name?: string } | undefined {
  const { photo, animation, document, video, audio, voice, sticker, video_note } = content
  const largest = photo?.at(-1)
  if (largest !== undefined) return { kind: 'photo', file_id: largest.file_id }
  // An animation comes as a document, too.
  for (const [kind, file] of Object.entries({ animation, document, video, audio, voice, sticker, video_note })) {
    if (file === undefined) continue
    const { file_id } = file
    return { kind, file_id, ...('file_name' in file && file.file_name !== undefined && { name: file.file_name }) }
  }
  return undefined
}
