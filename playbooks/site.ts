import { play } from '../lib/play.ts'
import { allRoles, base, docker, ufw } from '../roles/index.ts'
import { up } from '../sandbox/index.ts'

await play({
  name: 'site',
  summary: 'brings the whole host to the wanted state',
  roles: [base, ufw, docker],
  allRoles,
  sandboxUp: up,
})
