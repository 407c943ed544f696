import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { sshConfigFor } from '../../../sandbox/index.ts'
import type { Run } from '../runner.ts'

/** Runs a command on a sandbox host with the plain ssh client, past all of our code. */
export function overSsh(host: string, command: string): Promise<Run> {
  return sshWith([], host, command)
}

/** Runs a command over SSH with further arguments for the client. */
export function sshWith(more: readonly string[], host: string, command: string): Promise<Run> {
  const child = spawn('ssh', ['-F', sshConfigFor(host), ...more, host, command], { stdio: ['ignore', 'pipe', 'pipe'] })
  const said = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].on('data', (chunk: Buffer) => {
      said[name] += chunk
    })
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...said }))
  })
}

/** Where this machine reaches a sandbox host past ssh. */
export async function addressOf(host: string): Promise<string> {
  const { stdout } = await overSsh(host, 'ip -4 route get 192.0.2.1')
  return / src (\S+)/.exec(stdout)?.[1] ?? ''
}

/** The port on loopback by which a sandbox host is reached. */
export function portOf(host: string): number {
  const blocks = readFileSync(sshConfigFor(host), 'utf8').split(/^(?=Host )/m)
  return Number(blocks.find((block) => block.startsWith(`Host ${host}\n`))?.match(/Port (\d+)/)?.[1])
}
