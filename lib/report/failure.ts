import { constants } from 'node:os'
import type { Paint } from '../std/colour.ts'
import { CommandFailed, HostError, type RunnerError } from '../std/errors.ts'
import { stripControl } from './status-lines.ts'

/** Which role an id came from, and the line of it. */
export interface Sources {
  roleOf(id: string): string
  sourceOf(id: string): string | undefined
}

/** What ended a host's run, for people: which step of which role, its command, its exit code and what it printed. */
export function failureLines(host: string, status: string, error: RunnerError, sources: Sources, paint: Paint) {
  // A line that does not begin with a host's name goes on with the one before.
  const head = (text: string) => `${host}  ${paint('red', status)}: ${text.replaceAll('\n', '\n    ')}`
  if (!(error instanceof CommandFailed)) {
    const id = error instanceof HostError ? error.id : undefined
    return [
      head(error.message),
      ...(id === undefined ? [] : rows('resource', [[id, ...whereOf([id], sources)].join(', ')])),
    ]
  }
  const { where, status: code, step, notes } = error
  const meaning = meaningOf(code, step.command)
  return [
    head(where),
    ...rows('role', whereOf(step.ids, sources)),
    ...rows('command', step.command.split('\n')),
    ...rows('exit code', [meaning === undefined ? `${code}` : `${code}: ${meaning}`]),
    ...rows('output', step.output === '' ? ['none'] : step.output.split('\n').map(stripControl)),
    ...rows('then', notes),
    ...rows('next', nextOf(code, step.output)),
  ]
}

/** The same for programs: `failure` beside `error` in what `--json` prints. */
export function failureJson(error: RunnerError, { roleOf, sourceOf }: Sources): Record<string, unknown> | undefined {
  if (error instanceof CommandFailed) {
    const { command, output, ids } = error.step
    const id = ids[0] ?? ''
    return { id, ids, role: roleOf(id), source: sourceOf(id), command, exitCode: error.status, output }
  }
  if (!(error instanceof HostError) || error.id === undefined) return undefined
  return { id: error.id, role: roleOf(error.id), source: sourceOf(error.id) }
}

/** What an exit code says, where it says something for itself. */
export function meaningOf(code: number, command: string): string | undefined {
  if (code === 100 && command.includes('apt-get')) return 'apt failed'
  const known = { 124: 'timed out', 126: 'found, but cannot be run', 127: 'command not found' }[code]
  if (known !== undefined) return known
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0]
  return signal === undefined ? undefined : `killed by ${signal}`
}

function whereOf(ids: readonly string[], { roleOf, sourceOf }: Sources): string[] {
  return [...new Set(ids.map((id) => [roleOf(id), sourceOf(id)].filter(Boolean).join(', ')))].filter(Boolean)
}

const hints: readonly (readonly [RegExp, string])[] = [
  [
    /^\/run, which is memory|\/run\/\S*: No space left on device|Failed to start transient .*No space left/m,
    'make room in /run on the host: see df -h /run and df -i /run there',
  ],
  [/No space left on device/i, 'the disk of the host is full: see df -h and df -i there, and make room'],
  [/Temporary failure resolving|Could not resolve/, 'the host resolves no names: see /etc/resolv.conf there'],
  [
    /E: Failed to fetch|does not have a Release file|The following signatures|is not signed/,
    'see /etc/apt/sources.list and sources.list.d on the host, and its way out',
  ],
  [/still: process \d+/, 'another apt or dpkg is at work on the host: run again when it is done'],
]

/** Only what is known to help. A guess from what people read decides nothing. */
function nextOf(code: number, output: string): string[] {
  if (code === 137) return ['out of memory is the usual reason: see journalctl -k on the host']
  const hint = hints.find(([pattern]) => pattern.test(output))?.[1]
  return [hint ?? 'run again when the reason is gone: what is as wanted already is left alone; -v shows all output']
}

/** Under each other, the name in front of the first. */
function rows(name: string, lines: readonly string[]): string[] {
  return lines.map((line, i) => `    ${(i === 0 ? name : '').padEnd(9)}  ${line}`.trimEnd())
}
