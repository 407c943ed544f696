import type { Outcome } from './converge.ts'
import type { RunnerError } from './errors.ts'
import type { Facts } from './facts.ts'
import type { Progress } from './requests.ts'
import { masked } from './secret.ts'
import { afterwards } from './ssh.ts'

/** How a run of one host ended. */
export interface HostResult extends Outcome {
  readonly host: string
  /** How many resources the host has, as wanted or not. */
  readonly resources: number
  readonly roundTrips: number
  readonly seconds: number
  readonly roleOf: (id: string) => string
}

/** Tells what happens, on stderr, a line at a time. */
export interface Reporter {
  line(text: string): void
  connected(host: string, facts: Facts): void
  progress(host: string): Progress
  /** What each host is in the middle of: what an interruption has to say. */
  underWay(): string
}

export function reporter({ verbose }: { verbose: boolean }): Reporter {
  const running = new Map<string, string>()
  const line = (text: string) => void process.stderr.write(`${masked(text)}\n`)
  return {
    line,
    connected: (host, { osName, architecture, memoryMiB, container }) => {
      const kind = container === '' ? '' : `, a ${container} container`
      line(`${host}  connected: ${osName}, ${architecture}, ${memoryMiB} MiB${kind}`)
    },
    progress: (host) => ({
      begin: (step) => {
        running.set(host, step.title)
        line(`${host}  ▸ ${step.title}`)
      },
      waiting: (text) => line(`${host}  ${text}`),
      output: (text) => verbose && line(`${host}    ${text}`),
      end: (step, seconds) => {
        running.delete(host)
        line(`${host}  ✓ ${step.title} (${seconds.toFixed(1)} s)`)
      },
    }),
    underWay: () => [...running].map(([host, title]) => `${host}  in the middle of ${title}: ${afterwards}`).join('\n'),
  }
}

/** What a run found or did, for people: what a check would change, what went wrong, and a line of counts a host. */
export function resultText(results: readonly HostResult[], { check, diff }: { check: boolean; diff: boolean }): string {
  const lines = results.flatMap((result) => [
    ...(check || diff ? result.changes.flatMap((change) => changeLines(result.host, change, { check, diff })) : []),
    ...result.unknowns.map(({ id, cause }) => `${result.host}  unknown       ${id}: only known after ${cause}`),
    ...(result.error ? [`${result.host}  ${statusOf(result)}: ${result.error.message}`] : []),
  ])
  const width = Math.max(...results.map(({ host }) => host.length))
  return [...lines, ...results.map((result) => recap(result, width, check))].join('\n')
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
        ...(result.error && { error: result.error.message }),
      },
    ]),
  )
}

/** The exit code of the worst host: a bug of ours, failed, reverted, unreachable, changes pending, in this order. */
export function exitCodeOf(results: readonly HostResult[], check: boolean): number {
  const codes = results.map(({ error, changes, unknowns }) => {
    if (error) return error.exitCode
    return check && changes.length + unknowns.length > 0 ? 2 : 0
  })
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
) {
  const head = `${host}  ${check ? 'would change ' : 'changed      '} ${change.id}: ${change.summary}`
  return diff && change.diff !== '' ? [head, change.diff.replace(/^/gm, '    ')] : [head]
}

function recap(result: HostResult, width: number, check: boolean): string {
  const { ok, changed, unknown, failed } = countsOf(result)
  const trips = `${result.roundTrips} round trip${result.roundTrips === 1 ? '' : 's'}`
  const counts = `ok ${ok}  ${check ? 'would change' : 'changed'} ${changed}  unknown ${unknown}  failed ${failed}`
  return `${result.host.padEnd(width)}  ${statusOf(result)}  ${counts}  (${result.seconds.toFixed(1)} s, ${trips})`
}

function countsOf({ resources, changes, unknowns, error }: HostResult) {
  const failed = error && error.exitCode !== 4 ? 1 : 0
  const changed = changes.length
  const unknown = unknowns.length
  return { ok: error ? 0 : resources - changed - unknown, changed, unknown, failed }
}

function statusOf({ error }: { error?: RunnerError }): string {
  if (!error) return 'ok'
  return { 4: 'unreachable', 5: 'reverted' }[error.exitCode] ?? 'failed'
}
