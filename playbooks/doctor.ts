import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles } = await import('../roles/index.ts')
const { doctor, doctorFlags } = await import('../commands/doctor/index.ts')

await play({
  name: 'doctor',
  summary: 'tries to break what is promised, from where a stranger stands; exit code 3 where something gives way',
  roles: [],
  allRoles,
  flags: doctorFlags,
  examples: [
    ['-i inventory/production.yaml', 'all promises to its hosts and bots'],
    ['--name hello-bot', 'those to one bot'],
    ['--all-ports', 'every port from outside: a minute or two'],
    ['--identity key.txt', 'and restore the newest backup into a temporary server'],
    ['--json', 'for scripts'],
  ],
  run: (session) => doctor(session),
})
