import type { Finder } from '../../lib/cli/given.ts'
import { secretReader } from '../../lib/cli/secret-reader.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { Secret } from '../../lib/std/secret.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { isToken } from '../../roles/bot/token.ts'
import { watchRole } from '../../roles/watch/index.ts'
import type { WatchVars } from '../../roles/watch/schema.ts'

/** Tells the role `watch` of each host that is watched its token and its Bot API. */
export const watchGiven: Finder = async ({ hosts }, roles) => {
  if (!roles.some(({ name }) => name === 'watch') || hosts.every((host) => Object.keys(varsOf(host)).length === 0))
    return undefined
  const tokens = await tokensOf(hosts)
  return ({ name, vars }, role) => {
    if (role.name !== 'watch') return role
    const token = tokens.get(name)
    const { telegram } = vars.bot as BotVars
    return watchRole({ telegram, ...(token && { token }) })
  }
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
