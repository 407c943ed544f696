import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { allChanges, planAll } from '../../lib/engine/plan.ts'
import type { Reading } from '../../lib/model/reading.ts'
import type { Change, Resource } from '../../lib/model/resource.ts'
import type { Script } from '../../lib/shell/sh.ts'
import { stateOf } from './plan-of.ts'

/** A folder in place of a host's root: scripts run in it by a real sh, with programs that note how they were called. */
export interface Bench {
  readonly folder: string
  /** What a script prints and ends with; paths of the host are those of the folder. */
  run(script: Script | string): Promise<{ code: number | null; output: string }>
  /** Reads a state as a plan would find it. */
  read<S>(reading: Reading<S>): Promise<S>
  /** Applies what is planned on what is read, change by change. */
  apply(...resources: Resource[]): Promise<string[]>
  /** The calls of the stubs since the last time, a line each. */
  calls(): string[]
  /** The path in the folder. */
  at(path: string): string
  write(path: string, content: string, mode?: number): void
  text(path: string): string | undefined
  remove(): void
}

/** `moved`: the folders of the host that are in this folder instead, as `/etc`. */
export function bench(moved: readonly string[], stubs: Record<string, string> = {}): Bench {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const at = (path: string) => join(folder, path)
  const log = at('calls')
  const programs = at('programs')
  mkdirSync(programs)
  for (const place of moved) mkdirSync(at(place), { recursive: true })
  const there = (text: string) =>
    moved.reduce((now, path) => now.replace(new RegExp(`(?<![\\w./}-])${path}(?![\\w-])`, 'g'), at(path)), text)
  const here = (text: string) => text.replaceAll(folder, '')
  for (const [name, body] of Object.entries(stubs)) {
    const note = `printf '%s\\n' "${name}$(printf ' %s' "$@")" >>${log}`
    writeFileSync(join(programs, name), `#!/bin/sh\n${note}\n${there(body)}\n`)
    chmodSync(join(programs, name), 0o755)
  }

  const result: Bench = {
    folder,
    at,
    run: async (script) => {
      const text = there(typeof script === 'string' ? script : script.text)
      const { code, output } = await sh(`${text}\n`, programs)
      return { code, output: here(output) }
    },
    read: async (reading) => {
      const names = [reading.name]
      const { output } = await result.run(`LC_ALL=C; export LC_ALL; ${reading.kind.script(names).text}`)
      return reading.kind.parse(output, names).get(reading.name) as never
    },
    apply: async (...resources) => {
      const readings = resources.flatMap(({ reads }) => reads)
      const state = new Map<string, unknown>()
      for (const reading of readings) state.set(reading.key, await result.read(reading))
      const done: string[] = []
      const expected = new Map(state)
      let failed = false
      for (const { id, change } of allChanges(planAll(resources, state))) {
        const { code, output } = await result.run(`set -e\n${change.script.text}`)
        failed ||= code !== 0
        done.push(`${id}: ${change.summary}${code === 0 ? '' : ` ended with ${code}: ${output.trim()}`}`)
        for (const prediction of change.predicts ?? [])
          if ('after' in prediction && expected.has(prediction.key))
            expected.set(
              prediction.key,
              prediction.after(expected.get(prediction.key), (of) => expected.get(of.key) as never),
            )
      }
      // What was said of the host beforehand is what it is then; of root's files only root can make them.
      if (!failed && process.getuid?.() === 0)
        for (const reading of readings) assertSame(reading.key, await result.read(reading), expected.get(reading.key))
      return done
    },
    calls: () => {
      const lines = existsSync(log) ? here(readFileSync(log, 'utf8')).trimEnd().split('\n') : []
      rmSync(log, { force: true })
      return lines
    },
    write: (path, content, mode = 0o644) => {
      mkdirSync(dirname(at(path)), { recursive: true })
      writeFileSync(at(path), content)
      chmodSync(at(path), mode)
    },
    text: (path) => (existsSync(at(path)) ? readFileSync(at(path), 'utf8') : undefined),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
  return result
}

/** What would be changed on a host in this state. */
export function changesOf(resources: readonly Resource[], state: Record<string, unknown>): Change[] {
  return allChanges(planAll(resources, stateOf(resources, state))).map(({ change }) => change)
}

function sh(text: string, programs: string): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C', PATH: `${programs}:${process.env.PATH}:/usr/sbin:/sbin` }
    const child = spawn('/bin/sh', { stdio: ['pipe', 'pipe', 'pipe'], env })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => {
        output += data
      })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
    child.stdin.on('error', () => {})
    child.stdin.end(text)
  })
}

function assertSame(key: string, now: unknown, expected: unknown): void {
  if (typeof expected !== 'object' || expected === null) assert.equal(now, expected, key)
  else for (const [name, value] of Object.entries(expected)) assert.equal(Object(now)[name], value, `${key}: ${name}`)
}
