import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { convergeWatched } = await import('../commands/watch/index.ts')
const { allRoles, backups, base, bot, certbot, docker, nginx, postgres, ufw, watch } = await import('../roles/index.ts')

await play({
  name: 'site',
  summary: 'configures the whole host',
  roles: [base, ufw, docker, postgres, nginx, certbot, bot, backups, watch],
  allRoles,
  isWhole: true,
  run: convergeWatched,
  sandboxUp: async (options) => (await import('../sandbox/index.ts')).up(options),
})
