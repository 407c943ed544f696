import type { HostEnded, PrepareHost } from '../../lib/cli/run-host.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Role } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import { botRole, imagesRole } from '../../roles/bot/index.ts'
import { isLarge } from '../../roles/bot/spec/build-context.ts'
import { buildsOf, type Deployment } from '../../roles/bot/spec/deployment.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { certbotOfDomains } from '../../roles/certbot/index.ts'
import { nginxOfDomains } from '../../roles/nginx/index.ts'
import { type LocalDump, uploadDump } from './database-sources.ts'
import { refuseElsewhere } from './elsewhere.ts'
import { hooksOf } from './hooks.ts'
import { loadBot, shared } from './load-bot.ts'
import { servingRelease } from './releases.ts'
import { ship } from './ship-image.ts'
import { refuseSharedToken, tokenComparison } from './unique-tokens.ts'

export type Deployments = ReadonlyMap<string, Deployment>

/** Deployments of the bots of these hosts, by name, from their sources on this machine. Throws an `InventoryError`, as for a token that two bots use. */
export async function deploymentsOf(
  hosts: readonly InventoryHost[],
  isWanted: (bot: string) => boolean = () => true,
  given?: string,
): Promise<Deployments> {
  const deployments = new Map<string, Deployment>()
  const common = shared()
  for (const { bots, vars } of hosts)
    for (const entry of bots.filter(({ name }) => isWanted(name)))
      deployments.set(entry.name, await loadBot(entry, vars.bot as BotVars, common, given))
  refuseSharedToken(deployments)
  return deployments
}

/** What a host needs for the domains of these bots; nothing where they have none. */
export function domainRoles({ bots }: InventoryHost, names: readonly string[]): readonly Role[] {
  const withDomains = bots.filter((each) => names.includes(each.name) && domainsOf(each).length > 0)
  const owners = withDomains.map(({ name }) => name)
  return owners.length === 0 ? [] : [nginxOfDomains(owners), certbotOfDomains(owners)]
}

interface ReleaseOptions {
  /** Commands before and after a release are run. */
  readonly runsHooks?: boolean
  /** Images are built on this machine. */
  readonly buildsHere?: boolean
  /** What the database of the one bot is filled from. */
  readonly dump?: LocalDump
  /** Brings the images of these bots to the other hosts that run them, from the one that has built them. */
  readonly spread?: Spread
  /** The role as a host gets it. */
  readonly forHost?: (role: Role, host: InventoryHost) => Role
}

export type Spread = (session: Session, host: InventoryHost, deployments: Deployments) => Promise<void>

/** Brings the bots of these hosts to the versions of their deployments. Returns the exit code. */
export async function release(
  session: Session,
  hosts: readonly InventoryHost[],
  deployments: Deployments,
  { runsHooks = false, buildsHere = false, dump, spread, forHost = (role) => role }: ReleaseOptions = {},
): Promise<number> {
  const on = ({ bots }: InventoryHost) => [...deployments].filter(([name]) => bots.some((each) => each.name === name))
  const compareTokens = tokenComparison(session, deployments)
  const hooks = hooksOf(deployments, session.inventory, session.report.line)
  const notElsewhere = refuseElsewhere(session, [...deployments.keys()])
  const prepare: PrepareHost = async (host, connection, changes, unknown) => {
    await notElsewhere(host, connection, [...changes.map(({ id }) => id), ...unknown])
    await compareTokens(host, changes)
    if (runsHooks && !session.options.check) await hooks.before(host, [...changes.map(({ id }) => id), ...unknown])
    // By what they are built from: bots with the same context have the same image.
    const carried = new Map(
      on(host)
        .flatMap(([, deployment]) => buildsOf(deployment))
        .filter(
          ({ image, context }) => (buildsHere || isLarge(context)) && changes.some(({ id }) => id === `image:${image}`),
        )
        .map((build) => [build.context.checksum, build] as const),
    )
    const imports = dump !== undefined && changes.some(({ id }) => id.startsWith('database-import:'))
    if ((carried.size === 0 && !imports) || session.options.check) return
    const progress = (line: string) => session.report.line(`${host.name}  ${line}`)
    // Under the lock, so that no other run removes the uploads.
    await session.hold(host, connection)
    if (imports) await uploadDump(connection, dump, progress)
    for (const { image, context } of carried.values()) await ship(image, context, connection, { buildsHere, progress })
  }
  // Before a replica is to start: nobody else's registry has them.
  for (const host of session.options.check ? [] : hosts) {
    const several = new Map(on(host).filter(([, { spec }]) => spec.replicas !== undefined))
    if (several.size === 0 || spread === undefined) continue
    const shipped = new Map([...several].map(([name, each]) => [name, { ...each, shipped: buildsHere }]))
    const code = await session.converge([host], [imagesRole(shipped)], prepare)
    if (code !== 0) return code
    await spread(session, host, several)
  }
  const roles = async (host: InventoryHost) => [
    ...domainRoles(
      host,
      on(host).map(([name]) => name),
    ),
    forHost(
      botRole(new Map(on(host).map(([name, each]) => [name, { ...each, shipped: buildsHere, ...(dump && { dump }) }]))),
      host,
    ),
  ]
  const ended: HostEnded = async (host, result) => {
    if (runsHooks && !session.options.check)
      await hooks.after(host, result, (bot) => servingRelease(session, host, bot))
  }
  return session.converge(hosts, roles, prepare, ended)
}
