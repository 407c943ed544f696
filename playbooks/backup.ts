import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles } = await import('../roles/index.ts')
const { backup, backupFlags } = await import('../commands/backup/index.ts')

await play({
  name: 'backup',
  summary: 'takes a backup of each host now, downloads it, and verifies it',
  roles: [],
  allRoles,
  flags: backupFlags,
  examples: [
    ['-i inventory/production.yaml', 'all of its hosts'],
    ['--name hello-bot', 'one database, before something risky'],
    ['--status', 'the age of the last good ones, on the host and on this machine'],
    [`-i inventory/production.yaml --install-cron '17 3 * * *'`, 'every night from now on'],
  ],
  run: backup,
})
