import { refuseWhen } from '../../../lib/model/combinators.ts'
import type { Read, Resource } from '../../../lib/model/resource.ts'
import type { BotEntry } from '../../../lib/model/role.ts'
import { domainsOf } from '../../../lib/platform/domains.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'
import { overlap } from '../spec/routes.ts'
import type { Spec } from '../spec/spec.ts'

/**
 * The resource; its plan throws a `HostError` where a route that is deployed is one of another bot on the name of the host: by
 * its target, where that is deployed in the same run, else by its record.
 */
export function refuseTakenPaths(
  entry: BotEntry,
  targets: ReadonlyMap<string, { readonly spec: Spec }>,
  all: readonly BotEntry[],
  inner: Resource,
): Resource {
  const bot = entry.name
  const routes = domainsOf(entry).length > 0 ? [] : (targets.get(bot)?.spec.public ?? [])
  if (routes.length === 0 || inner.id !== `release:${bot}`) return inner
  const others = all
    .filter((each) => each.name !== bot && domainsOf(each).length === 0)
    .map(({ name }) => ({ name, record: currentRelease(name) }))
  const reason = (read: Read) => {
    for (const { name, record } of others) {
      const { spec } = targets.get(name) ?? parseRelease(read(record)) ?? {}
      for (const { path } of routes) {
        const taken = spec?.public?.find((each) => overlap(each.path, path))
        if (taken !== undefined)
          return `public: ${path} of ${bot} overlaps with ${taken.path} of ${name} on the name of this host: choose another path for one of them`
      }
    }
    return undefined
  }
  return refuseWhen(
    others.map(({ record }) => record),
    reason,
    inner,
  )
}
