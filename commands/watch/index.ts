import { secretReader } from '../../lib/cli/secret-reader.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Role } from '../../lib/model/role.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { isToken } from '../../roles/bot/token.ts'
import { watchRole } from '../../roles/watch/index.ts'
import type { WatchVars } from '../../roles/watch/schema.ts'

/** Applies roles to all hosts, and tells `watch` the token and the Bot API of each host that is watched. Returns the exit code. */
export async function convergeWatched({ hosts, converge }: Session, roles: readonly Role[]): Promise<number> {
  if (!roles.some(({ name }) => name === 'watch') || hosts.every((host) => Object.keys(varsOf(host)).length === 0))
    return converge(hosts, roles)
  const tokens = await tokensOf(hosts)
  return converge(hosts, async ({ name, vars }) => {
    const token = tokens.get(name)
    const { telegram } = vars.bot as BotVars
    return roles.map((each) => (each.name === 'watch' ? watchRole({ telegram, ...(token && { token }) }) : each))
  })
}

async function tokensOf(hosts: readonly InventoryHost[]): Promise<Map<string, Secret>> {
  const read = secretReader()
  const tokens = new Map<string, Secret>()
  for (const host of hosts) {
    const { token } = varsOf(host)
    if (token === undefined) continue
    const value = await read(token, `hosts.${host.name}: watch.token`)
    if (!value) continue
    if (!isToken(value))
      throw new InventoryError(
        `hosts.${host.name}: watch.token: is not a bot token: BotFather gives tokens like 123456789:ABC…`,
      )
    tokens.set(host.name, new Secret(value))
  }
  return tokens
}

function varsOf({ vars }: InventoryHost): WatchVars {
  return vars.watch as WatchVars
}
