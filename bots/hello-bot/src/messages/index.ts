import { en, type Messages } from './en.ts'
import { ru } from './ru.ts'

const catalogues: Readonly<Record<string, Messages>> = { en, ru }

/** By the language of the user's Telegram: `ru`, `pt-br`, or unknown. */
export function messagesFor(languageCode: string | undefined): Messages {
  return catalogues[languageCode?.split('-')[0]?.toLowerCase() ?? ''] ?? en
}
