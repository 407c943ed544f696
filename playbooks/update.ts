import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { convergeWith } = await import('../lib/cli/given.ts')
const { pairGiven, refuseFormerPrimary, withStandbys } = await import('../commands/failover/index.ts')
const { meshGiven } = await import('../commands/mesh/index.ts')
const { swarmGiven } = await import('../commands/mesh/swarm/index.ts')
const { standbyGiven } = await import('../commands/standby/index.ts')
const { watchGiven } = await import('../commands/watch/index.ts')
const { allRoles } = await import('../roles/index.ts')
const { update, updateFlags } = await import('../commands/update/index.ts')

const converge = withStandbys(convergeWith(watchGiven, meshGiven, swarmGiven, standbyGiven, pairGiven))

await play({
  name: 'update',
  summary: 'updates what site.ts keeps as it is, and verifies the host after that',
  roles: [],
  allRoles,
  flags: updateFlags,
  examples: [
    ['--postgres --check', 'what a new major version of PostgreSQL would take'],
    ['--postgres', 'move the data of bots to it; their updates wait at Telegram'],
  ],
  run: refuseFormerPrimary((session) => update(session, (each) => converge(each, allRoles))),
})
