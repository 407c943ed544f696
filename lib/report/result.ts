import type { Outcome } from '../engine/converge.ts'
import type { Outputs } from '../model/resource.ts'
import { type Paint, plain } from '../std/colour.ts'
import type { RunnerError } from '../std/errors.ts'
import { oneLine } from '../std/output.ts'
import { failureJson, failureLines, type Sources } from './failure.ts'

/** How a run of one host ended. */
export interface HostResult extends Outcome, Sources {
  readonly host: string
  /** How many resources the host has, as wanted or not. */
  readonly resources: number
  /** Those that this host cannot be asked for. */
  readonly unmanageable: readonly { readonly id: string; readonly reason: string }[]
  readonly roundTrips: number
  readonly seconds: number
}

/** What a run found or did, for people: what a check would change, what went wrong, and a line of counts a host. */
export function resultText(
  results: readonly HostResult[],
  { check, diff, showSecrets = false }: { check: boolean; diff: boolean; showSecrets?: boolean },
  paint: Paint = plain,
): string {
  const lines = results.flatMap((result) => [
    ...(check || diff
      ? result.changes.flatMap((change) => changeLines(result.host, change, { check, diff }, paint))
      : []),
    ...result.unknowns.map(
      ({ id, cause }) => `${result.host}  ${paint('magenta', 'unknown      ')} ${id}: only known after ${cause}`,
    ),
    ...unmanageableLines(result),
    ...outputLines(result, showSecrets),
    ...(result.error ? failureLines(result.host, statusOf(result), result.error, result, paint) : []),
  ])
  return [...lines, ...recapLines(results, check, paint)].join('\n')
}

/** What several stages of one run did, as one result a host: what was done adds up, and the last one says how it ended. */
export function together(results: readonly HostResult[]): HostResult[] {
  const hosts = new Map<string, HostResult>()
  for (const result of results) {
    const before = hosts.get(result.host)
    hosts.set(result.host, before === undefined ? result : after(before, result))
  }
  return [...hosts.values()]
}

function after(before: HostResult, result: HostResult): HostResult {
  return {
    ...result,
    changes: [...before.changes, ...result.changes],
    unknowns: [...before.unknowns, ...result.unknowns],
    unmanageable: [...before.unmanageable, ...result.unmanageable],
    outputs: { ...before.outputs, ...result.outputs },
    resources: before.resources + result.resources,
    roundTrips: before.roundTrips + result.roundTrips,
    seconds: before.seconds + result.seconds,
    roleOf: (id) => result.roleOf(id) || before.roleOf(id),
  }
}

/** The same for programs: the value of `hosts` in the object that `--json` prints. */
export function resultJson(results: readonly HostResult[], { diff }: { diff: boolean }): Record<string, unknown> {
  return Object.fromEntries(
    results.map((result) => [
      result.host,
      {
        status: statusOf(result),
        ...countsOf(result),
        roundTrips: result.roundTrips,
        seconds: rounded(result.seconds),
        changes: result.changes.map(({ diff: text, ...change }) => ({
          ...change,
          role: result.roleOf(change.id),
          ...(diff && { diff: text }),
        })),
        unknowns: result.unknowns.map((unknown) => ({ ...unknown, role: result.roleOf(unknown.id) })),
        unmanageable: result.unmanageable.map((each) => ({ ...each, role: result.roleOf(each.id) })),
        ...(result.error && { error: result.error.message, failure: failureJson(result.error, result) }),
      },
    ]),
  )
}

/** What waits for the operator, by host: the value of `outputs` in the object that `--json` prints. */
export function outputsJson(results: readonly HostResult[]): Record<string, Outputs> {
  return Object.fromEntries(
    results.flatMap(({ host, outputs }) => (Object.keys(outputs).length === 0 ? [] : [[host, outputs]])),
  )
}

/** The exit code of the worst host: a bug of ours, failed, reverted, unreachable, changes pending, in this order. */
export function exitCodeOf(results: readonly HostResult[], check: boolean): number {
  const codes = results.map(({ error, changes, unknowns }) => {
    if (error) return error.exitCode
    return check && changes.length + unknowns.length > 0 ? 2 : 0
  })
  return worstOf(codes)
}

/** The exit code of a run whose parts have ended with these. */
export function worstOf(codes: readonly number[]): number {
  return [70, 1, 3, 5, 4, 2].find((code) => codes.includes(code)) ?? 0
}

/** Seconds as JSON shows them, to a hundredth. */
export function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100
}

function changeLines(
  host: string,
  change: Outcome['changes'][number],
  { check, diff }: { check: boolean; diff: boolean },
  paint: Paint,
) {
  const word = paint('yellow', check ? 'would change ' : 'changed      ')
  const head = `${host}  ${word} ${change.id}: ${oneLine(change.summary)}`
  return diff && change.diff !== '' ? [head, ...diffLines(change.diff, paint)] : [head]
}

function diffLines(diff: string, paint: Paint): string[] {
  return diff.split('\n').map((line) => {
    const colour = ({ '+': 'green', '-': 'red', '@': 'cyan' } as const)[line.charAt(0)]
    return `    ${colour === undefined ? line : paint(colour, line)}`
  })
}

/** By reason, since a container lacks many things for one. */
function unmanageableLines({ host, unmanageable }: HostResult): string[] {
  return [...new Set(unmanageable.map(({ reason }) => reason))].map((reason) => {
    const ids = unmanageable.filter((each) => each.reason === reason).map(({ id }) => id)
    return `${host}  not manageable here, since it ${reason}: ${ids.join(', ')}`
  })
}

/** A list is a line for each of its entries, names under names. Where credentials are is only told with what they are. */
function outputLines({ host, outputs }: HostResult, showSecrets: boolean): string[] {
  return Object.entries(outputs).flatMap(([name, value]) => {
    if (name === 'credentials' && !showSecrets) return []
    const lines = [value].flat()
    return (tables.includes(name) ? inColumns(lines) : lines).map((line) => `${host}  ${name}: ${oneLine(line)}`)
  })
}

/** Outputs whose entries begin with a name. */
const tables = ['bots', 'notDeployed', 'domains', 'credentials']

/** The first words of several lines, as wide as the widest of them. */
function inColumns(lines: readonly string[]): string[] {
  const words = lines.map((line) => /^\S*/.exec(line)?.[0] ?? '')
  const width = Math.max(...words.map(({ length }) => length))
  return lines.map((line, i) => {
    const word = words[i] ?? ''
    return word.length === line.length ? line : word.padEnd(width) + line.slice(word.length)
  })
}

/** A line of counts a host, number under number. */
function recapLines(results: readonly HostResult[], check: boolean, paint: Paint): string[] {
  const rows = results.map((result) => {
    const { ok, changed, unknown, failed } = countsOf(result)
    const trips = `${result.roundTrips} round trip${result.roundTrips === 1 ? '' : 's'}`
    const counts = [
      ['ok', ok, 'green'],
      [check ? 'would change' : 'changed', changed, 'yellow'],
      ['unknown', unknown, 'magenta'],
      ['failed', failed, 'red'],
    ] as const
    return { result, counts, timing: `(${result.seconds.toFixed(1)} s, ${trips})` }
  })
  const widest = (texts: readonly string[]) => Math.max(...texts.map((text) => text.length))
  const hostWidth = widest(results.map(({ host }) => host))
  const statusWidth = widest(results.map(statusOf))
  const digits = [0, 1, 2, 3].map((i) => widest(rows.map(({ counts }) => String(counts[i]?.[1]))))
  return rows.map(({ result, counts, timing }) => {
    const status = paint(result.error ? 'red' : 'green', statusOf(result).padEnd(statusWidth))
    const cells = counts.map(([name, count, colour], i) => {
      const cell = `${name} ${String(count).padStart(digits[i] ?? 0)}`
      return count === 0 ? cell : paint(colour, cell)
    })
    return `${result.host.padEnd(hostWidth)}  ${status}  ${cells.join('  ')}  ${timing}`
  })
}

function countsOf({ resources, changes, unknowns, unmanageable, error }: HostResult) {
  const failed = error && error.exitCode !== 4 ? 1 : 0
  const changed = changes.length
  const unknown = unknowns.length
  return { ok: error ? 0 : resources - unmanageable.length - changed - unknown, changed, unknown, failed }
}

export function statusOf({ error }: { error?: RunnerError }): string {
  if (!error) return 'ok'
  return { 4: 'unreachable', 5: 'reverted' }[error.exitCode] ?? 'failed'
}
