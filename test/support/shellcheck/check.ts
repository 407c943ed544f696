import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { placeOf, type Shell } from './scripts.ts'

export interface Finding {
  readonly place: string
  readonly code: number
  readonly message: string
  /** The line that it is about. */
  readonly line: string
}

/** What shellcheck finds in these texts, as dash reads them; bash where a text's first line says so. */
export async function shellchecked(shells: readonly Shell[]): Promise<Finding[]> {
  const bash = shells.filter(({ text }) => isBash(text))
  const rest = shells.filter(({ text }) => !isBash(text))
  // One process for each half: it has no threads of its own.
  const halves = [0, 1].map((half) => rest.filter((_, i) => i % 2 === half))
  return (await Promise.all([check('bash', bash), ...halves.map((each) => check('dash', each))])).flat()
}

/** The texts that their shell cannot parse, each with what it says. */
export async function unparsed(shells: readonly Shell[]): Promise<string[]> {
  return inFiles(shells, async (files) => {
    const faults: string[] = []
    for (const [i, { place, text }] of shells.entries()) {
      const { code, output } = await run(isBash(text) ? 'bash' : 'dash', ['-n', files[i] ?? ''])
      if (code !== 0) faults.push(`${place}: ${output}`)
    }
    return faults
  })
}

function isBash(text: string): boolean {
  return /^#!.*\bbash$/m.test(text.split('\n', 1)[0] ?? '')
}

function check(dialect: string, shells: readonly Shell[]): Promise<Finding[]> {
  if (shells.length === 0) return Promise.resolve([])
  return inFiles(shells, async (files) => {
    const { code, output } = await run('shellcheck', ['--norc', '-s', dialect, '-f', 'json1', ...files])
    if (code !== 0 && code !== 1) throw new Error(`shellcheck ended with ${code}: ${output}`)
    const { comments } = JSON.parse(output) as { comments: readonly Comment[] }
    return comments.map(({ file, line, code: number, message }) => {
      const shell = shells[files.indexOf(file)] as Shell
      const text = shell.text.split('\n')[line - 1] ?? ''
      return { place: placeOf(shell, line), code: number, message, line: text.trim() }
    })
  })
}

interface Comment {
  readonly file: string
  readonly line: number
  readonly code: number
  readonly message: string
}

async function inFiles<T>(shells: readonly Shell[], use: (files: readonly string[]) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'shellcheck-'))
  const files = shells.map((_, i) => join(folder, `${i}.sh`))
  try {
    for (const [i, { text }] of shells.entries()) writeFileSync(files[i] ?? '', `${text}\n`)
    return await use(files)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function run(program: string, args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(program, [...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data
    })
  const [code] = await once(child, 'close').catch((error: NodeJS.ErrnoException) => {
    const missing = `${program} is missing: apt-get install ${program}; as root, npm test installs it by itself`
    throw error.code === 'ENOENT' ? new Error(missing) : error
  })
  return { code, output }
}
