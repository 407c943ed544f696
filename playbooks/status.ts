import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles } = await import('../roles/index.ts')
const { status, statusFlags } = await import('../commands/status/index.ts')

await play({
  name: 'status',
  summary: 'shows how all hosts and bots are; exit code 3 where something needs a person',
  roles: [],
  allRoles,
  flags: statusFlags,
  // It changes nothing, reads everything, and shows no secret.
  without: ['check', 'diff', 'tags', 'wait', 'show-secrets'],
  exitCodes: {
    0: 'nothing needs a person',
    2: '',
    3: 'something needs a person',
    4: 'a host could not be reached, and nothing else needs a person',
    5: '',
  },
  examples: [
    ['-i inventory/production.yaml', 'all of its hosts, on one screen'],
    ['--watch', 'the same, drawn again every 10 seconds'],
    ['--html status.html', 'and as a page for a browser or a phone'],
    ['--json', 'for scripts: every number, and the next command for each finding'],
  ],
  run: status,
})
