import { byUrgency, type Finding, type Level, needsPerson } from '../../lib/health/finding.ts'
import type { Paint } from '../../lib/std/colour.ts'
import { oneLine } from '../../lib/std/output.ts'
import { columns, hostCells, jobLines, type Row, rowsOf } from './cells.ts'
import type { HostStatus } from './host-status.ts'

/** All hosts as one screen, what needs a person last. `columns`: how wide it may be. */
export function statusText(all: readonly HostStatus[], paint: Paint, columns = Number.POSITIVE_INFINITY): string {
  return [...hostsLines(all, paint, columns), ...needLines(all, paint)].join('\n')
}

/** What needs a person, the most urgent first, with the command that is next for each. */
export function needLines(all: readonly HostStatus[], paint: Paint): string[] {
  const findings = byUrgency(all.flatMap(({ host, findings: of }) => of.map((finding) => ({ host, ...finding }))))
  const lines = findings.flatMap((finding) => findingLines(finding.host, finding, paint))
  return [...lines, ...(all.some(({ findings: of }) => needsPerson(of)) ? [] : [paint('green', 'nothing needs you')])]
}

/** Hosts with their bots, an empty line behind each. */
export function hostsLines(all: readonly HostStatus[], paint: Paint, columns: number): string[] {
  return all.flatMap((each) => [...hostLines(each, paint, columns), ''])
}

function hostLines({ host, health, bots }: HostStatus, paint: Paint, width: number): string[] {
  if (health === undefined) return [`${oneLine(host)}  ${paint('red', 'could not be read')}`]
  const rows = bots.flatMap((bot) => rowsOf(bot, health.clock.there))
  return [
    oneLine(host),
    ...wrapped(
      hostCells(health).map(([name, value]) => `${name}: ${value}`),
      { width },
    ),
    ...(rows.length === 0 ? [] : botLines(rows, paint, width)),
    ...bots.flatMap(jobLines).map((line) => `  ${oneLine(line)}`),
    ...bots.flatMap(({ name, domains }) =>
      domains.length === 0 ? [] : [`  ${oneLine(`${name} domains: ${domains.join(', ')}`)}`],
    ),
  ]
}

/** A table, or where the terminal is too narrow for it a few lines for each bot and process. */
function botLines(rows: readonly Row[], paint: Paint, width: number): string[] {
  const lines = table([columns, ...rows]).map((line) => `  ${line}`)
  if (lines.every(({ length }) => length <= width)) return lines.map((line, i) => (i === 0 ? paint('dim', line) : line))
  return rows.flatMap(([name = '', ...cells]) => {
    const said = cells.flatMap((cell, i) => (cell === '' ? [] : [`${columns[i + 1]} ${cell}`]))
    return [`  ${oneLine(name)}`, ...wrapped(said, { width, indent: name.startsWith(' ') ? 6 : 4 })]
  })
}

function findingLines(host: string, { level, bot, what, next }: Finding, paint: Paint): string[] {
  const where = bot === undefined ? host : `${host}  ${bot}`
  return [`${oneLine(where)}  ${paint(colours[level], level)}: ${oneLine(what)}`, `    next: ${oneLine(next)}`]
}

const colours = { error: 'red', warning: 'yellow', note: 'dim' } as const satisfies Record<Level, string>

/** Texts behind one another, as many as fit into a line. */
function wrapped(texts: readonly string[], { width, indent = 2 }: { width: number; indent?: number }): string[] {
  const lines: string[] = []
  for (const text of texts.map(oneLine)) {
    const last = lines.at(-1)
    const longer = `${last}   ${text}`
    if (last !== undefined && longer.length <= Math.min(width, 112)) lines[lines.length - 1] = longer
    else lines.push(`${' '.repeat(indent)}${text}`)
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
