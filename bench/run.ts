// What site.ts takes where nothing is to be changed, beside what it could not be faster than, and beside Ansible.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startController } from './ansible/index.ts'
import { prepare, removeMachines } from './machines.ts'
import { type Part, parts } from './parts.ts'
import { keep, type Taken, writeReport } from './report.ts'

const help = `npm run bench -- [OPTIONS]    measures a run of site.ts with nothing to change; it takes hours

  --only PART,…      of ${Object.keys(parts).join(', ')} (default: all, in this order)
  --steps N,…        instead of its own numbers: milliseconds for site, bots for bots, hosts for hosts; for one part
  --rounds N         so many of each (default: 5)
  --rival-rounds N   and so many of Ansible (default: 2); 0: without it
  --keep             leave the VPSs up for the next run
  --report           measure nothing, write RESULTS.md and the chart from bench/results.json
`
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') },
    steps: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'rival-rounds': { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
    report: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
const progress = (line: string) => void process.stderr.write(`${line}\n`)

if (values.help) process.stdout.write(help)
else if (values.report) writeReport()
else await measure()

async function measure(): Promise<void> {
  const wanted = Object.entries(parts as Record<string, Part>).filter(([name]) => values.only.split(',').includes(name))
  if (wanted.length === 0) throw new Error(`--only ${values.only}: the parts are ${Object.keys(parts).join(', ')}`)
  const rounds = { own: Number(values.rounds), rivals: Number(values['rival-rounds']) }
  const folder = mkdtempSync(join(tmpdir(), 'botgarden-bench-'))
  let stop = async () => {}
  try {
    for (const hasBots of new Set(wanted.map(([, part]) => part.hasBots))) await prepare(hasBots, folder, progress)
    const ansible = rounds.rivals > 0 ? await startController(folder, progress) : undefined
    stop = async () => ansible?.stop()
    const setting = { folder, rounds, rivals: ansible?.programs ?? [], progress }
    for (const [name, part] of wanted) {
      const started = { at: new Date().toISOString(), load: loadavg()[0] ?? 0, cores: cpus().length }
      const cases = await part.run(setting, values.steps?.split(',').map(Number) ?? part.steps)
      const versions = { node: process.version, ...ansible?.versions }
      keep(name, { ...started, versions, stated: ansible?.stated.text ?? '', cases } satisfies Taken)
      writeReport()
    }
  } finally {
    await stop()
    rmSync(folder, { recursive: true, force: true })
    if (!values.keep) await removeMachines()
  }
}
