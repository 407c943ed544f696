import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { checked } from '../../lib/inventory/validate.ts'
import { readYaml, throwAll } from '../../lib/inventory/yaml.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { local } from '../../lib/shell/local.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { Delivery } from '../../roles/bot/image.ts'
import type { BotVars } from '../../roles/bot/index.ts'
import type { Login } from '../../roles/bot/registry-login.ts'
import { tokenVariable } from '../../roles/bot/secrets.ts'
import { contextOf } from '../../roles/bot/spec/build-context.ts'
import { type BotSettings, type Manifest, manifestSchema, type SecretSource } from '../../roles/bot/spec/schema.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'

const checkout = resolve(import.meta.dirname, '../..')

/** Everything about a bot that this machine knows, before any host is asked: what to build, its manifest, its secrets. */
export async function prepared(entry: BotEntry): Promise<Delivery> {
  const { name, where } = entry
  const settings = entry.settings as BotSettings
  const key = `${where}: bots.${name}`
  const folder = sourceOf(entry)
  if (settings.image !== undefined && settings.source !== undefined)
    throw new InventoryError(`${key}: both image and source; it is either built here or by somebody else`)
  const manifest = folder === undefined ? {} : await manifestOf(folder, key)
  const context =
    folder === undefined ? undefined : await contextOf(folder, key, settings.migrations ?? manifest.migrations)
  const image = settings.image ?? `botgarden/${name}:${context?.checksum.slice(0, 12)}`
  return {
    spec: specOf(image, settings, manifest, context?.migrations),
    manifest,
    context,
    pull: settings.image !== undefined,
    token: await tokenOf(entry, folder),
    secrets: await secretsOf(settings, manifest, key),
    by: `${userInfo().username}@${hostname()}`,
  }
}

/** Two bots with one token would take each other's updates away: told before any host is touched. */
export async function refuseTwins(
  deliveries: ReadonlyMap<string, Delivery>,
  others: readonly BotEntry[] = [],
): Promise<void> {
  // Of bots that are not deployed now a token that cannot be had is no matter.
  const tokens = await Promise.all(
    others
      .filter(({ name }) => !deliveries.has(name))
      .map(async (entry) => [entry.name, await tokenIfAny(entry)] as const),
  )

  const byId = Map.groupBy(
    [...[...deliveries].map(([name, { token }]) => [name, token] as const), ...tokens].flatMap(([name, token]) =>
      token === undefined ? [] : [{ name, id: idOf(token) }],
    ),
    ({ id }) => id,
  )
  const twins = [...byId].filter(([, bots]) => bots.length > 1)
  if (twins.length === 0) return
  const lines = twins.map(
    ([id, bots]) =>
      `${bots.map(({ name }) => name).join(' and ')} have the token of one bot (${id}): each needs its own, from BotFather`,
  )
  throw new InventoryError(lines.join('\n'))
}

async function tokenIfAny(entry: BotEntry): Promise<Secret | undefined> {
  try {
    return await tokenOf(entry, sourceOf(entry))
  } catch {
    return undefined
  }
}

/** What stands before the colon is a bot's number, and no secret. */
export function idOf(token: Secret): string {
  return token.reveal().split(':')[0] ?? ''
}

function sourceOf({ name, where, settings }: BotEntry): string | undefined {
  const { image, source } = settings as BotSettings
  if (image !== undefined) return undefined
  const folder = resolve(checkout, source ?? `bots/${name}`)
  if (existsSync(folder)) return folder
  const next =
    source === undefined
      ? `make it: npx zx playbooks/new-bot.ts --name ${name}, or set source or image`
      : 'a path from this checkout'
  throw new InventoryError(`${where}: bots.${name}: no folder ${source ?? `bots/${name}`}: ${next}`)
}

async function manifestOf(folder: string, key: string): Promise<Manifest> {
  const file = join(folder, 'bot.yaml')
  if (!existsSync(file))
    throw new InventoryError(`${key}: ${folder} has no bot.yaml, which says at least its port: see docs/PLAN.md`)
  const { value, faults } = checked(await readYaml(file), manifestSchema)
  throwAll(faults)
  return value
}

async function tokenOf({ name, where, settings }: BotEntry, folder: string | undefined): Promise<Secret | undefined> {
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
    throw new InventoryError(`${origin}: is no token of a bot: BotFather gives them as 123456789:ABC…`)
  return new Secret(found)
}

async function secretsOf(
  settings: BotSettings,
  manifest: Manifest,
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

/** The logins that this machine has for the registries of a host. */
export async function loginsOf({ registries }: BotVars): Promise<Login[]> {
  const logins = []
  for (const [registry, { username, password }] of Object.entries(registries)) {
    const value = await valueFrom(password, `bot.registries.${registry}.password`)
    if (value) logins.push({ registry, username, password: new Secret(value) })
  }
  return logins
}

/** Undefined where a variable is not set: then the host keeps what it has. A command that fails is an error. */
async function valueFrom(source: SecretSource, key: string): Promise<string | undefined> {
  if ('env' in source) return process.env[source.env]?.trim()
  const quiet = local({ quiet: true, nothrow: true, cwd: checkout })
  const { exitCode, stdout, stderr } = await quiet`sh -c ${source.command} </dev/null`
  if (exitCode !== 0)
    throw new InventoryError(
      `${key}: the command ended with exit code ${exitCode}: ${source.command}\n${stderr.trim()}`,
    )
  if (stdout.includes('\0'))
    throw new InventoryError(`${key}: the command prints a NUL byte, and a secret is text: let it print base64`)
  return stdout.trim()
}
