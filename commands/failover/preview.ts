import { keptOn } from './kept.ts'
import { lossText } from './loss.ts'
import type { Failover } from './plan.ts'
import { heirOf, releasedOf } from './serve.ts'
import { replicaOn } from './server.ts'
import { isKnown } from './stand.ts'

/** Says what a failover would do, and changes nothing. Returns the exit code: 2 where there is something to do. */
export async function preview(plan: Failover): Promise<number> {
  const { session, from, to, record, isDecided } = plan
  const say = (line: string) => session.report.line(`${to.host.name}  ${line}`)
  const entries = [...from.host.bots, ...to.host.bots]
  const [replica, kept] = await session.connected(
    to.host,
    async (there) =>
      [
        await replicaOn(there),
        await keptOn(
          there,
          entries.map(({ name }) => name),
        ),
      ] as const,
    { quiet: true },
  )
  const waiting = entries.filter(({ name }) => kept.get(name)?.record === undefined).map(({ name }) => name)
  if (isDecided && !replica.follows && waiting.length === 0) {
    say(`is the primary of epoch ${record.epoch} already, and serves ${entries.length} bots`)
    return 0
  }
  if (isKnown(from))
    say(
      from.follows ? `${from.host.name} follows it already` : `would stop ${from.host.name}: its bots, and its server`,
    )
  else say(`could not stop ${from.host.name}, which does not answer: only with --old-host-is-gone`)
  if (!isDecided) {
    say(isKnown(from) ? 'would wait until the last change of it has arrived' : lossText(plan, replica, undefined))
    say(`would be the primary of epoch ${record.epoch}`)
  }
  const without = entries.filter(
    (entry) => waiting.includes(entry.name) && heirOf(entry, kept.get(entry.name)) === undefined,
  )
  const missing = await releasedOf(
    plan,
    without.map(({ name }) => name),
  )
  if (missing.length > 0) say(`could not serve ${missing.join(', ')}, of which nothing was brought there yet`)
  const heirs = waiting.filter((name) => without.every((entry) => entry.name !== name))
  if (heirs.length > 0) say(`would serve ${heirs.join(', ')}, and move their webhooks there`)
  return 2
}
