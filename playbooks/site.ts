import { play } from '../lib/cli/play.ts'
import { allRoles, backups, base, bot, certbot, docker, nginx, postgres, ufw } from '../roles/index.ts'
import { up } from '../sandbox/index.ts'

await play({
  name: 'site',
  summary: 'configures the whole host',
  roles: [base, ufw, docker, postgres, nginx, certbot, bot, backups],
  allRoles,
  sandboxUp: up,
})
