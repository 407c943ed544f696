import { namedBots } from '../../lib/cli/named-bots.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { Role } from '../../lib/model/role.ts'
import { refuseFormer } from './given.ts'
import { keepInStep } from './in-step.ts'
import { type HostPair, pairsOf } from './pairs.ts'
import { removeKept } from './remove-kept.ts'

type Run = (session: Session, roles: readonly Role[]) => Promise<number>

/** The run, and after it what the standbys of its hosts need for a failover. Where there are none, nothing is asked. */
export function withStandbys(run: Run, isWanted: (session: Session) => boolean = () => true): Run {
  return async (session, roles) => {
    const code = await run(session, roles)
    const pairs = pairsOf(session, session.hosts)
    if (session.options.check || code !== 0 || pairs.length === 0) return code
    if (session.options.own.has('remove'))
      return eachPair(pairs, (pair) => removeKept(session, pair, namedBots(session)))
    if (!isWanted(session)) return code
    return eachPair(pairs, (pair) => keepInStep(session, pair))
  }
}

async function eachPair(pairs: readonly HostPair[], each: (pair: HostPair) => Promise<number>): Promise<number> {
  for (const pair of pairs) {
    const code = await each(pair)
    if (code !== 0) return code
  }
  return 0
}

/** The run, which changes nothing where another host has taken over from one of its hosts: both are asked before the first change. */
export function refuseFormerPrimary(run: Run): Run {
  return (session, roles) => {
    const askAll = async () => {
      for (const pair of pairsOf(session, session.hosts)) await refuseFormer(session, pair)
    }
    let asked: Promise<void> | undefined
    const first = () => {
      asked ??= askAll()
      return asked
    }
    const guarded: Session = {
      ...session,
      converge: async (...of) => {
        await first()
        return session.converge(...of)
      },
      hold: async (...of) => {
        await first()
        return session.hold(...of)
      },
    }
    return run(guarded, roles)
  }
}

/** Flags of bot.ts by which it changes nothing that a standby has to follow. */
const looking = ['releases', 'run', 'jobs', 'logs', 'exec', 'psql', 'remove', 'forget']

/** Whether a run of bot.ts changes what serves. */
export function releasing({ options: { own } }: Session): boolean {
  return !looking.some((flag) => own.has(flag))
}
