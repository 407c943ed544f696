import { type Finding, needsPerson } from '../../lib/health/finding.ts'
import { oneLine, shown } from '../../lib/std/output.ts'
import { columns, hostCells, jobLines, type Row, rowsOf } from './cells.ts'
import type { HostStatus } from './host-status.ts'
import { style } from './style.ts'

/** The same as one page that loads nothing. */
export function statusHtml(all: readonly HostStatus[], at: Date): string {
  const findings = all.flatMap(({ host, findings: of }) => of.map((each) => findingHtml(host, each)))
  const time = at.toISOString().slice(0, 16).replace('T', ' ')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>botgarden status</title>
<style>
${style}</style>
</head>
<body>
<header><h1>botgarden</h1><p>as of <time datetime="${at.toISOString()}">${time} UTC</time></p></header>
<section class="findings"><h2>Needs you</h2>
${all.some(({ findings: of }) => needsPerson(of)) ? '' : '<p class="good">Nothing.</p>'}
<ul>${findings.join('\n')}</ul>
</section>
${all.map(hostHtml).join('\n')}
</body>
</html>
`
}

function hostHtml({ host, health, bots }: HostStatus): string {
  if (health === undefined) return `<section><h2>${html(host)}</h2><p class="error">could not be read</p></section>`
  const cells = hostCells(health).map(([name, value]) => `<div><dt>${html(name)}</dt><dd>${html(value)}</dd></div>`)
  const rows = bots.flatMap((bot) => rowsOf(bot, health.clock.there))
  const jobs = bots.flatMap(jobLines).map((line) => `<li>${html(line)}</li>`)
  const domains = bots.flatMap(({ name, domains: of }) => of.map((each) => `<li>${html(`${name}: ${each}`)}</li>`))
  return `<section><h2>${html(host)}</h2>
<dl>${cells.join('\n')}</dl>
${rows.length === 0 ? '' : tableHtml(rows)}
${jobs.length + domains.length === 0 ? '' : `<ul class="more">${[...jobs, ...domains].join('\n')}</ul>`}
</section>`
}

/** On a narrow screen each row becomes a card, and each cell says its column itself. */
function tableHtml(rows: readonly Row[]): string {
  const head = columns.map((column) => `<th scope="col">${html(column)}</th>`).join('')
  const cell = (text: string, i: number) =>
    i === 0
      ? `<th scope="row">${html(text.trim())}</th>`
      : `<td data-column="${html(columns[i] ?? '')}">${html(text)}</td>`
  const body = rows.map(
    (row) => `<tr${row[0]?.startsWith(' ') ? ' class="process"' : ''}>${row.map(cell).join('')}</tr>`,
  )
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.join('\n')}</tbody></table>`
}

function findingHtml(host: string, { level, bot, what, next }: Finding): string {
  const where = bot === undefined ? host : `${host} ${bot}`
  return `<li class="${level}"><b>${html(where)}</b> <span class="level">${level}</span> ${html(what)}<code>${html(next)}</code></li>`
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** A text of any origin as text of the page: without secrets, control characters visible. */
function html(text: string): string {
  return shown(oneLine(text)).replace(/[&<>"']/g, (sign) => entities[sign] ?? '')
}
