// What site.ts takes where nothing is to be changed, beside what it could not be faster than, and beside Ansible.
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startController } from './ansible/index.ts'
import { prepare, removeMachines } from './machines.ts'
import { parts } from './parts.ts'
import { record, writeReport } from './report.ts'

const help = `npm run bench -- [OPTIONS]    measures a run of site.ts with nothing to change; it takes hours

  --only PART,…      of ${Object.keys(parts).join(', ')} (default: all, in this order)
  --steps N,…        instead of its own numbers: milliseconds for site, bots for bots, hosts for hosts, bots for status; for one part
  --rounds N         so many of each (default: 5)
  --rival-rounds N   and so many of Ansible (default: 2); 0: without it
  --prepare          only make the VPSs that it needs, for a run with --keep
  --keep             leave the VPSs up for the next run
  --report           measure nothing, write RESULTS.md and the chart from bench/results.json
`
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(parts).join(',') },
    steps: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    'rival-rounds': { type: 'string', default: '2' },
    prepare: { type: 'boolean', default: false },
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
  const chosen = values.only.split(',').map((name) => {
    const part = parts[name]
    if (part === undefined) throw new Error(`--only ${name}: the parts are ${Object.keys(parts).join(', ')}`)
    return { name, part, steps: values.steps?.split(',').map(Number) ?? part.steps }
  })
  const folder = mkdtempSync(join(tmpdir(), 'botgarden-bench-'))
  let stop = async () => {}
  try {
    const sizes = chosen.flatMap(({ part, steps }) => steps.map(part.machines))
    for (const [size] of Map.groupBy(sizes, ({ hosts, bots }) => `${hosts} ${bots}`).values())
      if (size !== undefined) await prepare(size, folder, progress)
    if (values.prepare) return
    const rounds = { own: Number(values.rounds), rivals: Number(values['rival-rounds']) }
    const ansible = rounds.rivals > 0 ? await startController(folder, progress) : undefined
    stop = async () => ansible?.stop()
    const setting = { folder, rounds, rivals: ansible?.programs ?? [], progress }
    const versions = { node: process.version.slice(1), ...ansible?.versions }
    for (const { name, part, steps } of chosen)
      for (const step of steps) {
        const machine = { at: new Date().toISOString(), load: loadavg()[0] ?? 0, cores: cpus().length }
        const cases = await part.run(setting, step)
        record(name, { ...machine, versions, stated: ansible?.stated.text ?? '', cases })
        writeReport()
      }
  } finally {
    await stop()
    rmSync(folder, { recursive: true, force: true })
    if (!values.keep && !values.prepare) await removeMachines()
  }
}
