import type { JobResult } from './state.ts'

/** How a run went, in words: `ok on 2026-11-26 09:00 UTC, 12 s`. */
export function resultText({ how, code, start, seconds }: JobResult): string {
  const when = `${timeText(start * 1000)}${seconds === undefined ? '' : `, ${seconds} s`}`
  return `${outcomeOf(how, code)} on ${when}`
}

/** What to tell of the last run of a job; undefined where it went well, has not been, or is under way. */
export function failureOf(result: JobResult | undefined, isRunning: boolean): string | undefined {
  if (result === undefined || isRunning || isGood(result)) return undefined
  return `FAILED: ${resultText(result)}`
}

export function isGood({ how, code }: JobResult): boolean {
  return how === 'ended' && code === 0
}

/** In UTC, to the minute. */
export function timeText(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function outcomeOf(how: JobResult['how'], code: number | undefined): string {
  if (how === undefined) return 'cut before its end'
  if (how === 'timeout') return `ended by its timeout, exit code ${code}`
  if (how === 'memory') return `out of memory, exit code ${code}`
  if (how === 'stopped') return `stopped from outside, exit code ${code}`
  if (how === 'gone') return 'its container was removed'
  if (how === 'not started') return 'its container did not start'
  return code === 0 ? 'ok' : `exit code ${code}`
}
