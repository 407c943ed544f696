// Where lib/, roles/ and commands/ can be changed, and a draw of these places.
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mutant } from './mutant.ts'
import { awkParses, shellMutants, shellParses } from './shell.ts'
import { typescriptMutants } from './typescript.ts'

export interface Site {
  readonly file: string
  readonly mutant: Mutant
}

/** Every place of every operator, in every file: nothing is left out. */
export function allSites(root: string): Site[] {
  const files = globSync('{lib,roles,commands}/**/*.{ts,sh,awk,mustache}', { cwd: root }).sort()
  return files.flatMap((file) =>
    mutantsOf(file, readFileSync(join(root, file), 'utf8')).map((mutant) => ({ file, mutant })),
  )
}

export function mutantsOf(file: string, source: string): Mutant[] {
  if (file.endsWith('.ts')) return typescriptMutants(source)
  if (file.endsWith('.sh')) return shellMutants(source, shellParses)
  return shellMutants(source, file.endsWith('.awk') ? awkParses : () => true)
}

/** So many sites whose mutants parse, each as likely as the other; the same ones for the same seed. */
export function draw(sites: readonly Site[], seed: number, count: number): Site[] {
  const random = randomFrom(seed)
  const left = [...sites]
  const drawn: Site[] = []
  while (left.length > 0 && drawn.length < count) {
    const [site] = left.splice(Math.floor(random() * left.length), 1)
    if (site?.mutant.parses()) drawn.push(site)
  }
  return drawn
}

/** mulberry32: a small generator with a seed, which Math.random() has not. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let bits = Math.imul(state ^ (state >>> 15), state | 1)
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32
  }
}
