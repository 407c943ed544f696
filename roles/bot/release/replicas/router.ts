import { hardened } from '../../../../lib/resources/compose.ts'
import { template } from '../../../../lib/std/template.ts'
import type { BotInstance } from '../../spec/instance.ts'
import { addressOf, type Colour, databaseAddressOf, layoutOf, uidOf } from '../../spec/layout.ts'
import type { ContainerLimits } from '../../spec/limits.ts'
import type { Spec } from '../../spec/spec.ts'
import { replicasLayout } from './layout.ts'

/** In the official image `stream` is a part of nginx, in builds of distributions a module. */
const start = `
stream=/usr/lib/nginx/modules/ngx_stream_module.so
{ [ ! -e "$$stream" ] || echo "load_module $$stream;"; printf %s "$$ROUTER"; } >/tmp/nginx.conf
exec nginx -c /tmp/nginx.conf`

export const routerLimits: ContainerLimits = { memoryMB: 64, cpus: 0.5 }

/**
 * The container that takes the place of the bot on the host that serves it: nginx, in the network of the replicas. It hands each
 * request to one of them, and is the only way that they have to the database, as the bot's own role.
 */
export function routerService(instance: BotInstance, colour: Colour, spec: Spec) {
  const { bot, base, number, swarm } = instance
  const layout = layoutOf(bot)
  // By the engine's own DNS the name of the service is the addresses of all replicas that run.
  const { network, service: name } = replicasLayout(bot)
  const config = template(new URL('router.conf.mustache', import.meta.url), {
    port: spec.port,
    name,
    database: spec.database && { address: databaseAddressOf(base, number, 'server') },
  })
  const version = {
    image: swarm?.router ?? '',
    ...hardened,
    user: `${uidOf(number)}:${uidOf(number)}`,
    entrypoint: ['/bin/sh', '-euc', start],
    environment: { ROUTER: config.replaceAll('$', '$$$$') },
    tmpfs: ['/tmp:size=32m,mode=1777'],
    networks: {
      bot: { ipv4_address: addressOf(base, number, colour) },
      ...(spec.database && { database: { ipv4_address: databaseAddressOf(base, number, colour) } }),
      // By the name that is in the server's certificate.
      replicas: { aliases: ['postgres'] },
    },
    pids_limit: 50,
    stop_grace_period: '20s',
    labels: { 'botgarden.bot': bot },
    restart: 'no',
  }
  const more = {
    networks: {
      bot: { name: layout.network, external: true },
      ...(spec.database && { database: { name: layout.databaseNetwork, external: true } }),
      replicas: { name: network, external: true },
    },
  }
  return { version, more }
}
