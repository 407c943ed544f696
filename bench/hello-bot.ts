// hello-bot under load, beside a bare handler and plain grammY: `node bench/hello-bot.ts [FOLDER …]`.
// FOLDER is another checkout's bots/hello-bot. It needs a PostgreSQL server: Debian's package `postgresql`. Programs take turns
// at each delay of Telegram's answers, so all meet the same machine; that one includes Telegram and the server.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startPostgres } from './bots/postgres.ts'
import { copyOf, type Program, startProgram } from './bots/program.ts'
import { telegram } from './bots/telegram.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    /** As many as Telegram opens to a webhook, unless it is told otherwise. */
    connections: { type: 'string', default: '40' },
    delays: { type: 'string', default: '0,50,100' },
    /** Programs with this in their name. */
    only: { type: 'string', default: '' },
    /** A folder for a CPU profile of each run. */
    profile: { type: 'string' },
  },
})
const seconds = Number(values.seconds)
const profile = values.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(values.profile)}`]
/** Updates a second that hello-bot is to answer wherever it runs. */
const promised = 160
const root = resolve(import.meta.dirname, '..')
const programs: readonly Program[] = [
  copyOf(join(root, 'bots/hello-bot'), 'hello-bot'),
  ...positionals.map((folder) => copyOf(resolve(folder), folder)),
  { name: 'bare node:http + pg', main: [join(import.meta.dirname, 'bots/bare.ts')] },
  { name: 'plain grammY + pg', main: [join(import.meta.dirname, 'bots/plain.ts')] },
].filter(({ name }) => name.includes(values.only))

const folder = mkdtempSync(join(tmpdir(), 'bench-bot-'))
const postgres = await startPostgres(folder)
const api = await telegram(Number(values.connections))
try {
  const columns = [
    'a call takes',
    'program',
    'replies/s',
    'at 70 %: p50',
    'p99',
    'at 112/s: p50',
    'p99',
    'idle',
    'after',
  ]
  process.stdout.write(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}\n`)
  for (const delay of values.delays.split(',').map(Number))
    for (const program of programs) process.stdout.write(`${await row(program, delay)}\n`)
} finally {
  api.close()
  await postgres.stop()
  rmSync(folder, { recursive: true })
}

/** First as fast as it goes, then for how long a reply takes: at 70 % of that, and of what is promised. */
async function row(program: Program, delay: number): Promise<string> {
  api.delay = delay
  const running = await startProgram(program, await postgres.database(), api, profile)
  try {
    await pause(2_000)
    const idle = running.megabytes()
    await api.flood(1)
    await api.quiet()
    const rate = await fastest()
    const waits = [await steady(rate * 0.7), rate < promised ? [undefined, undefined] : await steady(promised * 0.7)]
    const times = waits.flat().map((ms) => (ms === undefined ? '–' : `${ms.toFixed(0)} ms`))
    const cells = [rate.toFixed(0), ...times, `${idle} MB`, `${running.megabytes()} MB`]
    return `| ${delay} ms | ${program.name} | ${cells.join(' | ')} |`
  } finally {
    await running.stop()
  }
}

/** Replies a second while the load goes on: what is sent afterwards does not count. */
async function fastest(): Promise<number> {
  const [before, start] = [api.latencies.length, performance.now()]
  await api.flood(seconds)
  const rate = ((api.latencies.length - before) / (performance.now() - start)) * 1_000
  await api.quiet()
  return rate
}

async function steady(rate: number): Promise<readonly [p50: number, p99: number]> {
  api.latencies.length = 0
  await api.steady(rate, seconds)
  await api.quiet()
  const sorted = api.latencies.toSorted((one, other) => one - other)
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? 0
  return [at(0.5), at(0.99)]
}
