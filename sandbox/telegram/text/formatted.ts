import type { MessageEntity } from '@grammyjs/types'
import { type ApiError, badRequest } from '../errors.ts'

/** A text as it reads, and what is bold in it, or a link. Offsets count UTF-16 units. */
export interface Formatted {
  readonly text: string
  readonly entities: readonly MessageEntity[]
}

export function entityError(what: string): ApiError {
  return badRequest(`can't parse entities: ${what}`)
}

/** Telegram counts bytes where it complains. */
export function bytesBefore(text: string, index: number): number {
  return Buffer.byteLength(text.slice(0, index))
}

/** As Telegram lists them: by where they begin, the longer first. */
export function sorted(entities: MessageEntity[]): MessageEntity[] {
  return entities.sort((one, other) => one.offset - other.offset || other.length - one.length)
}
