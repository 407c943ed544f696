import { deliveriesOf, deployment } from '../commands/deploy/deployment.ts'
import { restore, restoreFlags } from '../commands/restore/index.ts'
import { play } from '../lib/cli/play.ts'
import { allRoles, backups, base, certbot, docker, nginx, postgres, ufw } from '../roles/index.ts'

const core = [base, ufw, docker, postgres, nginx, certbot, backups]

await play({
  name: 'restore',
  summary: 'restores a database or a whole host from a backup, or proves that it could be',
  roles: [],
  allRoles,
  flags: restoreFlags,
  examples: [
    ['--name hello-bot --identity key.txt', 'its database as in the newest backup'],
    ['--name hello-bot --as hello_old --at 2026-11-20 --identity key.txt', 'beside it, as it was that day'],
    ['--drill --identity key.txt', 'every database into a throwaway server, and compared'],
    ['--host vps1 --identity key.txt', 'all of a host, on a bare one of that name in the inventory'],
  ],
  run: (session) =>
    restore(session, {
      core,
      bots: async (host) => deployment(session, await deliveriesOf(host.bots), { buildsHere: false }),
    }),
})
