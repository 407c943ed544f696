import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { imageOf } from '../images/image.ts'
import { telegram } from '../images/index.ts'
import { paths } from '../machine/paths.ts'
import { writeAtomic } from '../machine/write-atomic.ts'
import { inPart, type Part, publishedAt } from './service.ts'

export const telegramIsHere = existsSync(join(import.meta.dirname, '../telegram/main.ts'))

/**
 * The Telegram of the sandbox: its Bot API at http://telegram.sandbox:8081, and under the name of the real one for those that
 * know no other; how it is driven at port 8082.
 */
export const botApi: Part = {
  name: 'telegram',
  image: (progress) => imageOf(telegram, progress),
  published: [8082],
  aliases: ['api.telegram.org'],
  env: { TELEGRAM_CA_URLS: 'https://pebble.sandbox:15000/roots/0' },
  keeps: '/var/lib/telegram',
}

/** Writes the root certificate of its HTTPS, which hosts of the sandbox are made to trust. */
export async function writeTelegramAuthority(): Promise<void> {
  const { stdout, stderr } = await inPart('telegram', 'cat tls/ca.pem')
  if (!stdout.includes('CERTIFICATE'))
    throw new HostError(`this machine: the sandbox's Telegram has no authority: ${stderr}`)
  writeAtomic(paths.telegramCa, stdout)
}

/** The URL of the API by which tests and operators make bots and write to them as their users. */
export async function telegramControlUrl(): Promise<string> {
  return `http://${await publishedAt('telegram', 8082)}`
}
