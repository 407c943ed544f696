import { InventoryError } from '../../lib/std/errors.ts'
import type { BuildContext, BuildSettings } from '../../roles/bot/spec/build-context.ts'
import { buildKeyOf } from '../../roles/bot/spec/process-conflicts.ts'
import type { ProcessSettings } from '../../roles/bot/spec/processes.ts'

/** How the image of a bot is built, and the packer of its source; undefined where it is a published image. */
interface Source {
  readonly build: BuildSettings
  readonly packed: (build: BuildSettings, key: string) => Promise<BuildContext>
}

/**
 * What the images of processes are built from that have one of their own, by name: what a process does not say of its image is as
 * of its bot. Throws an `InventoryError` that begins with `key`.
 */
export async function processBuilds(
  processes: Readonly<Record<string, ProcessSettings>>,
  source: Source | undefined,
  key: string,
): Promise<ReadonlyMap<string, BuildContext>> {
  const contexts = new Map<string, BuildContext>()
  for (const [name, said] of Object.entries(processes)) {
    const built = buildKeyOf(said)
    if (built === undefined) continue
    const where = `${key}.processes.${name}`
    if (source === undefined)
      throw new InventoryError(
        `${where}.${built}: a published image is not built, so its processes are not: leave it out, and set "command:"`,
      )
    const { dockerfile = source.build.dockerfile, target = source.build.target, args } = said
    const build = { dockerfile, target, args: { ...source.build.args, ...args } }
    contexts.set(name, await source.packed(build, where))
  }
  return contexts
}
