// Mutants that were found to survive once, each with what it takes from the promises of docs/security.md and ARCHITECTURE.md:
// `npm run test:mutants -- --named [--here]`. Those that only a host can show are made all at once in a copy of the tree with a sandbox
// of its own: they have nothing to do with each other, and each of them has a test of its own to fail.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { type Named, named } from './list.ts'
import { scratchOf } from './scratch.ts'

/** Tries each in turn, and says what became of it. Returns the exit code: 0 if each was caught by every test that is for it. */
export async function tryNamed(
  root: string,
  { only, here }: { only: string; here: boolean },
  say: (line: string) => void,
): Promise<number> {
  const mutants = named.filter(({ file }) => file.startsWith(only))
  const misses = await onThisMachine(root, mutants, say)
  if (!here) misses.push(...(await onTheSandbox(root, mutants, say)))
  for (const miss of misses) say(`SURVIVED: ${miss}`)
  const total = mutants.flatMap(({ unit, sandbox }) => [unit, here ? undefined : sandbox]).filter(Boolean).length
  say(`${total - misses.length} passed, ${misses.length} failed`)
  return misses.length === 0 ? 0 : 1
}

async function onThisMachine(root: string, mutants: readonly Named[], say: (line: string) => void): Promise<string[]> {
  const scratch = scratchOf(root)
  const misses: string[] = []
  try {
    for (const mutant of mutants.filter(({ unit }) => unit !== undefined)) {
      const source = scratch.read(mutant.file)
      scratch.write(mutant.file, mutatedBy(mutant, source))
      const failure = await scratch.fails([`test/${mutant.unit}`])
      scratch.write(mutant.file, source)
      say(`${mutant.what}  ${failure === undefined ? 'SURVIVED' : `caught by ${failure}`}`)
      if (failure === undefined) misses.push(`${mutant.what}: ${mutant.unit}`)
    }
  } finally {
    scratch.remove()
  }
  return misses
}

async function onTheSandbox(root: string, mutants: readonly Named[], say: (line: string) => void): Promise<string[]> {
  const shown = mutants.flatMap((mutant) =>
    mutant.sandbox === undefined ? [] : [{ ...mutant, sandbox: mutant.sandbox }],
  )
  if (shown.length === 0) return []
  const scratch = scratchOf(root)
  const misses: string[] = []
  const play = (...args: string[]) =>
    execFileSync(process.execPath, ['node_modules/zx/build/cli.js', 'playbooks/sandbox.ts', ...args], {
      cwd: scratch.folder,
      stdio: 'ignore',
    })
  try {
    for (const mutant of shown) scratch.write(mutant.file, mutatedBy(mutant, scratch.read(mutant.file)))
    play('up')
    for (const story of new Set(shown.map(({ sandbox: [name] }) => name))) {
      const failed = await failuresOf(scratch.folder, story)
      for (const { what, sandbox } of shown.filter(({ sandbox: [name] }) => name === story)) {
        const caught = failed.some((title) => title.startsWith(sandbox[1]))
        say(`${what}  ${caught ? `caught by ${story}: ${sandbox[1]}` : 'SURVIVED'}`)
        if (!caught) misses.push(`${what}: ${story}: ${sandbox[1]}`)
      }
    }
  } finally {
    play('down')
    scratch.remove()
  }
  return misses
}

/** The titles of the tests of a story that fail. */
async function failuresOf(folder: string, story: string): Promise<string[]> {
  // One of the campaign is named by its path in test/.
  const tests = story.includes('/') ? 'test' : 'test/sandbox'
  const pattern = `^${story.replaceAll('.', String.raw`\.`)}$`
  const child = spawn(process.execPath, [join(folder, 'node_modules/uvu/bin.js'), tests, pattern, '--no-color'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => {
      output += data
    })
  await once(child, 'close')
  return [...stripVTControlCharacters(output).matchAll(/^ {3}FAIL {2}"(.*)"$/gm)].map(([, title = '']) => title)
}

/** The text with this one change; its place must be there, and be one. */
export function mutatedBy({ file, find, replace }: Named, source: string): string {
  if (source.split(find).length !== 2) throw new Error(`${file}: not once: ${find}`)
  return source.replace(find, () => replace)
}
