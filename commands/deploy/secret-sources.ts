import { envFile, type ReadSecret, variable } from '../../lib/cli/secret-reader.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import { registryOf } from '../../roles/bot/registry-login.ts'
import type { RegistryLogin } from '../../roles/bot/spec/deployment.ts'
import { externalPassword } from '../../roles/bot/spec/keys/external-database.ts'
import type { BotSettings, BotVars } from '../../roles/bot/spec/schema.ts'
import { isExternal } from '../../roles/bot/spec/spec.ts'
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
  { secrets = {}, database }: BotSettings,
  folder: string | undefined,
  key: string,
  read: ReadSecret,
): Promise<Map<string, Secret | undefined>> {
  const found = new Map<string, Secret | undefined>()
  const file = names.length === 0 ? {} : await envFile(folder)
  for (const name of names) {
    const ofDatabase = name === externalPassword && isExternal(database)
    const source = ofDatabase ? database.external.password : secrets[name]
    const at = ofDatabase ? 'database.external.password' : `secrets.${name}`
    const value = source === undefined ? file[name] : await read(source, `${key}.${at}`)
    found.set(name, value ? new Secret(value) : undefined)
  }
  return found
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
