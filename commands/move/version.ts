import { hostname, userInfo } from 'node:os'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { manifestOf } from '../deploy/rollback.ts'

/** The deployment by which another host releases what serves: the same image, nothing built, nothing migrated. */
export function deploymentOf({ spec, limits, commit }: Release, from: string): Deployment {
  return {
    ...{ spec, context: undefined, pull: false, token: undefined, isRollback: true },
    manifest: manifestOf(limits),
    secrets: new Map(spec.secrets.map((name) => [name, undefined])),
    by: `move from ${from} (${userInfo().username}@${hostname()})`,
    ...(commit !== undefined && { commit }),
  }
}

/** In seconds: a version that has served for long need not prove again that it stays up. */
const settle = 3

/** The host with this bot, whatever the inventory says of where it is. */
export function withBot(host: InventoryHost, entry: BotEntry): InventoryHost {
  const vars = host.vars.bot as BotVars
  return {
    ...host,
    bots: [...host.bots.filter(({ name }) => name !== entry.name), entry],
    vars: { ...host.vars, bot: { ...vars, settle: Math.min(vars.settle, settle) } },
  }
}
