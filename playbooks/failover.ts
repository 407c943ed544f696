import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles } = await import('../roles/index.ts')
const { failover, failoverFlags } = await import('../commands/failover/index.ts')

await play({
  name: 'failover',
  summary: 'has the standby of a host take over from it: its databases and its bots',
  roles: [],
  allRoles,
  flags: failoverFlags,
  without: ['tags', 'limit'],
  examples: [
    ['--from vps1 --to vps2 --check', 'say what would happen'],
    ['--from vps1 --to vps2', 'stop vps1, and have vps2 serve'],
    ['--from vps1 --to vps2 --old-host-is-gone', 'the same where vps1 does not answer'],
    ['--from vps1 --to vps2 --drill', 'prove that vps2 could take over, without touching what serves'],
  ],
  run: failover,
})
