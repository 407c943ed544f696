import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import type { BackupSettings } from '../../../roles/backups/backup-settings.ts'
import {
  type ArchiveState,
  archiveFaults,
  archiveLine,
  archiveStateScript,
  parseArchiveState,
} from '../../../roles/backups/continuous/status.ts'
import { copiesOf } from '../local-copies.ts'
import type { BackupResult } from '../report.ts'
import { signersOf } from '../signers.ts'
import { archiveFolder } from './copies.ts'
import { pruneArchive, pullArchive } from './pull.ts'

/** Fetches what is new of a host's archive, and removes what is older than the days that it is kept. Fills in `result`. */
export async function syncArchive(
  connection: Connection,
  { continuous, local, signer }: BackupSettings,
  result: BackupResult,
  progress: (line: string) => void,
): Promise<void> {
  if (continuous === undefined) return
  const folder = archiveFolder(result.host, local)
  const signers = signersOf(result.host, copiesOf(result.host, local).folder, signer)
  const pulled = await pullArchive(connection, folder, signers)
  if (pulled > 0) progress(`✓ ${pulled} files of its archive`)
  const state = await readArchive(connection)
  const removed = await pruneArchive(folder, continuous.days, Math.min(Date.now(), state.now * 1000))
  result.faults.push(...archiveFaults(state))
  result.facts.archive = { pulled, removed }
}

/** What a host says of its archive: adds a line, and what is wrong with it. */
export async function checkArchive(
  connection: Connection,
  { continuous }: BackupSettings,
  result: BackupResult,
): Promise<string[]> {
  if (continuous === undefined) return []
  const state = await readArchive(connection)
  result.faults.push(...archiveFaults(state))
  return [`archive: ${archiveLine(state)}`]
}

async function readArchive(connection: Connection): Promise<ArchiveState> {
  return parseArchiveState(await ask(connection, archiveStateScript))
}
