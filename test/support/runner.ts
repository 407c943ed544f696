import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { killGroup } from './stage.ts'

const project = join(import.meta.dirname, '../..')
const scratch = mkdtempSync(join(tmpdir(), 'botgarden-test-'))
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

export interface Run {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A playbook under way, as an operator would run it. */
export interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Run>
  /** SIGKILL, also to what it has started; it may have ended by itself. */
  kill(): void
  /** Settles when stderr has shown this, or with false when the run has ended before. */
  seen(text: string | RegExp): Promise<boolean>
}

/** Starts a playbook in a process group of its own, without a terminal. */
export function start(args: readonly string[], env: Record<string, string> = {}): Running {
  // What `npx zx` comes to, without the half second that npx takes.
  const child = spawn(process.execPath, [join(project, 'node_modules/zx/build/cli.js'), ...args], {
    cwd: project,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // Hundreds of runs load the same modules.
    env: { ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: join(project, 'node_modules/.cache/compile'), ...env },
  })
  const said = { stdout: '', stderr: '' }
  let look = () => {}
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk
      look()
    })
  }
  const ended = new Promise<Run>((resolve) => child.on('close', (code) => resolve({ code, ...said })))
  const seen = (text: string | RegExp) =>
    new Promise<boolean>((resolve) => {
      look = () => said.stderr.match(text) && resolve(true)
      look()
      void ended.then(() => resolve(said.stderr.match(text) !== null))
    })
  return { child, ended, seen, kill: () => killGroup(child) }
}

export function run(args: readonly string[], env: Record<string, string> = {}): Promise<Run> {
  return start(args, env).ended
}

/** An inventory of one sandbox host, with these vars. */
export function inventoryOf(
  host: string,
  vars: Record<string, unknown> = {},
  more: Record<string, unknown> = {},
): string {
  const docker = { registryMirrors: ['http://mirror.sandbox:5000'] }
  return scratchInventory(host, { docker, ...vars }, more)
}

/** An inventory of one sandbox host for a playbook without the roles of botgarden. */
export function scratchInventory(
  host: string,
  vars: Record<string, unknown>,
  more: Record<string, unknown> = {},
): string {
  const file = join(scratch, `${host}-${Math.random().toString(36).slice(2)}.yaml`)
  const sshConfig = join(project, '.sandbox/ssh_config')
  writeFileSync(file, stringify({ sshConfig, vars, hosts: { [host]: {} }, ...more }))
  return file
}

/** A file of the test's own, gone when it has ended. */
export function scratchFile(name: string, content: string): string {
  const file = join(scratch, name)
  writeFileSync(file, content)
  return file
}

/** What `--json` printed about a host. */
export function resultOf({ stdout, stderr }: Run, host: string) {
  try {
    const { hosts, outputs } = JSON.parse(stdout)
    const result = hosts[host]
    const idsOf = (list: { id: string }[]) => list.map(({ id }) => id)
    return { ...result, outputs: outputs?.[host] ?? {}, ids: idsOf(result.changes), unknownIds: idsOf(result.unknowns) }
  } catch (error) {
    throw new Error(`no JSON about ${host}: ${error}\n${stdout}\n${stderr}`)
  }
}
