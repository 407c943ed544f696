import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles, backups, base, certbot, docker, nginx, postgres, ufw } = await import('../roles/index.ts')
const { deploymentsOf, release } = await import('../commands/deploy/deployment.ts')
const { refuseRebuilt } = await import('../commands/failover/index.ts')
const { restore, restoreFlags } = await import('../commands/restore/index.ts')

const core = [base, ufw, docker, postgres, nginx, certbot, backups]

await play({
  name: 'restore',
  summary: 'restores a database or a whole host from a backup, or tests that this works',
  roles: [],
  allRoles,
  flags: restoreFlags,
  examples: [
    ['--name hello-bot --identity key.txt', 'its database as in the newest backup'],
    [
      '--name hello-bot --as hello_old --at 2026-11-20 --identity key.txt',
      'beside the existing one, from a backup of that day',
    ],
    ['--drill --identity key.txt', 'restore every database into a temporary server and compare'],
    ['--host vps1 --identity key.txt', 'rebuild a bare host of that name in the inventory'],
  ],
  run: (session) =>
    restore(session, {
      core,
      refuse: refuseRebuilt,
      bots: async (host) => {
        const deployments = await deploymentsOf([host])
        return () => release(session, [host], deployments)
      },
    }),
})
