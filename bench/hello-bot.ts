// hello-bot under load, beside a bare handler and plain grammY: `node bench/hello-bot.ts [--seconds 10] [--connections 40] [FOLDER …]`.
// FOLDER is another checkout's bots/hello-bot. It needs a PostgreSQL server: Debian's package `postgresql`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { startPostgres } from './bots/postgres.ts'
import { type Program, startProgram } from './bots/program.ts'
import { type Telegram, telegram } from './bots/telegram.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '10' },
    /** As many as Telegram opens to a webhook, unless it is told otherwise. */
    connections: { type: 'string', default: '40' },
    delays: { type: 'string', default: '0,50,100' },
    only: { type: 'string', default: '' },
  },
})
const seconds = Number(values.seconds)
const root = resolve(import.meta.dirname, '..')
const hello = (folder: string, name: string): Program => ({
  name,
  script: join(folder, 'src/main.ts'),
  migrate: join(folder, 'src/migrate.ts'),
})
const programs: readonly Program[] = [
  hello(join(root, 'bots/hello-bot'), 'hello-bot'),
  ...positionals.map((folder) => hello(resolve(folder), folder)),
  { name: 'bare node:http + pg', script: join(import.meta.dirname, 'bots/bare.ts') },
  { name: 'plain grammY + pg', script: join(import.meta.dirname, 'bots/plain.ts') },
].filter(({ name }) => name.includes(values.only))

const folder = mkdtempSync(join(tmpdir(), 'bench-bot-'))
const postgres = await startPostgres(folder)
const api = await telegram(Number(values.connections))
try {
  process.stdout.write(
    '| a call takes | program | replies/s | at 70 %: p50 | p99 | idle RSS | after |\n|---|---|---|---|---|---|---|\n',
  )
  for (const delay of values.delays.split(',').map(Number))
    for (const program of programs) process.stdout.write(`${await row(program, delay)}\n`)
} finally {
  api.close()
  await postgres.stop()
  rmSync(folder, { recursive: true })
}

/** First as fast as it goes, then at 70 % of that, for how long a reply takes. */
async function row(program: Program, delay: number): Promise<string> {
  api.delay = delay
  const running = await startProgram(program, await postgres.database(), api)
  try {
    const idle = running.megabytes()
    await measure(api, 1, () => api.flood(1))
    const rate = await measure(api, seconds, () => api.flood(seconds))
    await api.quiet()
    api.latencies.length = 0
    await api.steady(rate * 0.7, seconds)
    await api.quiet()
    const sorted = api.latencies.toSorted((one, other) => one - other)
    const at = (share: number) => `${Math.round(sorted[Math.floor(sorted.length * share)] ?? 0)} ms`
    const cells = [rate.toFixed(0), at(0.5), at(0.99), `${idle} MB`, `${running.megabytes()} MB`]
    return `| ${delay} ms | ${program.name} | ${cells.join(' | ')} |`
  } finally {
    await running.stop()
  }
}

/** Replies a second while the load goes on: what is sent afterwards does not count. */
async function measure(api: Telegram, seconds: number, load: () => Promise<void>): Promise<number> {
  const before = api.latencies.length
  await load()
  return (api.latencies.length - before) / seconds
}
