import { stripVTControlCharacters } from 'node:util'
import type { Paint } from '../../lib/std/colour.ts'
import { shown } from '../../lib/std/output.ts'
import type { HostStatus } from './host-status.ts'
import { hostsLines, needLines } from './text.ts'

/** The size of a terminal, in signs. */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/** What `--watch` draws. What needs a person comes first: what the terminal has no room for is left out at the end, and counted. */
export function screenText(all: readonly HostStatus[], at: Date, paint: Paint, { columns, rows }: Size): string {
  const time = `${at.toISOString().slice(11, 19)} UTC`
  const lines = [time, ...needLines(all, paint), '', ...hostsLines(all, paint, columns).slice(0, -1)]
  const heights = lines.map((line) => heightOf(line, columns))
  // The cursor stays on a line of its own.
  const room = rows - 1
  const heightTo = (end: number) => heights.slice(0, end).reduce((sum, height) => sum + height, 0)
  if (heightTo(lines.length) <= room) return lines.join('\n')
  const fitting = heights.findIndex((_, i) => heightTo(i + 1) > room - 1)
  return [...lines.slice(0, fitting), `… ${lines.length - fitting} more lines: make the terminal larger`].join('\n')
}

/** How many lines of the terminal a line takes. */
function heightOf(line: string, columns: number): number {
  return Math.max(1, Math.ceil(stripVTControlCharacters(shown(line)).length / columns))
}
