import { deploy, deployFlags } from '../commands/deploy/index.ts'
import { hasBackups } from '../commands/restore/select-backup.ts'
import { play } from '../lib/cli/play.ts'
import { allRoles, bot } from '../roles/index.ts'

await play({
  name: 'bot',
  summary: 'releases a bot on its host, or replaces it by a new version without a gap',
  roles: [bot],
  allRoles,
  flags: deployFlags,
  examples: [
    ['--name hello-bot', 'build, start, switch, and stop the version before'],
    ['--name hello-bot --check --diff', 'what that would do'],
    ['--all', 'every bot; what has not changed is left alone'],
    ['--name hello-bot --rollback', 'back to the version before'],
    ['--name hello-bot --releases', 'what has been released, and when'],
    ['--name hello-bot --remove', 'off its host'],
  ],
  run: (session) => deploy(session, hasBackups),
})
