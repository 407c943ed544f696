import { backupScripts } from './backups.ts'
import { botScripts } from './bots.ts'
import { beginningScripts, connectionScripts, shippedScripts } from './connections.ts'
import { doctorScripts } from './doctor.ts'
import { failoverScripts } from './failovers.ts'
import { hostScripts } from './hosts.ts'
import { moveScripts } from './moves.ts'
import { processScripts } from './processes.ts'
import { replicaScripts } from './replicas.ts'
import { type Shell, within } from './scripts.ts'
import { statusScripts } from './status.ts'
import { updateScripts } from './updates.ts'

/** Every text that a shell is given by any plan or procedure, each once. */
export async function everyScript(): Promise<Shell[]> {
  const outer = [
    ...hostScripts(),
    ...(await botScripts()),
    ...processScripts(),
    ...(await backupScripts()),
    ...(await connectionScripts()),
    ...(await beginningScripts()),
    ...shippedScripts(),
    ...statusScripts(),
    ...doctorScripts(),
    ...(await updateScripts()),
    ...moveScripts(),
    ...failoverScripts(),
    ...replicaScripts(),
  ]
  const all = outer.flatMap((each) => [each, ...within(each)])
  return [...Map.groupBy(all, ({ text }) => text).values()].flatMap(([first]) => first ?? [])
}
