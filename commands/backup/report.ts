import type { Session } from '../../lib/cli/session.ts'
import { oneLine, writeErr, writeOut } from '../../lib/std/output.ts'
import { formatBytes } from '../../roles/backups/backup-name.ts'

/** The result of backup.ts for one host. */
export interface BackupResult {
  readonly host: string
  /** Errors, one line each. */
  readonly faults: string[]
  /** What the operator should look at, although a good backup was taken. The exit code is not 0 then. */
  readonly warnings: string[]
  /** The parts that are missing from the backup that was taken. */
  readonly missing?: string[]
  readonly facts: {
    taken?: string
    seconds?: number
    bytes?: number
    pulled?: readonly string[]
    removed?: readonly string[]
    folder?: string
    copies?: number
    /** The fingerprint of the key that signs its backups. */
    signer?: string
    /** Files of the archive of WAL that were fetched now, and that went. */
    archive?: { readonly pulled: number; readonly removed: number }
    /** For `--status`, a line each. */
    lines?: readonly string[]
  }
  exitCode: number
}

/** Prints the results, faults last, and returns the exit code of the worst. With `--quiet` it prints only faults. */
export function printResults(playbook: string, results: readonly BackupResult[], { options }: Session): number {
  const quiet = options.own.has('quiet')
  if (options.json) {
    const hosts = Object.fromEntries(results.map((result) => [result.host, jsonOf(result)]))
    writeOut(JSON.stringify({ playbook, hosts }))
  } else {
    const good = results.flatMap((result) => (quiet ? [] : factLines(result)))
    if (good.length > 0) writeOut(good.join('\n'))
    const bad = results.flatMap(faultLines)
    if (bad.length > 0) writeErr(bad.join('\n'))
  }
  return [70, 1, 3, 4].find((code) => results.some(({ exitCode }) => exitCode === code)) ?? 0
}

/** The lines of a result that report errors and warnings. */
export function faultLines({ host, faults, warnings, missing = [], exitCode }: BackupResult): string[] {
  const word = exitCode === 4 ? 'unreachable' : 'FAILED'
  // A line that does not begin with a host's name goes on with the one before.
  const block = (head: string, text: string) => `${host}  ${head}: ${text.replaceAll('\n', '\n    ')}`.split('\n')
  return [
    ...faults.flatMap((fault) => block(word, fault)),
    ...missing.flatMap((each) => block('FAILED', each)),
    ...warnings.flatMap((warning) => block('suspicious', warning)),
  ]
}

function factLines({ host, facts }: BackupResult): string[] {
  const {
    taken,
    seconds = 0,
    bytes = 0,
    pulled = [],
    removed = [],
    folder,
    copies = 0,
    signer,
    archive,
    lines = [],
  } = facts
  return [
    ...lines.map((line) => `${host}  ${oneLine(line)}`),
    ...(taken === undefined ? [] : [`${host}  taken: ${taken}, ${formatBytes(bytes)}, in ${seconds} s`]),
    ...(folder === undefined
      ? []
      : [`${host}  here: ${folder}, ${copies} in all, ${pulled.length} new and verified, ${removed.length} removed`]),
    ...(archive === undefined
      ? []
      : [`${host}  its archive: ${archive.pulled} files new and verified, ${archive.removed} removed`]),
    ...(signer === undefined ? [] : [`${host}  signed by ${signer}`]),
  ]
}

function jsonOf({ faults, warnings, missing, facts, exitCode }: BackupResult): Record<string, unknown> {
  const status = exitCode === 0 ? 'ok' : exitCode === 4 ? 'unreachable' : 'failed'
  return { status, ...facts, faults, ...(missing && { missing }), warnings }
}
