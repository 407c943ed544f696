import { join } from 'node:path'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { archiveProgram } from '../../../lib/platform/archive/wal-archive.ts'
import { localFault } from '../../../lib/shell/local.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { ask } from '../../../lib/ssh/exec.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { withLock } from '../../../lib/std/file-lock.ts'
import { mapConcurrent } from '../../../lib/std/map-concurrent.ts'
import type { ArchiveFile } from '../../../roles/backups/continuous/names.ts'
import { type ArchiveState, archiveStateScript, parseArchiveState } from '../../../roles/backups/continuous/status.ts'
import { signingKey } from '../../../roles/backups/paths.ts'
import { archivedHere, archiveFault, archiveFolder } from '../../backup/archive/copies.ts'
import { pullArchive } from '../../backup/archive/pull.ts'
import { settingsFor } from '../../backup/host-settings.ts'
import { copiesOf } from '../../backup/local-copies.ts'
import { parseKey } from '../../backup/signature.ts'
import { type Signers, signersOf } from '../../backup/signers.ts'
import { learnSigner } from '../../backup/sync.ts'

/** The archive of a host on this machine, as new as the host has it. */
export interface FreshArchive {
  readonly folder: string
  readonly files: readonly ArchiveFile[]
  readonly signers: Signers
  /** The clock of the host, in milliseconds since 1970. */
  readonly now: number
  /** All that was committed until then is there, in milliseconds since 1970; undefined where the host cannot tell. */
  readonly through: number | undefined
}

/** Has the host store what it has of its WAL now, and fetches what is not here. */
export async function freshArchive(
  session: Session,
  host: InventoryHost,
  connection: Connection,
): Promise<FreshArchive> {
  const { local, signer } = settingsFor(host)
  const folder = archiveFolder(host.name, local)
  const copies = copiesOf(host.name, local).folder
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  say('▸ archiving what was committed until now')
  const state = await archiveNow(connection)
  const key = parseKey(await ask(connection, sh`ssh-keygen -y -P '' -f ${signingKey} </dev/null 2>/dev/null || :`))
  const signers = learnSigner(
    signersOf(host.name, copies, signer),
    { signer: key, now: state.now * 1000, backups: [] },
    say,
  )
  try {
    await withLock(join(copies, '.lock'), session.options.wait ? 7200 : 0, async () => {
      const pulled = await pullArchive(connection, folder, signers)
      if (pulled > 0) say(`✓ ${pulled} files of its archive`)
    })
  } catch (error) {
    throw localFault(error)
  }
  const files = archivedHere(folder)
  const newest = files
    .map(({ chain }) => chain)
    .sort()
    .at(-1)
  const through = state.status?.chain === newest ? (state.status?.through ?? undefined) : undefined
  return { folder, files, signers, now: state.now * 1000, through: through === undefined ? undefined : through * 1000 }
}

/** Without the program, as on a host that was just rebuilt, there is nothing to wait for. */
async function archiveNow(connection: Connection): Promise<ArchiveState> {
  const program = `${archiveProgram}/archive`
  const output = await ask(
    connection,
    sh`
    [ ! -x ${program} ] || ${program} now >/dev/null 2>&1 || :
    ${archiveStateScript}`,
  )
  return parseArchiveState(output)
}

/** Throws a `HostError` where one of these files is not what the host has stored. */
export async function refuseForged({ folder, signers }: FreshArchive, files: readonly ArchiveFile[]): Promise<void> {
  const faults = await mapConcurrent(4, files, ({ path }) => archiveFault(folder, path, signers))
  const fault = faults.find((each) => each !== undefined)
  if (fault !== undefined) throw new HostError(`${folder}: ${fault}`)
}
