import { backup, backupFlags } from '../commands/backup/index.ts'
import { play } from '../lib/cli/play.ts'
import { allRoles } from '../roles/index.ts'

await play({
  name: 'backup',
  summary: 'takes a backup of each host now, downloads and verifies it',
  roles: [],
  allRoles,
  flags: backupFlags,
  examples: [
    ['-i inventory/production.yaml', 'all of its hosts'],
    ['--name hello-bot', 'one database, before something risky'],
    ['--status', 'how old the last good ones are, there and here'],
    [`-i inventory/production.yaml --install-cron '17 3 * * *'`, 'every night from now on'],
  ],
  run: backup,
})
