import { hostname, userInfo } from 'node:os'
import { type ReadSecret, secretReader } from '../../lib/cli/secret-reader.ts'
import { throwAll } from '../../lib/inventory/yaml.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { type BuildContext, type BuildSettings, contextOf } from '../../roles/bot/spec/build-context.ts'
import { conflictsIn } from '../../roles/bot/spec/conflicts.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import { externalPassword } from '../../roles/bot/spec/keys/external-database.ts'
import { processSettings } from '../../roles/bot/spec/processes.ts'
import { replicaFaults } from '../../roles/bot/spec/replicas/faults.ts'
import { routeFaults } from '../../roles/bot/spec/routes.ts'
import type { BotSettings, BotVars } from '../../roles/bot/spec/schema.ts'
import { databaseSettings, isExternal, specOf } from '../../roles/bot/spec/spec.ts'
import { manifestOf, openSource } from './bot-source.ts'
import { initOf } from './database-sources.ts'
import { processBuilds } from './process-builds.ts'
import { loginsOf, secretsOf, tokenOf } from './secret-sources.ts'

/** What the bots of one run share: a secret is read once, and a folder is packed once. */
export interface Shared {
  readonly read: ReadSecret
  readonly contexts: Map<string, Promise<BuildContext>>
}

export function shared(): Shared {
  return { read: secretReader(), contexts: new Map() }
}

/**
 * The deployment of a bot from this machine: build context, manifest, token and secrets; from the folder that is `given`, else from
 * its source. Throws an `InventoryError`.
 */
export async function loadBot(
  entry: BotEntry,
  vars: Pick<BotVars, 'registries'> = { registries: {} },
  common: Shared = shared(),
  given?: string,
): Promise<Deployment> {
  const key = `${entry.where}: bots.${entry.name}`
  if (given !== undefined && (entry.settings as BotSettings).image !== undefined)
    throw new InventoryError(`${key}: has an image, and --source builds one: leave "image:" out`)
  const source = await openSource(entry, key, given)
  try {
    const deployment = await fromSource(entry, key, vars, common, source?.folder)
    return source?.commit === undefined ? deployment : { ...deployment, commit: source.commit }
  } finally {
    source?.remove()
  }
}

async function fromSource(
  { settings: said, ...rest }: BotEntry,
  key: string,
  vars: Pick<BotVars, 'registries'>,
  { read, contexts }: Shared,
  folder: string | undefined,
): Promise<Deployment> {
  const settings = said as BotSettings
  const entry = { ...rest, settings }
  const { name } = entry
  if (settings.image !== undefined && settings.source !== undefined)
    throw new InventoryError(`${key}: has both image and source: remove one of them`)
  const built = (['dockerfile', 'target', 'args'] as const).find((each) => settings[each] !== undefined)
  if (settings.image !== undefined && built !== undefined)
    throw new InventoryError(
      `${key}: has both image and ${built}, but a published image is not built: remove one of them`,
    )
  const manifest = folder === undefined ? {} : await manifestOf(folder, key)
  const { migrations, dockerfile, target, args } = { ...manifest, ...settings }
  const build: BuildSettings = { migrations, dockerfile, target, args: { ...manifest.args, ...args } }
  const packed = async (source: string, how: BuildSettings, at: string) => {
    const same = JSON.stringify([source, how])
    const context = contexts.get(same) ?? contextOf(source, at, how)
    contexts.set(same, context)
    return context
  }
  const context = folder === undefined ? undefined : await packed(folder, build, key)
  const ofProcesses = await processBuilds(
    processSettings(settings, manifest),
    folder === undefined ? undefined : { build, packed: (how, at) => packed(folder, how, at) },
    key,
  )
  const builds = [...ofProcesses].map(([process, each]) => ({
    image: `botgarden/${name}.${process}:${each.checksum.slice(0, 12)}`,
    ...{ process, context: each },
  }))
  if (isExternal(settings.database) && settings.secrets?.[externalPassword] !== undefined)
    throw new InventoryError(
      `${key}.secrets.${externalPassword}: is the password of database.external, which has a source already: call it something else`,
    )
  const { init } = databaseSettings(settings, manifest) ?? {}
  const image = settings.image ?? `botgarden/${name}:${context?.checksum.slice(0, 12)}`
  const images = Object.fromEntries(builds.map((each) => [each.process, each.image]))
  const spec = specOf(image, settings, manifest, context?.migrations, images)
  const routeMistakes = routeFaults({ ...manifest, ...settings }, domainsOf(entry).length > 0)
  const replicaMistakes = replicaFaults({ ...manifest, ...settings }, spec)
  throwAll([...conflictsIn(spec), ...routeMistakes, ...replicaMistakes].map((fault) => `${key}.${fault}`))
  return {
    spec,
    manifest,
    context,
    ...(builds.length > 0 && { builds }),
    pull: settings.image !== undefined,
    ...(init !== undefined && { initScript: await initOf(folder, init, key) }),
    token: spec.mode === 'none' ? undefined : await tokenOf(entry, folder, read, spec.references),
    secrets: await secretsOf(spec.secrets, settings, folder, key, read),
    logins: settings.image === undefined ? [] : await loginsOf(vars, settings.image, read),
    by: `${userInfo().username}@${hostname()}`,
  }
}
