import '../lib/cli/compile-cache.ts'

const { play } = await import('../lib/cli/play.ts')
const { allRoles, bot } = await import('../roles/index.ts')
const { deploy, deployFlags } = await import('../commands/deploy/index.ts')
const { refuseFormerPrimary, releasing, withStandbys } = await import('../commands/failover/index.ts')
const { isMove, move, moveFlags } = await import('../commands/move/index.ts')
const { spreadImages } = await import('../commands/replicas/index.ts')
const { hasBackups } = await import('../commands/restore/select-backup.ts')

await play({
  name: 'bot',
  summary: 'deploys a bot to its host, or replaces it with a new version without downtime',
  roles: [bot],
  allRoles,
  flags: { ...deployFlags, ...moveFlags },
  examples: [
    ['--name hello-bot', 'build, start, switch, and stop the previous version'],
    ['--name hello-bot --check --diff', 'show what that would change'],
    ['--all', 'every bot; unchanged bots are left alone'],
    ['--name hello-bot --rollback', 'go back to the previous version'],
    ['--name hello-bot --releases', 'list its releases'],
    ['--name hello-bot --logs --follow', 'what it prints, through releases'],
    ['--name hello-bot --exec -- node -v', 'run a command in its container'],
    ['--name hello-bot --run digest', 'run one of its jobs now'],
    ['--name hello-bot --move-to vps2', 'move it to another host, with all that it has'],
    ['--name hello-bot --remove', 'remove it from its host'],
  ],
  run: withStandbys(
    refuseFormerPrimary((session) => (isMove(session) ? move(session) : deploy(session, hasBackups, spreadImages))),
    releasing,
  ),
})
