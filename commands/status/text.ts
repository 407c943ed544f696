import { type Finding, type Level, needsPerson } from '../../lib/health/finding.ts'
import type { Paint } from '../../lib/std/colour.ts'
import { oneLine } from '../../lib/std/output.ts'
import { columns, hostCells, jobLines, type Row, rowsOf } from './cells.ts'
import type { HostStatus } from './host-status.ts'

/** All hosts as one screen, what needs a person last. */
export function statusText(all: readonly HostStatus[], paint: Paint): string {
  const findings = all.flatMap(({ host, findings: of }) => of.map((finding) => ({ host, finding })))
  return [
    ...all.flatMap((each) => [...hostLines(each, paint), '']),
    ...findings.flatMap(({ host, finding }) => findingLines(host, finding, paint)),
    ...(all.some(({ findings: of }) => needsPerson(of)) ? [] : [paint('green', 'nothing needs you')]),
  ].join('\n')
}

function hostLines({ host, health, bots }: HostStatus, paint: Paint): string[] {
  if (health === undefined) return [`${oneLine(host)}  ${paint('red', 'could not be read')}`]
  const rows = bots.flatMap((bot) => rowsOf(bot, health.clock.there))
  return [
    oneLine(host),
    ...wrapped(hostCells(health).map(([name, value]) => oneLine(`${name}: ${value}`))),
    ...(rows.length === 0
      ? []
      : table([columns, ...rows]).map((line, i) => `  ${i === 0 ? paint('dim', line) : line}`)),
    ...bots.flatMap(jobLines).map((line) => `  ${oneLine(line)}`),
    ...bots.flatMap(({ name, domains }) =>
      domains.length === 0 ? [] : [`  ${oneLine(`${name} domains: ${domains.join(', ')}`)}`],
    ),
  ]
}

function findingLines(host: string, { level, bot, what, next }: Finding, paint: Paint): string[] {
  const where = bot === undefined ? host : `${host}  ${bot}`
  return [`${oneLine(where)}  ${paint(colours[level], level)}: ${oneLine(what)}`, `    next: ${oneLine(next)}`]
}

const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const satisfies Record<Level, string>

/** Texts behind one another, as many as fit into a line. */
function wrapped(texts: readonly string[], width = 110): string[] {
  const lines: string[] = []
  for (const text of texts) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + text.length < width) lines[lines.length - 1] = `${last}   ${text}`
    else lines.push(`  ${text}`)
  }
  return lines
}

/** Columns as wide as their widest cell. */
function table(rows: readonly Row[]): string[] {
  const lines = rows.map((row) => row.map(oneLine))
  const widths = columns.map((_, i) => Math.max(...lines.map((row) => (row[i] ?? '').length)))
  const padded = lines.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)))
  return padded.map((row) => row.join('  ').trimEnd())
}
