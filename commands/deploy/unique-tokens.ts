import { readWithoutCommand } from '../../lib/cli/secret-reader.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { PlannedChange } from '../../lib/engine/plan.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { BotEntry } from '../../lib/model/role.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { HostError, InventoryError, RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import type { Deployment } from '../../roles/bot/spec/deployment.ts'
import { idOf, sameToken, tokenOwners, tokenResource } from '../../roles/bot/token.ts'
import { sourceOf } from './bot-source.ts'
import { tokenOf } from './secret-sources.ts'

/** A bot that is not deployed now, and the id of its token. */
interface TokenOwner {
  readonly bot: string
  readonly id: string
  /** Where that is known from, if that is a host. */
  readonly host?: string
}

/** Throws an `InventoryError` where two deployments have the same token: the bots would take updates from each other. */
export function refuseSharedToken(deployments: ReadonlyMap<string, Deployment>): void {
  const owners = [...deployments].flatMap(([bot, { token }]) => (token ? [{ bot, id: idOf(token) }] : []))
  const lines = [...Map.groupBy(owners, ({ id }) => id)].flatMap(([id, [first, ...others]]) =>
    first === undefined || others.length === 0
      ? []
      : [sameToken([first, ...others.slice(0, -1)].map(({ bot }) => bot).join(' and '), others.at(-1)?.bot ?? '', id)],
  )
  if (lines.length > 0) throw new InventoryError(lines.join('\n'))
}

/**
 * Refuses a token that is to be written to a host, where a bot of another host has it: by what the other hosts keep, and by what
 * this machine has without running a command. The host itself compares its own bots. Where no token is written nobody is asked.
 */
export function tokenComparison(session: Session, deployments: ReadonlyMap<string, Deployment>) {
  const kept = new Map<string, Promise<readonly TokenOwner[]>>()
  const keptBy = (host: InventoryHost) => {
    const owners = kept.get(host.name) ?? ownersOn(session, host)
    kept.set(host.name, owners)
    return owners
  }
  const { options, inventory } = session
  return async (host: InventoryHost, changes: readonly PlannedChange[]): Promise<void> => {
    const written = [...deployments].filter(
      ([bot, { token }]) => token && changes.some(({ id }) => id === tokenResource(bot)),
    )
    if (written.length === 0 || !host.bots.some(({ name }) => written.some(([bot]) => bot === name))) return
    const others = inventory.hosts.filter(({ name, bots }) => name !== host.name && bots.length > 0)
    const known = [
      ...(await ownersHere(inventory.hosts.flatMap(({ bots }) => bots))),
      ...(await mapConcurrent(options.forks, others, keptBy)).flat(),
    ]
    for (const [bot, { token }] of written) {
      const isTwin = (each: TokenOwner) =>
        each.bot !== bot && deployments.get(each.bot)?.token === undefined && token && each.id === idOf(token)
      const twin = known.find(isTwin)
      if (twin === undefined) continue
      if (twin.host === undefined) throw new InventoryError(sameToken(bot, twin.bot, twin.id))
      throw new HostError(sameToken(bot, `${twin.bot}, which is on ${twin.host},`, twin.id))
    }
  }
}

/** The owners of tokens that this machine has in its environment or in the `.env` of a source. */
async function ownersHere(bots: readonly BotEntry[]): Promise<readonly TokenOwner[]> {
  const found = bots.map(async (entry): Promise<readonly TokenOwner[]> => {
    try {
      const token = await tokenOf(entry, sourceOf(entry), readWithoutCommand)
      return token === undefined ? [] : [{ bot: entry.name, id: idOf(token) }]
    } catch {
      // The source of a bot that is not deployed now may be missing.
      return []
    }
  })
  return (await Promise.all(found)).flat()
}

/** The owners of the tokens that a host keeps; none, and a warning, where it cannot be asked. */
async function ownersOn({ connected, report }: Session, host: InventoryHost): Promise<readonly TokenOwner[]> {
  const { kind, name } = tokenOwners
  try {
    const output = await connected(host, (connection) => ask(connection, kind.script([name])), { quiet: true })
    return Object.entries(kind.parse(output, [name]).get(name) ?? {}).map(([bot, id]) => ({ bot, id, host: host.name }))
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    report.line(`${host.name}  warning: not asked whether one of its bots has the same token: ${error.message}`)
    return []
  }
}
