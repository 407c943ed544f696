import type { Commands } from '../../lib/health/finding.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { Script } from '../../lib/shell/sh.ts'
import type { Connection } from '../../lib/ssh/connection.ts'
import { stream } from '../../lib/ssh/exec.ts'
import { judged, skipped, type Verdict } from './verdict.ts'

/** The script that sends a real alert from a host and fails where it was not taken; undefined where none are set up. */
export type ProveAlert = (host: InventoryHost) => Script | undefined

/** An alert arrives: one is sent, as the host would send it. */
export async function alertVerdict(
  host: InventoryHost,
  connection: Connection,
  prove: ProveAlert,
  { playbook }: Commands,
): Promise<Verdict> {
  const promised = { id: 'alert', promise: 'an alert arrives' }
  const script = prove(host)
  if (script === undefined) return skipped(promised, 'no alerts are set up')
  let said = ''
  const status = await stream(connection, script, (bytes) => {
    said = `${said}${bytes}`.slice(-2000)
  })
  const reason = said.trim().split('\n').at(-1)
  return judged(
    promised,
    status === 0 ? [] : [{ what: `it was not taken: ${reason || `exit code ${status}`}`, mend: playbook('site') }],
  )
}
