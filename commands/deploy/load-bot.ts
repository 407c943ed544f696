import { hostname, userInfo } from 'node:os'
import type { BotEntry } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { type BuildContext, contextOf } from '../../roles/bot/spec/build-context.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { BotSettings, BotVars } from '../../roles/bot/spec/schema.ts'
import { databaseSettings, specOf } from '../../roles/bot/spec/spec.ts'
import { manifestOf, sourceOf } from './bot-source.ts'
import { initOf } from './database-sources.ts'
import { loginsOf, type ReadSecret, secretReader, secretsOf, tokenOf } from './secret-sources.ts'

/** What the bots of one run share: a secret is read once, and a folder is packed once. */
export interface Shared {
  readonly read: ReadSecret
  readonly contexts: Map<string, Promise<BuildContext>>
}

export function shared(): Shared {
  return { read: secretReader(), contexts: new Map() }
}

/** The deployment of a bot from this machine: build context, manifest, token and secrets. Throws an `InventoryError`. */
export async function loadBot(
  entry: BotEntry,
  vars: Pick<BotVars, 'registries'> = { registries: {} },
  { read, contexts }: Shared = shared(),
): Promise<Deployment> {
  const { name, where } = entry
  const settings = entry.settings as BotSettings
  const key = `${where}: bots.${name}`
  const folder = sourceOf(entry)
  if (settings.image !== undefined && settings.source !== undefined)
    throw new InventoryError(`${key}: has both image and source: remove one of them`)
  const manifest = folder === undefined ? {} : await manifestOf(folder, key)
  const migrations = settings.migrations ?? manifest.migrations
  const packed = async (source: string) => {
    const same = JSON.stringify([source, migrations])
    const context = contexts.get(same) ?? contextOf(source, key, migrations)
    contexts.set(same, context)
    return context
  }
  const context = folder === undefined ? undefined : await packed(folder)
  const { init } = databaseSettings(settings, manifest) ?? {}
  const image = settings.image ?? `botgarden/${name}:${context?.checksum.slice(0, 12)}`
  return {
    spec: specOf(image, settings, manifest, context?.migrations),
    manifest,
    context,
    pull: settings.image !== undefined,
    ...(init !== undefined && { init: await initOf(folder, init, key) }),
    token: await tokenOf(entry, folder, read),
    secrets: await secretsOf(settings, manifest, key, read),
    logins: settings.image === undefined ? [] : await loginsOf(vars, settings.image, read),
    by: `${userInfo().username}@${hostname()}`,
  }
}
