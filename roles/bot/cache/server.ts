import { becomes, type Resource } from '../../../lib/model/resource.ts'
import { images } from '../../../lib/platform/image-versions.ts'
import { composeProject, hardened, mount } from '../../../lib/resources/compose.ts'
import { directory } from '../../../lib/resources/file.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { type Cache, cacheHost } from '../spec/cache.ts'
import { layoutOf, uidOf } from '../spec/layout.ts'
import { storedSecrets } from '../spec/stored-secrets.ts'
import { cacheConfiguration } from './configuration.ts'
import { cacheAddress, cacheLayout } from './layout.ts'

/** The resources of a cache that runs: its password, its configuration, its container. They have the same ids for every cache. */
export function cacheServer(bot: string, base: string, number: number, cache: Cache): Resource[] {
  const layout = cacheLayout(bot)
  const user = uidOf(number)
  const container = composeProject({
    name: layout.container,
    folder: layout.compose,
    service: service(bot, base, number, cache),
    more: { networks: { bot: { name: layoutOf(bot).network, external: true } } },
    ...(cache.persist && { data: layout.data }),
  })
  return [
    generatedSecret(layout.password, { owner: user, whenMade: [passwordMade(bot)] }),
    directory(layout.config, { mode: '0500', owner: user, group: user }),
    cacheConfiguration(bot, user, cache),
    dataFolder(layout.data, user, cache),
    directory(layoutOf(bot).compose),
    ...container,
  ]
}

/** The image of a server. */
export function imageOf(server: Cache['server']): string {
  return images[server]
}

function passwordMade(bot: string) {
  return becomes(storedSecrets(bot), (now) => ({ ...now, 'cache-password': Number.POSITIVE_INFINITY }))
}

/** Its parents are made with it: most hosts have no data. */
function dataFolder(path: string, user: string, { persist }: Cache): Resource {
  const inner = directory(path, { mode: '0700', owner: user, group: user })
  const now = fileState(path)
  return {
    ...inner,
    plan: (read) => {
      if (!persist) return []
      if (read(now) !== 'absent') return inner.plan(read)
      const script = sh`(umask 077; mkdir -p ${path}); chown ${`${user}:${user}`} ${path}`
      return inner.plan(read).map((change) => ({ ...change, script }))
    },
  }
}

function service(bot: string, base: string, number: number, { server, memoryMB, persist }: Cache) {
  const { config, data } = cacheLayout(bot)
  const user = `${uidOf(number)}:${uidOf(number)}`
  return {
    image: imageOf(server),
    ...hardened,
    user,
    command: [`${server}-server`, '/run/secrets/server.conf'],
    volumes: [mount(config, '/run/secrets'), ...(persist ? [mount(data, '/data', { writable: true })] : [])],
    // The image has a volume there.
    ...(!persist && { tmpfs: ['/data:size=1m,mode=1777'] }),
    networks: { bot: { ipv4_address: cacheAddress(base, number), aliases: [cacheHost, 'cache'] } },
    mem_limit: `${memoryMB}m`,
    memswap_limit: `${memoryMB}m`,
    cpus: 0.5,
    pids_limit: 30,
    stop_grace_period: '20s',
    healthcheck: {
      // Without its password it answers that it wants one.
      test: ['CMD-SHELL', `${server}-cli ping 2>&1 | grep -q 'PONG\\|NOAUTH'`],
      interval: '60s',
      timeout: '5s',
      retries: 3,
      start_period: '60s',
      start_interval: '1s',
    },
    labels: { 'botgarden.cache': bot },
  }
}
