import { resolve } from 'node:path'
import { botHost } from './bot-host.ts'

/** Bots that know nothing of botgarden, by the name that they are deployed under: folders of test/bots. */
const sources = {
  python: 'aiohttp-sqlalchemy',
  grammy: 'grammy-redis',
  sqlite: 'telegram-sqlite',
  go: 'telebot-scratch',
} as const
export type ForeignBot = keyof typeof sources
export const foreignBots = Object.keys(sources) as ForeignBot[]

/** What the one in test/bots/grammy-redis proves Telegram by: a secret of its own. */
export const ownSecret = 'a-secret-of-its-own'

/** A host with all of them. The sandbox's Telegram is https://api.telegram.org for them, by an authority that the host trusts. */
export function foreignBotHost(host: string, entry: object = { domain: `${host}.sandbox` }) {
  const there = botHost(host, foreignBots)
  delete there.bots['hello-bot']
  for (const name of foreignBots)
    there.bots[name] = { host, source: resolve(import.meta.dirname, '../../bots', sources[name]) }
  Object.assign(there.bots.grammy ?? {}, { secrets: { WEBHOOK_SECRET: { command: `echo ${ownSecret}` } } })
  const file = (more: Partial<Record<ForeignBot, object>> = {}) =>
    there.inventory(
      Object.fromEntries(foreignBots.map((name) => [name, { ...there.bots[name], ...more[name] }])),
      entry,
      { caFile: '/etc/ssl/certs/ca-certificates.crt' },
    )
  return { ...there, file, begin: () => there.beginWith({ standIns: ['valkey'], file: file() }) }
}
