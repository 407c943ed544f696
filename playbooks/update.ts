import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles } = await import('../roles/index.ts')
const { update, updateFlags } = await import('../commands/update/index.ts')

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
  run: (session) => update(session, allRoles),
})
