import { existsSync, readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { valueAt } from '../../lib/inventory/edit-yaml.ts'
import { tokenVariable } from '../../roles/bot/token.ts'

/** What an earlier run, or a person, has written already. */
export interface Known {
  /** The one host of the inventory. */
  readonly onlyHost?: string
  readonly host?: string
  readonly user?: string
  /** '': the host has none. */
  readonly domain?: string
  readonly email?: string
  readonly bot?: string
  readonly hasToken: (bot: string) => boolean
}

/** What a text of an inventory and a `.env` file say of a host. */
export function knownOf(text: string, envFile: string, name: string): Known {
  const at = (...path: string[]) => valueAt(text, path)
  const hosts = keysOf(at('hosts'))
  const entry = at('hosts', name)
  const [, user, host] = /^(?:([^@]+)@)?(.*)$/.exec(String(at('hosts', name, 'ssh') ?? '')) ?? []
  const bots = keysOf(at('bots')).filter((bot) => [name, undefined].includes(at('bots', bot, 'host') as string))
  const isThere = hosts.includes(name)
  const domain = at('hosts', name, 'domain')
  const email = at('hosts', name, 'certbot', 'email') ?? at('vars', 'certbot', 'email')
  return {
    ...(hosts.length === 1 && hosts[0] !== undefined && { onlyHost: hosts[0] }),
    ...(isThere && { host: host || name, domain: String(domain ?? ''), email: String(email ?? '') }),
    ...(!isThere && typeof email === 'string' && { email }),
    ...(user !== undefined && { user }),
    ...(entry !== undefined && bots[0] !== undefined && { bot: bots[0] }),
    hasToken: (bot) => at('bots', bot, 'token') !== undefined || Boolean(variablesIn(envFile)[tokenVariable(bot)]),
  }
}

function variablesIn(envFile: string): NodeJS.Dict<string> {
  return existsSync(envFile) ? parseEnv(readFileSync(envFile, 'utf8')) : {}
}

function keysOf(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}
