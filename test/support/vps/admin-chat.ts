import type { TelegramClient } from '../../../sandbox/telegram/client.ts'

/** The chat of an operator with the bot that sends alerts, at the sandbox's Telegram. */
export function adminChat(telegram: () => TelegramClient, bot: string) {
  // It remembers what earlier runs were told.
  const id = Math.floor(Date.now() / 1000)
  return {
    id,
    /** A bot cannot begin a chat. */
    begin: () => telegram().act(bot, { chat: id, text: '/start', language: 'en' }),
    /** What the bot has sent, in order. */
    texts: async () => (await telegram().chat(bot, id)).filter(({ from }) => from === 'bot').map(({ text }) => text),
  }
}

/** The lines of a message about one thing, as one. */
export function partOf(message: string, said: RegExp): string | undefined {
  const part = message.split(/\n(?=\S)/).find((each) => said.test(each))
  return part?.replaceAll(/\s*\n\s*/g, ' · ')
}
