import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { checked } from '../../lib/inventory/validate.ts'
import { readYaml, throwAll } from '../../lib/inventory/yaml.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { type BotManifest, type BotSettings, botManifestSchema } from '../../roles/bot/spec/schema.ts'

export const checkout = resolve(import.meta.dirname, '../..')

export function sourceOf({ name, where, settings }: BotEntry): string | undefined {
  const { image, source } = settings as BotSettings
  if (image !== undefined) return undefined
  const folder = resolve(checkout, source ?? `bots/${name}`)
  if (existsSync(folder)) return folder
  const next =
    source === undefined
      ? `create it: npx zx playbooks/new-bot.ts --name ${name}, or set source or image`
      : 'it is a path relative to this checkout'
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
