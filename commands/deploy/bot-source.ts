import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checked } from '../../lib/inventory/validate.ts'
import { readYaml, throwAll } from '../../lib/inventory/yaml.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { localPath, operatorFolder } from '../../lib/std/local-path.ts'
import { type BotManifest, type BotSettings, botManifestSchema } from '../../roles/bot/spec/schema.ts'
import { commitOf, fetchSource } from './git-source.ts'

/** The source of a bot in a folder, until `remove`. */
export interface Source {
  readonly folder: string
  readonly commit?: string
  remove(): void
}

/**
 * The source of a bot; undefined where it has a published image. It is fetched where the inventory names a repository; a folder that
 * was `given` on the command line takes its place. Throws an `InventoryError`.
 */
export async function openSource(entry: BotEntry, key: string, given?: string): Promise<Source | undefined> {
  const { image, source } = entry.settings as BotSettings
  if (given === undefined && image === undefined && typeof source === 'object') return fetchSource(source, key)
  const folder = given === undefined ? sourceOf(entry) : resolve(given)
  if (folder === undefined) return undefined
  const commit = given === undefined ? undefined : await commitOf(folder)
  return { folder, ...(commit !== undefined && { commit }), remove: () => {} }
}

/** The folder of a bot that is on this machine; undefined where its source is elsewhere. */
export function sourceOf({ name, where, settings }: BotEntry): string | undefined {
  const { image, source } = settings as BotSettings
  if (image !== undefined || typeof source === 'object') return undefined
  const folder = localPath(source ?? `bots/${name}`)
  if (existsSync(folder)) return folder
  const next =
    source === undefined
      ? `create it: npx zx playbooks/new-bot.ts --name ${name}, or set source or image`
      : `it is a path from ${operatorFolder()}`
  throw new InventoryError(`${where}: bots.${name}: no folder ${source ?? `bots/${name}`}: ${next}`)
}

export async function manifestOf(folder: string, key: string): Promise<BotManifest> {
  const file = join(folder, 'bot.yaml')
  if (!existsSync(file))
    throw new InventoryError(`${key}: ${folder} has no bot.yaml: it must set at least the port, see docs/PLAN.md`)
  const { value, faults } = checked(await readYaml(file), botManifestSchema)
  throwAll(faults)
  return value
}
