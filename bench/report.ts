// RESULTS.md and the chart, from what was measured last in each part.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chart } from './chart.ts'
import { type Case, median } from './rounds.ts'

/** A step of a part as it was measured. */
export interface Taken {
  /** When it began, and the load of the machine over the minute before. */
  readonly at: string
  readonly load: number
  readonly cores: number
  readonly versions: Readonly<Record<string, string>>
  /** How many of the resources of site.ts the lists of Ansible's playbook have; '' where it was not asked. */
  readonly stated: string
  readonly cases: readonly Case[]
}

/** The steps of each part. */
type Results = Readonly<Record<string, readonly Taken[]>>

const store = join(import.meta.dirname, 'results.json')
const report = join(import.meta.dirname, 'RESULTS.md')
/** What is below this is hello-bot's, and is not ours. */
const other = '## hello-bot under load'

/** In place of the same step as it was measured before. */
export function record(part: string, taken: Taken): void {
  const stepOf = ({ cases }: Taken) => cases.map(({ away, hosts, bots }) => `${away} ${hosts} ${bots}`)[0]
  const results = readResults()
  const others = (results[part] ?? []).filter((each) => stepOf(each) !== stepOf(taken))
  writeFileSync(store, `${JSON.stringify({ ...results, [part]: [...others, taken] }, null, 1)}\n`)
}

export function writeReport(): void {
  const results = readResults()
  const before = existsSync(report) ? readFileSync(report, 'utf8') : ''
  const at = before.indexOf(other)
  writeFileSync(report, `${reportOf(results)}\n${at < 0 ? '' : before.slice(at)}`)
  if (results.site !== undefined) writeFileSync(join(import.meta.dirname, 'chart.svg'), chart(casesOf(results.site)))
}

const beyondTheFloor = [
  'What site.ts takes beyond the floor is mostly its start: `site.ts --help` is 0.33 s of processor time, of which zx is 0.08, Node',
  'with its stripper of types 0.05, yaml 0.01 and the rest our modules, compiled before. Then it asks for the facts of the host, one',
  'way there and back more, before it knows what to read. On the host the longest of its four lanes is one `docker exec`, 0.2 s.',
]

export function reportOf({ site, bots, hosts, status }: Results): string {
  return [
    '# What a run of `site.ts` takes where nothing is to be changed',
    '',
    "Written by `npm run bench`; medians, of seconds and of how many times the floor's those are in the same round. In a round each",
    'program has its turn, so all meet the same machine, and each of ours ran once before for nothing. Whoever changed something, or',
    'did not look at something, is an error and no figure.',
    '',
    '- *the floor*: `bench/floor.sh`: one ssh and one script, written by hand for speed, that reads all that site.ts reads.',
    '- *site.ts*: the whole process, by node alone; *npx zx site.ts*: as it is typed.',
    '- *ansible-core*: the one of Debian 13 in a container of Debian 13, with pipelining and a connection that is kept, from a',
    `  playbook (\`bench/ansible/main-job.yaml\`) that states what site.ts states, and changes nothing.`,
    ...statedOf([...(site ?? []), ...(hosts ?? [])]),
    '- *cold*: the connection is a new one; *warm*: it was kept.',
    ...(site === undefined ? [] : section('One host with one bot', site, siteTable(casesOf(site)))),
    '',
    ...beyondTheFloor,
    ...(bots === undefined ? [] : section('More bots on the host', bots, countTable(casesOf(bots), 'bots'))),
    ...(hosts === undefined ? [] : section('More hosts', hosts, countTable(casesOf(hosts), 'hosts'))),
    ...(status === undefined ? [] : section('status.ts beside site.ts', status, statusTable(casesOf(status)))),
    '',
  ].join('\n')
}

/** By the numbers of their steps. */
function casesOf(steps: readonly Taken[]): Case[] {
  const key = ({ away, hosts, bots }: Case) => away * 1e6 + hosts * 1e3 + bots
  return steps.flatMap(({ cases }) => cases).sort((one, other) => key(one) - key(other))
}

function statedOf(steps: readonly Taken[]): string[] {
  const stated = steps.find((each) => each.stated !== '')?.stated
  return stated
    ? [`  Of the resources of site.ts ${stated} are in its lists, and most others are a task of its own.`]
    : []
}

function section(title: string, steps: readonly Taken[], table: readonly string[]): string[] {
  const versions: Record<string, string> = Object.assign({}, ...steps.map((each) => each.versions))
  const programs = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const [from = '', to = ''] = [steps[0]?.at, steps.at(-1)?.at].map((at) => at?.slice(0, 16).replace('T', ' '))
  const loads = steps.map(({ load }) => load.toFixed(1)).join(', ')
  const machine = `${from === to ? from : `${from} to ${to}`}, ${steps[0]?.cores} cores, load before each step ${loads}`
  return ['', `## ${title}`, '', ...table, '', ...besideOurs(casesOf(steps)), `${machine}; ${programs.join(', ')}.`]
}

/** A row a program; a column for each distance, cold and warm. Each figure with how many times the floor's it is. */
function siteTable(cases: readonly Case[]): string[] {
  const columns = [...new Set(cases.map(({ away }) => away))].flatMap((away) =>
    [true, false].map((cold) => ({ title: `${away} ms, ${cold ? 'cold' : 'warm'}`, away, cold })),
  )
  const rows = programsOf(cases).map((program) =>
    columns.map(({ away, cold }) => {
      const of = (name: string) =>
        cases.find((each) => each.program === name && each.away === away && each.cold === cold)
      return cell(of(program), of('the floor'))
    }),
  )
  return tableOf(
    columns.map(({ title }) => title),
    programsOf(cases),
    rows,
  )
}

/** A row a program; a column for each number of bots or of hosts, then what each further one costs. */
function countTable(cases: readonly Case[], count: 'bots' | 'hosts'): string[] {
  const columns = [...new Set(cases.map((each) => each[count]))].sort((one, other) => one - other)
  const rows = programsOf(cases).map((program) => {
    const of = (name: string, number: number) => cases.find((each) => each.program === name && each[count] === number)
    const own = columns.flatMap((number) => of(program, number) ?? [])
    const memory = Math.max(...own.map(({ megabytes = 0 }) => megabytes))
    return [
      ...columns.map((number) => cell(of(program, number), of('the floor', number))),
      `${(slope(own.map((each) => [each[count], median(each.seconds)])) * 1000).toFixed(0)} ms`,
      memory > 0 ? `${memory} MB` : '–',
    ]
  })
  const titles = [
    ...columns.map((number) => `${number} ${number === 1 ? count.slice(0, -1) : count}`),
    'each further one',
    'memory',
  ]
  return tableOf(titles, programsOf(cases), rows)
}

/** A row a program, each figure with how many times that of site.ts it is. */
function statusTable(cases: readonly Case[]): string[] {
  const columns = [...new Set(cases.map(({ bots }) => bots))]
  const of = (name: string, number: number) => cases.find(({ program, bots }) => program === name && bots === number)
  return tableOf(
    columns.map((bots) => `${of('site.ts', bots)?.hosts} hosts, ${bots} bots`),
    programsOf(cases),
    programsOf(cases).map((program) => columns.map((bots) => cell(of(program, bots), of('site.ts', bots)))),
  )
}

function tableOf(titles: readonly string[], names: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [
    line(['', ...titles]),
    `|${'---|'.repeat(titles.length + 1)}`,
    ...names.map((name, i) => line([name, ...(rows[i] ?? [])])),
  ]
}

function cell(own: Case | undefined, other: Case | undefined): string {
  if (own === undefined) return '–'
  const seconds = median(own.seconds)
  if (other === undefined || other === own) return `${seconds.toFixed(2)} s`
  return `${seconds.toFixed(2)} s, ${times(own, other)}`
}

/** How many times as long as the other: the median over rounds, since the machine changes between them more than within. */
function times(own: Case, other: Case): string {
  const ratios = own.seconds.flatMap((each, i) => (other.seconds[i] === undefined ? [] : each / other.seconds[i]))
  return `${median(ratios).toFixed(1)} ×`
}

/** How many times as long as site.ts each rival takes, in the situations in which it was asked. */
function besideOurs(cases: readonly Case[]): string[] {
  const rivals = cases.filter(({ isRival }) => isRival)
  const lines = [...new Set(rivals.map(({ program }) => program))].map((program) => {
    const ratios = rivals.flatMap((each) => {
      if (each.program !== program) return []
      const { away, hosts, bots, cold } = each
      const where = { away, hosts, bots, cold }
      const own = cases.find((other) => other.program === 'site.ts' && isIn(other, where))
      return own === undefined ? [] : times(each, own)
    })
    return `${program} ${ratios.join(', ')}`
  })
  return lines.length === 0 ? [] : [`As long as site.ts in the same rounds: ${lines.join('; ')}.`, '']
}

function isIn(one: Case, where: Pick<Case, 'away' | 'hosts' | 'bots' | 'cold'>): boolean {
  return Object.entries(where).every(([key, value]) => one[key as keyof Case] === value)
}

function programsOf(cases: readonly Case[]): string[] {
  return [...new Set(cases.map(({ program }) => program))]
}

/** Of the line through these points that is nearest to all. */
function slope(points: readonly (readonly [number, number])[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, each) => sum + each, 0) / values.length
  const [x, y] = [mean(points.map(([at]) => at)), mean(points.map(([, value]) => value))]
  const spread = mean(points.map(([at]) => (at - x) ** 2))
  return spread === 0 ? Number.NaN : mean(points.map(([at, value]) => (at - x) * (value - y))) / spread
}

function readResults(): Results {
  return existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : {}
}
