import type { Role } from '../lib/model/role.ts'
import { backups } from './backups/index.ts'
import { base } from './base/index.ts'
import { bot, botRole } from './bot/index.ts'
import { certbot } from './certbot/index.ts'
import { docker } from './docker/index.ts'
import { mesh } from './mesh/index.ts'
import { nginx } from './nginx/index.ts'
import { postgres } from './postgres/index.ts'
import { swarm } from './swarm/index.ts'
import { ufw } from './ufw/index.ts'
import { watch } from './watch/index.ts'

export { backups, base, bot, botRole, certbot, docker, mesh, nginx, postgres, swarm, ufw, watch }

/** Every role there is: an inventory may hold vars for each, whichever of them a playbook applies. */
export const allRoles: readonly Role[] = [base, mesh, ufw, swarm, docker, postgres, nginx, certbot, bot, backups, watch]
