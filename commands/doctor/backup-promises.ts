import { join } from 'node:path'
import { runHost } from '../../lib/cli/run-host.ts'
import type { Session } from '../../lib/cli/session.ts'
import { lockRequestOf } from '../../lib/engine/host-lock.ts'
import type { Commands } from '../../lib/health/finding.ts'
import { thresholds } from '../../lib/health/thresholds.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import type { HostResult } from '../../lib/report/result.ts'
import { durationText } from '../../lib/std/duration.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { oneLine } from '../../lib/std/output.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { parseBackupName } from '../../roles/backups/backup-name.ts'
import type { BackupsVars } from '../../roles/backups/schema.ts'
import { settingsFor } from '../backup/host-settings.ts'
import { copiesOf } from '../backup/local-copies.ts'
import { hasKnownSigner, signersOf, unsignedFault } from '../backup/signers.ts'
import { copyFaults } from '../backup/verify.ts'
import { drillHost } from '../restore/index.ts'
import type { Exposure } from './exposure-reading.ts'
import { type Fault, judged, type Promised, skipped, type Verdict } from './verdict.ts'

const there: Promised = { id: 'backup-there', promise: 'the host has a backup of the last day, undamaged' }
const here: Promised = { id: 'backup-here', promise: 'this machine has a copy of the last day, signed and undamaged' }
const opens: Promised = { id: 'backup-opens', promise: 'the newest copy can be opened and restored' }

/** The newest backups, on both sides; with identities the one here is restored into a temporary server. */
export async function backupVerdicts(
  session: Session,
  host: InventoryHost,
  exposure: Exposure | undefined,
  clock: number,
  identities: readonly Secret[],
  { playbook }: Commands,
): Promise<Verdict[]> {
  if ((host.vars.backups as BackupsVars | undefined)?.recipients === undefined)
    return [there, here, opens].map((each) => skipped(each, 'the inventory wants none: backups.recipients is not set'))
  const take = playbook('backup')
  const copy = await copyVerdict(host, take)
  return [remoteVerdict(exposure, clock, take), copy, await opened(session, host, copy, identities, playbook)]
}

/** What the host says of its newest one. `now`: its clock, in milliseconds since 1970. */
export function remoteVerdict(exposure: Exposure | undefined, now: number, take: string): Verdict {
  const { backup } = exposure ?? {}
  if (backup === undefined) return judged(there, [{ what: 'there is none', mend: take }])
  const faults = [
    ...ageFaults(backup.name, now),
    ...(backup.state === 'damaged'
      ? [`${backup.name}: ${backup.faults.join('; ') || 'its checksums cannot be read'}`]
      : []),
  ]
  return judged(
    there,
    faults.map((what) => ({ what, mend: take })),
  )
}

function ageFaults(name: string, now: number): string[] {
  const time = parseBackupName(name)?.time ?? 0
  return now - time > thresholds.backupAge ? [`${name} is ${durationText(now - time)} old`] : []
}

async function copyVerdict(host: InventoryHost, take: string): Promise<Verdict> {
  const { local, signer } = settingsFor(host)
  try {
    const copies = copiesOf(host.name, local)
    const name = copies.list().find(({ only }) => only === undefined)
    if (name === undefined) return judged(here, [{ what: `${copies.folder} has none`, mend: take }])
    const signers = signersOf(host.name, copies.folder, signer)
    if (!hasKnownSigner(signers))
      return judged(here, [{ what: 'no key that signs its backups is known here', mend: take }])
    const folder = join(copies.folder, name.name)
    const faults = await copyFaults({
      folder,
      name,
      signers,
      unsigned: unsignedFault(signers, name.time) === undefined,
    })
    const away = (what: string): Fault => ({
      what: `${name.name}: ${what}`,
      mend: `mv ${folder} ${folder}.damaged && ${take}`,
    })
    return judged(here, [
      ...faults.map(away),
      ...ageFaults(name.name, Date.now()).map((what) => ({ what, mend: take })),
    ])
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    return judged(here, [{ what: error.message, mend: take }])
  }
}

/** A drill, as restore.ts has it. */
async function opened(
  session: Session,
  host: InventoryHost,
  copy: Verdict,
  identities: readonly Secret[],
  playbook: Commands['playbook'],
): Promise<Verdict> {
  if (identities.length === 0) return skipped(opens, 'no key was given: --identity FILE, as age-keygen wrote it')
  if (copy.result !== 'kept') return skipped(opens, 'the newest copy is not good: see the line above')
  const mend = playbook('restore', '--drill --identity FILE')
  const results: HostResult[] = []
  const { options, report, inventory } = session
  const run = { options, report, sshConfig: inventory.sshConfig, claim: lockRequestOf('doctor', options.wait) }
  const quiet: Session = {
    ...session,
    // What a drill has done is told as a promise, not as a result of its own.
    converge: async ([only], roles, prepare) => {
      if (only !== undefined) results.push(await runHost(only, roles, run, prepare))
      return 0
    },
  }
  try {
    await drillHost(quiet, host, { from: 'copy', until: undefined, unsigned: false }, identities)
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    return judged(opens, [{ what: oneLine(error.message), mend }])
  }
  return judged(
    opens,
    results.flatMap(({ error }) => (error === undefined ? [] : [{ what: oneLine(error.message), mend }])),
  )
}
