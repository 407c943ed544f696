import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import type { ReadSecret } from '../../lib/cli/secret-reader.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { operatorFolder } from '../../lib/std/local-path.ts'
import { Secret } from '../../lib/std/secret.ts'
import { registryOf } from '../../roles/bot/registry-login.ts'
import type { RegistryLogin } from '../../roles/bot/spec/deployment.ts'
import type { BotSettings, BotVars } from '../../roles/bot/spec/schema.ts'
import { isToken, tokenVariable } from '../../roles/bot/token.ts'

/** The variables of a `.env` file beside the source that hold the token, as bots call it. */
const usualTokenNames = ['BOT_TOKEN', 'TELEGRAM_BOT_TOKEN', 'TELEGRAM_TOKEN']

/** `variables` are those of the bot that refer to something: the one that is the token names it in the `.env` file as well. */
export async function tokenOf(
  { name, where, settings }: BotEntry,
  folder: string | undefined,
  read: ReadSecret,
  variables: Readonly<Record<string, string>> = {},
): Promise<Secret | undefined> {
  const { token: source } = settings as BotSettings
  const own = Object.keys(variables).filter((variable) => variables[variable] === '${token}')
  const fromFile = async () => {
    const file = await envFile(folder)
    const variable = [...own, ...usualTokenNames].find((each) => file[each])
    return [variable && file[variable], `${variable} in ${folder}/.env`] as const
  }
  const ofTheOperator = source === undefined ? await variable(tokenVariable(name)) : undefined
  const [found, origin] =
    source !== undefined
      ? [await read(source, `${where}: bots.${name}.token`), `bots.${name}.token`]
      : ofTheOperator
        ? [ofTheOperator, tokenVariable(name)]
        : await fromFile()
  if (!found) return undefined
  if (!isToken(found))
    throw new InventoryError(`${origin}: is not a bot token: BotFather gives tokens like 123456789:ABC…`)
  return new Secret(found)
}

/** The secrets of these names: by the inventory, else from the `.env` file beside the source. */
export async function secretsOf(
  names: readonly string[],
  { secrets = {} }: BotSettings,
  folder: string | undefined,
  key: string,
  read: ReadSecret,
): Promise<Map<string, Secret | undefined>> {
  const found = new Map<string, Secret | undefined>()
  const file = names.length === 0 ? {} : await envFile(folder)
  for (const name of names) {
    const source = secrets[name]
    const value = source === undefined ? file[name] : await read(source, `${key}.secrets.${name}`)
    found.set(name, value ? new Secret(value) : undefined)
  }
  return found
}

/** A variable of the operator's: of the environment, or of the `.env` file where the paths of the inventory start. */
async function variable(name: string): Promise<string | undefined> {
  return (process.env[name] ?? (await envFile(operatorFolder()))[name])?.trim()
}

/** The variables of the `.env` file in a folder; none where there is no such file. */
async function envFile(folder: string | undefined): Promise<NodeJS.Dict<string>> {
  const path = folder === undefined ? undefined : join(folder, '.env')
  return path !== undefined && existsSync(path) ? parseEnv(await readFile(path, 'utf8')) : {}
}

/** The login for the registry of an image, where the inventory names one and this machine has its password. */
export async function loginsOf(
  { registries }: Pick<BotVars, 'registries'>,
  image: string,
  read: ReadSecret,
): Promise<RegistryLogin[]> {
  const registry = registryOf(image)
  const login = registries[registry]
  if (login === undefined) return []
  const value = await read(login.password, `bot.registries.${registry}.password`)
  return value ? [{ registry, username: login.username, password: new Secret(value) }] : []
}
