import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles, backups, base, bot, certbot, docker, nginx, postgres, ufw } = await import('../roles/index.ts')

await play({
  name: 'site',
  summary: 'configures the whole host',
  roles: [base, ufw, docker, postgres, nginx, certbot, bot, backups],
  allRoles,
  isWhole: true,
  sandboxUp: async (options) => (await import('../sandbox/index.ts')).up(options),
})
