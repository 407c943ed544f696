import type { BotEntry } from '../../lib/model/role.ts'
import { domainsOf } from '../../lib/platform/domains.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError, RunnerError } from '../../lib/std/errors.ts'
import { botRole } from '../../roles/bot/index.ts'
import type { Release } from '../../roles/bot/spec/release-record.ts'
import { domainRoles } from '../deploy/deployment.ts'
import { writePlace } from '../move/new-host.ts'
import { cedeScript } from './cede.ts'
import { deploymentsOf, hostWith } from './in-step.ts'
import { type Kept, keptOn } from './kept.ts'
import type { Failover } from './plan.ts'
import { isKnown } from './stand.ts'

interface Heir {
  readonly entry: BotEntry
  readonly record: Release
  readonly number: number
}

/** Has the new host serve all bots of the pair: containers, routes, webhooks, jobs. Returns the exit code. */
export async function serveAll(plan: Failover): Promise<number> {
  const { session, from, to, say } = plan
  const entries = [...from.host.bots, ...to.host.bots]
  const names = entries.map(({ name }) => name)
  const kept = await session.connected(to.host, (there) => keptOn(there, names), { quiet: true })
  const heirs = entries.flatMap((entry) => heirOf(entry, kept.get(entry.name)) ?? [])
  if (isKnown(from) && !from.follows)
    await session
      .connected(from.host, (here) => cede(plan, here, heirs), { quiet: true })
      .catch((error: unknown) => {
        if (!(error instanceof RunnerError)) throw error
        // Its gate is shut, and the next site.ts does the same.
        say(`warning: ${from.host.name} has not given its bots away: ${error.message}`)
      })
  await session.connected(
    to.host,
    async (there) => {
      for (const { entry, number } of heirs.filter(({ entry }) => kept.get(entry.name)?.record === undefined))
        await perform(there, writePlace(entry.name, placeOf(plan, number)))
    },
    { quiet: true },
  )
  const host = hostWith(to.host, from.host, heirs)
  const served = heirs.map(({ entry }) => entry.name)
  const roles = [...domainRoles(host, served), botRole(deploymentsOf(heirs, from.host), { move: 'serve' })]
  const converge = () => (heirs.length === 0 ? 0 : session.converge([host], roles))
  let code = await converge()
  if (code !== 0) {
    // All that has waited at Telegram comes at once, and one that could not be delivered counts against its bot.
    say('not all of it serves: once more')
    code = await converge()
  }
  const domains = heirs.flatMap(({ entry }) => domainsOf(entry))
  if (domains.length > 0) say(`point the DNS of ${domains.join(', ')} to ${to.host.name}`)
  const orphans = await releasedOf(
    plan,
    names.filter((name) => !served.includes(name)),
  )
  if (orphans.length > 0)
    throw new HostError(
      `${orphans.join(', ')}: never brought to ${to.host.name}, so not served there: npx zx playbooks/bot.ts --name ${orphans[0]} releases it, once the inventory names ${to.host.name} as its host`,
    )
  return code
}

/** Of these bots those that were released on the old host, as far as that can be told: the others wait for their first release. */
export async function releasedOf(
  { session, from }: Pick<Failover, 'session' | 'from'>,
  bots: readonly string[],
): Promise<readonly string[]> {
  if (bots.length === 0 || !isKnown(from)) return bots
  const kept = await session.connected(from.host, (here) => keptOn(here, bots), { quiet: true })
  return bots.filter((bot) => kept.get(bot)?.record !== undefined || (kept.get(bot)?.past.length ?? 0) > 0)
}

/** A bot that the new host can serve: it has its releases. */
export function heirOf(entry: BotEntry, kept: Kept | undefined): Heir | undefined {
  const record = kept?.record ?? kept?.past.at(-1)
  if (kept?.number === undefined || record === undefined) return undefined
  return { entry, record, number: 1 + (kept.place?.number ?? 0) }
}

function placeOf({ from, to }: Failover, number: number) {
  return { number, serves: to.host.name, from: from.host.name, at: new Date().toISOString() }
}

/** The old host gives its bots away. */
async function cede(plan: Failover, here: Connection, heirs: readonly Heir[]): Promise<void> {
  await plan.session.hold(plan.from.host, here)
  for (const { entry, number } of heirs) await perform(here, cedeScript(entry.name, placeOf(plan, number)))
}
