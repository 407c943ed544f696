import { spawn } from 'node:child_process'
import { join } from 'node:path'
import xterm from '@xterm/headless'
import { quote } from '../../lib/shell/sh.ts'

const project = join(import.meta.dirname, '../..')

/** What a terminal of this size was sent: seconds since the start, and text. */
export interface Recording {
  readonly code: number | null
  readonly columns: number
  readonly rows: number
  readonly events: readonly (readonly [seconds: number, text: string])[]
}

/** Runs a program of Node's on a terminal of its own, by util-linux's `script`; `typed` is there from the start, `types` when this is shown. */
export function onTerminal(
  args: readonly string[],
  {
    columns = 100,
    rows = 24,
    env = {},
    typed,
    types,
  }: {
    columns?: number
    rows?: number
    env?: NodeJS.ProcessEnv
    typed?: string
    types?: { readonly after: RegExp; readonly text: string }
  } = {},
): Promise<Recording> {
  const command = `stty cols ${columns} rows ${rows}; exec ${[process.execPath, ...args].map(quote).join(' ')}`
  const blank = { CI: undefined, NO_COLOR: undefined, FORCE_COLOR: undefined, TERM: 'xterm-256color' }
  const started = performance.now()
  const events: [number, string][] = []
  return new Promise((resolve, reject) => {
    const child = spawn('script', ['-q', '-e', '-c', command, '/dev/null'], {
      cwd: project,
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...blank, ...env },
    })
    if (typed !== undefined) child.stdin.write(typed)
    else if (types === undefined) child.stdin.end()
    child.stdout.setEncoding('utf8')
    let awaited = types
    child.stdout.on('data', (text: string) => {
      events.push([(performance.now() - started) / 1000, text])
      if (!awaited?.after.test(events.map(([, each]) => each).join(''))) return
      child.stdin.end(awaited.text)
      awaited = undefined
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, columns, rows, events }))
  })
}

/** One sign on a screen, with its colour: a number of the 256, or -1. */
export interface Cell {
  readonly text: string
  readonly colour: number
  readonly dim: boolean
}

/** What one sees after this many seconds of a recording, what has scrolled away included, without empty lines at the end. */
export async function screenAt({ columns, rows, events }: Recording, seconds = Number.POSITIVE_INFINITY) {
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
  const text = events.flatMap(([at, each]) => (at <= seconds ? [each] : [])).join('')
  await new Promise<void>((resolve) => terminal.write(text, resolve))
  const buffer = terminal.buffer.active
  const lines = Array.from({ length: buffer.length }, (_, y) =>
    Array.from({ length: columns }, (_, x): Cell => {
      const cell = buffer.getLine(y)?.getCell(x)
      const colour = cell?.isFgPalette() ? cell.getFgColor() : -1
      return { text: cell?.getChars() || ' ', colour, dim: Boolean(cell?.isDim()) }
    }),
  )
  while (lines.length > 0 && textOf(lines.at(-1) ?? []) === '') lines.pop()
  return lines
}

export function textOf(line: readonly Cell[]): string {
  return line
    .map(({ text }) => text)
    .join('')
    .trimEnd()
}
