import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { imageOf } from '../images/image.ts'
import { telegram } from '../images/index.ts'
import { type Part, publishedAt } from './service.ts'

export const telegramIsHere = existsSync(join(import.meta.dirname, '../telegram/main.ts'))

/** The Telegram of the sandbox: its Bot API at http://telegram.sandbox:8081, and how it is driven at port 8082. */
export const botApi: Part = {
  name: 'telegram',
  image: (progress) => imageOf(telegram, progress),
  published: [8082],
  env: { TELEGRAM_CA_URLS: 'https://pebble.sandbox:15000/roots/0' },
  keeps: '/var/lib/telegram',
}

/** The URL of the API by which tests and operators make bots and write to them as their users. */
export async function telegramControlUrl(): Promise<string> {
  return `http://${await publishedAt('telegram', 8082)}`
}
