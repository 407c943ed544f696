import { hostname, userInfo } from 'node:os'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { contextOf } from '../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { BotSettings } from '../../roles/bot/spec/schema.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'
import { manifestOf, sourceOf } from './bot-source.ts'
import { secretsOf, tokenOf } from './secret-sources.ts'

/** The deployment of a bot from this machine: build context, manifest, token and secrets. Throws an `InventoryError`. */
export async function loadBot(entry: BotEntry): Promise<Deployment> {
  const { name, where } = entry
  const settings = entry.settings as BotSettings
  const key = `${where}: bots.${name}`
  const folder = sourceOf(entry)
  if (settings.image !== undefined && settings.source !== undefined)
    throw new InventoryError(`${key}: has both image and source: remove one of them`)
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
