import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { standby, standbyFlags } = await import('../commands/standby/command.ts')
const { allRoles } = await import('../roles/index.ts')

await play({
  name: 'standby',
  summary: 'says how far the standbys of database servers are, and lets commits go on without one',
  roles: [],
  allRoles,
  flags: standbyFlags,
  without: ['tags', 'check'],
  examples: [
    ['', 'say of each host with a standby how far that is'],
    [
      '--degrade --limit vps1',
      'have commits on vps1 wait no more, until the next site.ts that finds the standby there',
    ],
  ],
  run: standby,
})
