import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles, bot } = await import('../roles/index.ts')
const { deploy, deployFlags } = await import('../commands/deploy/index.ts')
const { hasBackups } = await import('../commands/restore/select-backup.ts')

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
    ['--name hello-bot --logs --follow', 'what it prints, through releases'],
    ['--name hello-bot --exec -- node -v', 'run a command in its container'],
    ['--name hello-bot --run digest', 'run one of its jobs now'],
    ['--name hello-bot --remove', 'remove it from its host'],
  ],
  run: (session) => deploy(session, hasBackups),
})
