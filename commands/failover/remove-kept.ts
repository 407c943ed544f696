import * as v from 'valibot'
import type { Session } from '../../lib/cli/session.ts'
import { role } from '../../lib/model/role.ts'
import { ConnectError } from '../../lib/std/errors.ts'
import { botAbsent } from '../../roles/bot/remove.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import type { HostPair } from './pairs.ts'

/** Removes from the standby what it keeps of bots that were removed from the primary. Their databases went by replication. Returns the exit code. */
export async function removeKept(
  session: Session,
  { primary, standby }: HostPair,
  names: readonly string[],
): Promise<number> {
  const bots = primary.bots.filter(({ name }) => names.includes(name))
  const { telegram } = standby.vars.bot as BotVars
  const gone = bots.map(({ name }) => botAbsent(name, telegram, { purge: true, isMoved: true, hasDatabase: false }))
  if (gone.length === 0) return 0
  try {
    return await session.converge([standby], [role('bot', v.any(), () => gone)])
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error
    session.report.line(
      `${standby.name}  ▸ warning: what it keeps of ${names.join(', ')} is there still: ${error.message}`,
    )
    return 0
  }
}
