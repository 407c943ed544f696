import type { Session } from '../../lib/cli/session.ts'
import { oneLine, writeErr, writeOut } from '../../lib/std/output.ts'
import { shownBytes } from '../../roles/backups/backup-name.ts'

/** What became of one host. */
export interface Result {
  readonly host: string
  /** What went wrong; each is a line. */
  readonly faults: string[]
  /** What somebody should look at, though a good backup was taken: no reason to exit with 0. */
  readonly warnings: string[]
  /** What is not in the backup that was taken; the rest is, and is brought and kept like any other. */
  readonly missing?: string[]
  readonly facts: {
    taken?: string
    seconds?: number
    bytes?: number
    pulled?: readonly string[]
    removed?: readonly string[]
    folder?: string
    copies?: number
    /** Of the key that its backups are signed by. */
    signer?: string
    /** For `--status`, a line each. */
    lines?: readonly string[]
  }
  exitCode: number
}

/** Prints them, faults as a block of their own, and returns the exit code of the worst. With `--quiet`: faults only. */
export function printResults(playbook: string, results: readonly Result[], { options }: Session): number {
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

/** As one text, for whoever is alerted. */
export function faultLines({ host, faults, warnings, missing = [], exitCode }: Result): string[] {
  const word = exitCode === 4 ? 'unreachable' : 'FAILED'
  // A line that does not begin with a host's name goes on with the one before.
  const told = (head: string, text: string) => `${host}  ${head}: ${text.replaceAll('\n', '\n    ')}`.split('\n')
  return [
    ...faults.flatMap((fault) => told(word, fault)),
    ...missing.flatMap((each) => told('FAILED', each)),
    ...warnings.flatMap((warning) => told('in doubt', warning)),
  ]
}

function factLines({ host, facts }: Result): string[] {
  const { taken, seconds = 0, bytes = 0, pulled = [], removed = [], folder, copies = 0, signer, lines = [] } = facts
  return [
    ...lines.map((line) => `${host}  ${oneLine(line)}`),
    ...(taken === undefined ? [] : [`${host}  taken: ${taken}, ${shownBytes(bytes)}, in ${seconds} s`]),
    ...(folder === undefined
      ? []
      : [`${host}  here: ${folder}, ${copies} in all, ${pulled.length} new and verified, ${removed.length} removed`]),
    ...(signer === undefined ? [] : [`${host}  signed by ${signer}`]),
  ]
}

function jsonOf({ faults, warnings, missing, facts, exitCode }: Result): Record<string, unknown> {
  const status = exitCode === 0 ? 'ok' : exitCode === 4 ? 'unreachable' : 'failed'
  return { status, ...facts, faults, ...(missing && { missing }), warnings }
}
