import { when } from '../../../lib/model/combinators.ts'
import type { Reading } from '../../../lib/model/reading.ts'
import { becomes, type Read, type Resource, resource } from '../../../lib/model/resource.ts'
import { containerState } from '../../../lib/resources/container.ts'
import { pulledImage } from '../../../lib/resources/image.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { allocations } from '../spec/allocations.ts'
import type { Cache } from '../spec/cache.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { cacheLayout } from './layout.ts'
import { cacheServer, imageOf } from './server.ts'

const servers = ['valkey', 'redis'] as const

/** The bots of a host, each with what is to be released of it; undefined where it is kept as its release says. */
type Bots = readonly { readonly bot: string; readonly target: Spec | undefined }[]

/** The images of caches, each where one of these bots has such a cache. */
export function cacheImages(bots: Bots): Resource[] {
  const reads = bots.map(({ bot }) => currentRelease(bot))
  const mayBe = (server: Cache['server']) =>
    bots.some(({ target }) => target === undefined || target.cache?.server === server)
  return servers
    .filter(mayBe)
    .map((server) =>
      when(
        reads,
        (read) => bots.some(({ bot, target }) => wantedCache(bot, target, read)?.server === server),
        pulledImage(imageOf(server)),
      ),
    )
}

/** The cache of a bot, which runs before the bot does. */
export function cacheOf(bot: string, base: string, target: Spec | undefined): Resource[] {
  if (target !== undefined && target.cache === undefined) return []
  const make = (read: Read, cache: Cache) => cacheServer(bot, base, read(allocations)[bot] ?? 1, cache)
  // What is read must not depend on what was read.
  const samples = servers.map((server) => cacheServer(bot, base, 1, { server, memoryMB: 32 }))
  // Whether there is a password is known once the record was read; its path is told where that is certain.
  return (samples[0] ?? []).map(({ credential, ...shape }, i) => ({
    ...shape,
    ...(credential !== undefined && target?.cache !== undefined && { credential }),
    wants: target?.cache ?? 'as its release says',
    reads: distinct([
      ...samples.flatMap((each) => each[i]?.reads ?? []),
      ...(target?.cache === undefined ? [] : (cacheServer(bot, base, 1, target.cache)[i]?.reads ?? [])),
      currentRelease(bot),
      allocations,
    ]),
    plan: (read) => {
      const cache = wantedCache(bot, target, read)
      return cache === undefined ? [] : (make(read, cache)[i]?.plan(read) ?? [])
    },
  }))
}

/** No cache, once the version that used it is gone. What it has persisted stays with the data of the bot. */
export function noCache(bot: string, target: Spec | undefined): Resource {
  const { container, compose, config, password } = cacheLayout(bot)
  const reads = { there: containerState(container), current: currentRelease(bot) }
  return resource({
    id: `cache:${bot}`,
    wants: target?.cache ?? 'as its release says',
    reads,
    plan: ({ there, current }) => {
      const serving = parseRelease(current)
      if (there === 'absent' || serving === undefined || serving.spec.cache !== undefined) return []
      const script = sh`
        docker rm -f --volumes ${container} >/dev/null
        rm -rf ${compose} ${config} ${password}`
      return [{ summary: 'remove', script, predicts: [becomes(reads.there, 'absent' as const)] }]
    },
  })
}

function wantedCache(bot: string, target: Spec | undefined, read: Read): Cache | undefined {
  return (target ?? parseRelease(read(currentRelease(bot)))?.spec)?.cache
}

function distinct(readings: readonly Reading[]): Reading[] {
  return [...new Map(readings.map((each) => [each.key, each])).values()]
}
