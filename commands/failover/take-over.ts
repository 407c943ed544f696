import type { Connection } from '../../lib/ssh/connection.ts'
import { perform } from '../../lib/ssh/perform.ts'
import { HostError, RunnerError } from '../../lib/std/errors.ts'
import { fenceScript, openScript, recordScript } from '../../roles/standby/gate.ts'
import { promote } from '../standby/promote.ts'
import { lossText } from './loss.ts'
import type { Failover } from './plan.ts'
import { bytesOfLsn, type Replica, replicaOn } from './server.ts'
import { isKnown } from './stand.ts'

/** In milliseconds: how long what the old host has may take to arrive. */
const patience = 60_000

/**
 * Stops the old host where it answers, waits for its last changes, and has the server of the new one be the primary. What decides is
 * the record on the new host: it comes before the server is promoted, so that an old host which comes back meanwhile starts nothing.
 */
export async function takeOver(plan: Failover): Promise<void> {
  const { session, from, to, record, isDecided, say } = plan
  await session.connected(
    to.host,
    async (there) => {
      // First, since another run there may have it.
      await session.hold(to.host, there)
      const flushed = await fence(plan)
      if (!isDecided) {
        const before = await awaitLast(plan, there, flushed)
        say(lossText(plan, before, flushed))
        await perform(there, recordScript(record))
        say(`epoch ${record.epoch}: ${to.host.name} is the primary`)
      }
      await perform(there, openScript(record.epoch, isDecided ? 'back' : 'decided'))
      await promote(there, to.host.name)
      say('its server takes changes')
    },
    { quiet: true },
  )
  if (!isKnown(from)) return
  // It would hear of it from its peer, too.
  const noted = session.connected(from.host, (here) => perform(here, recordScript(record)), { quiet: true })
  await noted.catch((error: unknown) => {
    if (!(error instanceof RunnerError)) throw error
    say(`warning: ${from.host.name} was not told: ${error.message}`)
  })
}

/** Returns up to where the old host has written; undefined where it cannot be told. */
async function fence({ session, from, to, record, isDecided, say }: Failover): Promise<number | undefined> {
  if (!isKnown(from)) {
    say(`${from.host.name} does not answer, and was not stopped`)
    return undefined
  }
  // It is the standby by now, and stays that.
  if (from.follows) return undefined
  const stop = session.connected(
    from.host,
    async (here) => {
      await session.hold(from.host, here)
      return perform(here, fenceScript(record.epoch))
    },
    { quiet: true },
  )
  const told = await stop.catch((error: unknown) => {
    if (!(error instanceof RunnerError) || !session.options.own.has('old-host-is-gone')) throw error
    say(`warning: ${from.host.name} could not be stopped whole: ${error.message}`)
    return undefined
  })
  if (told === undefined) return undefined
  say(`${from.host.name} is stopped: its bots, and its server`)
  const flushed = bytesOfLsn(/^flushed (\S+)$/m.exec(told)?.[1] ?? '')
  if (flushed !== undefined || isDecided || session.options.own.has('old-host-is-gone')) return flushed
  throw new HostError(
    `${from.host.name} is stopped, and does not tell up to where its server has written, which did not answer: whether ${to.host.name} has all of it cannot be told; go on with what that has: --old-host-is-gone; or go back: npx zx playbooks/failover.ts --from ${to.host.name} --to ${from.host.name}`,
  )
}

async function awaitLast(
  { session, from, to }: Failover,
  there: Connection,
  flushed: number | undefined,
): Promise<Replica> {
  const end = performance.now() + patience
  const isGone = session.options.own.has('old-host-is-gone')
  for (;;) {
    const now = await replicaOn(there)
    const wanted = flushed ?? now.received
    if (now.replayed >= wanted || !now.follows) return now
    if (performance.now() > end) {
      if (isGone) return now
      throw new HostError(
        `${to.host.name} lacks the last ${wanted - now.replayed} bytes of what ${from.host.name} has written, which is stopped; mend the network between them (docs/hosts.md) and run this again; or go on without them: --old-host-is-gone; or go back: npx zx playbooks/failover.ts --from ${to.host.name} --to ${from.host.name}`,
      )
    }
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
