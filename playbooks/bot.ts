import { deploy, deployFlags } from '../commands/deploy/index.ts'
import { hasBackups } from '../commands/restore/select-backup.ts'
import { play } from '../lib/cli/play.ts'
import { allRoles, bot } from '../roles/index.ts'

await play({
  name: 'bot',
  summary: 'deploys a bot to its host, or replaces it with a new version without downtime',
  roles: [bot],
  allRoles,
  flags: deployFlags,
  examples: [
    ['--name hello-bot', 'build, start, switch, and stop the previous version'],
    ['--name hello-bot --check --diff', 'show what that would change'],
    ['--all', 'every bot; unchanged bots are left alone'],
    ['--name hello-bot --rollback', 'go back to the previous version'],
    ['--name hello-bot --releases', 'list its releases'],
    ['--name hello-bot --remove', 'remove it from its host'],
  ],
  run: (session) => deploy(session, hasBackups),
})
