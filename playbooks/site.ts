import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { convergeWith } = await import('../lib/cli/given.ts')
const { pairGiven, withStandbys } = await import('../commands/failover/index.ts')
const { meshGiven } = await import('../commands/mesh/index.ts')
const { swarmGiven, thenJoin } = await import('../commands/mesh/swarm/index.ts')
const { standbyGiven } = await import('../commands/standby/index.ts')
const { watchGiven } = await import('../commands/watch/index.ts')
const { allRoles, backups, base, bot, certbot, docker, mesh, nginx, postgres, swarm, ufw, watch } = await import(
  '../roles/index.ts'
)

await play({
  name: 'site',
  summary: 'configures the whole host',
  roles: [base, mesh, ufw, swarm, docker, postgres, nginx, certbot, bot, backups, watch],
  allRoles,
  isWhole: true,
  run: thenJoin(withStandbys(convergeWith(watchGiven, meshGiven, swarmGiven, standbyGiven, pairGiven))),
  sandboxUp: async (options) => (await import('../sandbox/index.ts')).up(options),
})
