import type { Session } from '../../lib/play.ts'
import { masked } from '../../lib/secret.ts'
import { shownBytes } from './names.ts'

/** What became of one host. */
export interface Result {
  readonly host: string
  /** What went wrong; each is a line. */
  readonly faults: string[]
  /** What somebody should look at, though a good backup was taken: no reason to exit with 0. */
  readonly warnings: string[]
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
    write(process.stdout, JSON.stringify({ playbook, hosts }))
  } else {
    const good = results.flatMap((result) => (quiet ? [] : factLines(result)))
    if (good.length > 0) write(process.stdout, good.join('\n'))
    const bad = results.flatMap(faultLines)
    if (bad.length > 0) write(process.stderr, bad.join('\n'))
  }
  return [70, 1, 3, 4].find((code) => results.some(({ exitCode }) => exitCode === code)) ?? 0
}

/** As one text, for whoever is alerted. */
export function faultLines({ host, faults, warnings, exitCode }: Result): string[] {
  const word = exitCode === 4 ? 'unreachable' : 'FAILED'
  return [
    ...faults.flatMap((fault) =>
      fault.split('\n').map((line, i) => (i === 0 ? `${host}  ${word}: ${line}` : `    ${line}`)),
    ),
    ...warnings.map((warning) => `${host}  in doubt: ${warning}`),
  ]
}

function factLines({ host, facts }: Result): string[] {
  const { taken, seconds = 0, bytes = 0, pulled = [], removed = [], folder, copies = 0, signer, lines = [] } = facts
  return [
    ...lines.map((line) => `${host}  ${line}`),
    ...(taken === undefined ? [] : [`${host}  taken: ${taken}, ${shownBytes(bytes)}, in ${seconds} s`]),
    ...(folder === undefined
      ? []
      : [`${host}  here: ${folder}, ${copies} in all, ${pulled.length} new and verified, ${removed.length} removed`]),
    ...(signer === undefined ? [] : [`${host}  signed by ${signer}`]),
  ]
}

function jsonOf({ faults, warnings, facts, exitCode }: Result): Record<string, unknown> {
  const status = exitCode === 0 ? 'ok' : exitCode === 4 ? 'unreachable' : 'failed'
  return { status, ...facts, faults, warnings }
}

function write(stream: NodeJS.WriteStream, text: string): void {
  stream.write(masked(`${text}\n`))
}
