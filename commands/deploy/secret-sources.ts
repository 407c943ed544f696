import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { BotEntry } from '../../lib/model/role.ts'
import { local } from '../../lib/shell/local.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { RegistryLogin } from '../../roles/bot/spec/deployment.ts'
import type { BotManifest, BotSettings, BotVars, SecretSource } from '../../roles/bot/spec/schema.ts'
import { tokenVariable } from '../../roles/bot/token.ts'
import { checkout } from './bot-source.ts'

export async function tokenOf(
  { name, where, settings }: BotEntry,
  folder: string | undefined,
): Promise<Secret | undefined> {
  const { token: source } = settings as BotSettings
  const file = folder === undefined ? '' : join(folder, '.env')
  const [found, origin] =
    source !== undefined
      ? [await valueFrom(source, `${where}: bots.${name}.token`), `bots.${name}.token`]
      : process.env[tokenVariable(name)]
        ? [process.env[tokenVariable(name)], tokenVariable(name)]
        : [existsSync(file) ? parseEnv(await readFile(file, 'utf8')).BOT_TOKEN : undefined, file]
  if (!found) return undefined
  if (!/^\d+:[\w-]{20,}$/.test(found))
    throw new InventoryError(`${origin}: is not a bot token: BotFather gives tokens like 123456789:ABC…`)
  return new Secret(found)
}

export async function secretsOf(
  settings: BotSettings,
  manifest: BotManifest,
  key: string,
): Promise<Map<string, Secret | undefined>> {
  const names = new Set([...(manifest.secrets ?? []), ...Object.keys(settings.secrets ?? {})])
  const found = new Map<string, Secret | undefined>()
  for (const name of names) {
    const source = settings.secrets?.[name]
    const value = source && (await valueFrom(source, `${key}.secrets.${name}`))
    found.set(name, value ? new Secret(value) : undefined)
  }
  return found
}

/** Logins for the registries of a host whose password this machine has. */
export async function loginsOf({ registries }: BotVars): Promise<RegistryLogin[]> {
  const logins = []
  for (const [registry, { username, password }] of Object.entries(registries)) {
    const value = await valueFrom(password, `bot.registries.${registry}.password`)
    if (value) logins.push({ registry, username, password: new Secret(value) })
  }
  return logins
}

/** The value of a secret; undefined where its variable is not set. Throws an `InventoryError` where its command fails. */
async function valueFrom(source: SecretSource, key: string): Promise<string | undefined> {
  if ('env' in source) return process.env[source.env]?.trim()
  const quiet = local({ quiet: true, nothrow: true, cwd: checkout })
  const { exitCode, stdout, stderr } = await quiet`sh -c ${source.command} </dev/null`
  if (exitCode !== 0)
    throw new InventoryError(
      `${key}: the command ended with exit code ${exitCode}: ${source.command}\n${stderr.trim()}`,
    )
  if (stdout.includes('\0'))
    throw new InventoryError(`${key}: the command prints a NUL byte, but a secret must be text: print it as base64`)
  return stdout.trim()
}
