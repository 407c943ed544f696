import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const project = join(import.meta.dirname, '../..')

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Around {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly input?: string
}

/** Runs a playbook to its end, with this on its stdin. */
export function run(playbook: string, args: readonly string[], around: Around = {}): Promise<Run> {
  const { cwd = project, env = {}, input = '' } = around
  const script = join(project, 'playbooks', `${playbook}.ts`)
  const child = spawn(process.execPath, [script, ...args], { cwd, env: { ...process.env, NO_COLOR: '1', ...env } })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) child[name].on('data', (data) => (said[name] += data))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}

const folder = mkdtempSync(join(tmpdir(), 'botgarden-playbook.'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

/** A folder that is gone when the tests have ended. */
export function scratch(): string {
  return mkdtempSync(join(folder, 'case-'))
}
