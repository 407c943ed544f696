// Records a first run on a bare VPS of the sandbox, as it looks on a terminal: `node docs/record.ts`. It writes run.cast
// (asciinema's format, version 2) and run.svg, the screen while the last long step was at work, and under it the end.
import { writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { freshVps, removeVps } from '../sandbox/index.ts'
import { inventoryOf } from '../test/support/runner.ts'
import { onTerminal, type Recording, screenAt, textOf } from '../test/support/terminal.ts'
import { pictureOf } from './picture.ts'

const host = 'demo'
const title = 'a first run of playbooks/site.ts on a bare VPS'
const root = resolve(import.meta.dirname, '..')

process.stdout.write('booting a bare VPS\n')
await freshVps(host)
process.stdout.write(`recording ${title}\n`)
const size = { columns: 110, rows: 34 }
const zx = join(root, 'node_modules/zx/build/cli.js')
const run = await onTerminal([zx, 'playbooks/site.ts', '-i', inventoryOf(host)], size).finally(() => removeVps(host))
if (run.code !== 0) throw new Error(`the run ended with ${run.code}:\n${textsOf(await screenAt(run)).join('\n')}`)

const recording: Recording = { ...run, events: [[0, '$ npx zx playbooks/site.ts\r\n'], ...run.events] }
// Where this machine fetches its packages from is nobody's concern.
const cast = castOf(recording).replaceAll(/http:\/\/[\w.-]+/g, 'http://deb.example.org')
if (cast.includes(root)) throw new Error('the recording names a path of this machine')
writeFileSync(join(import.meta.dirname, 'run.cast'), cast)

const moment = await lastLongStep(recording)
const lines = [...(await screenAt(recording, moment)), [], ...(await screenAt(recording)).slice(-1)]
writeFileSync(join(import.meta.dirname, 'run.svg'), pictureOf(lines.slice(-size.rows), size.columns, title))
process.stdout.write(`wrote docs/run.cast, and docs/run.svg with its screen after ${moment.toFixed(1)} s\n`)

function castOf({ columns, rows, events }: Recording): string {
  const head = { version: 2, width: columns, height: rows, title, env: { TERM: 'xterm-256color' } }
  const rest = events.map(([seconds, text]) => [Number(seconds.toFixed(3)), 'o', text])
  return `${[head, ...rest].map((line) => JSON.stringify(line)).join('\n')}\n`
}

/** When a step had gone on for some seconds and its last line stood beneath it, for the last time. */
async function lastLongStep(of: Recording): Promise<number> {
  for (const [seconds] of of.events.toReversed()) {
    const texts = textsOf(await screenAt(of, seconds))
    if (/ ▸ .* ([3-9]|\d\d+) s$/.test(texts.at(-2) ?? '')) return seconds
  }
  return Number.POSITIVE_INFINITY
}

function textsOf(screen: Awaited<ReturnType<typeof screenAt>>): string[] {
  return screen.map(textOf)
}
