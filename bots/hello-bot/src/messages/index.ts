import { en } from './en.ts'
import { ru } from './ru.ts'

/** What the bot says, in one language. English sets which messages there are; the compiler finds what another lacks. */
export type Messages = typeof en

const catalogues: Readonly<Record<string, Messages>> = { en, ru }

/** By the language of the user's Telegram: `ru`, `pt-br`, or unknown. */
export function messagesFor(languageCode: string | undefined): Messages {
  return catalogues[languageCode?.split('-')[0]?.toLowerCase() ?? ''] ?? en
}
