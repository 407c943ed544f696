import { join } from 'node:path'
import { UsageError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { docker, type Result, tryDocker } from '../machine/docker-cli.ts'
import { see } from '../machine/inspect.ts'
import { containerOf, home, paths } from '../machine/paths.ts'
import { type Progress, step } from '../machine/progress.ts'
import { inPart } from '../services/service.ts'
import { admit, awaitReady, create } from './boot.ts'
import { reconnect } from './network.ts'
import { type Prerequisites, preparePrerequisites } from './prerequisites.ts'
import { isReady, knownHosts, writeAccess } from './ssh-access.ts'

/** Makes sure that a VPS runs and is ready, from any state; its memory is changed only when asked for. */
export async function ensureVps(
  name: string,
  prerequisites: Prerequisites,
  memory: string | undefined,
  progress: Progress,
): Promise<void> {
  await withLock(lockOf(name), 300, async () => {
    const seen = (await see([name])).get(name)
    if (seen === undefined) return step(progress, `booting ${name}`, () => make(name, prerequisites, memory))
    if (memory !== undefined && bytesOf(memory) !== seen.memory) await resize(name, memory)
    if (!seen.connected) await reconnect(name)
    if (seen.running && isReady(name, seen)) return admit(name)
    const { status, stderr } = await tryDocker(['start', containerOf(name)])
    if (status === 0) return step(progress, `waiting for ${name}`, () => awaitReady(name))
    await step(progress, `replacing ${name}, which cannot be started: ${stderr}`, async () => {
      await discard(name)
      await make(name, prerequisites, memory ?? `${seen.memory}b`)
    })
  })
}

/** A bare VPS of this name, from the cached image: one that is there already is replaced. */
export async function freshVps(name: string, options: { memory?: string; progress?: Progress } = {}): Promise<void> {
  const prerequisites = await preparePrerequisites(options.progress ?? (() => {}))
  await withLock(lockOf(name), 300, async () => {
    await discard(name)
    await make(name, prerequisites, options.memory)
  })
}

export async function removeVps(name: string): Promise<void> {
  await withLock(lockOf(name), 300, async () => {
    await discard(name)
    await writeAccess(name, undefined)
  })
}

/** Reboots a VPS as its provider would: everything ends in order, and boots again. */
export async function restartVps(name: string): Promise<void> {
  mustExist(name)
  await docker(['restart', '-t', '30', containerOf(name)], { seconds: 180 })
  await awaitReady(name)
}

/** Runs a shell command inside a VPS, past ssh: for a second opinion, and for faults. The limit is for what hangs. */
export async function inVps(name: string, command: string, { seconds = 300 } = {}): Promise<Result> {
  mustExist(name)
  return inPart(name, command, { seconds })
}

/** The ssh_config by which this VPS is reached. */
export function sshConfigFor(name: string): string {
  mustExist(name)
  return paths.sshConfig
}

/** Bytes of `512m` or `2g`, as Docker reads it. */
export function bytesOf(memory: string): number {
  const [, digits, unit] = /^(\d+)([bkmg]?)$/i.exec(memory) ?? []
  if (digits === undefined) throw new UsageError(`memory "${memory}": a number and b, k, m or g, as in 2g`)
  return Number(digits) * 1024 ** 'bkmg'.indexOf(unit?.toLowerCase() || 'b')
}

async function make(name: string, prerequisites: Prerequisites, memory = '2g'): Promise<void> {
  await create(name, prerequisites, memory)
  await awaitReady(name, { bare: true })
}

async function discard(name: string): Promise<void> {
  const container = containerOf(name)
  await docker(['rm', '-f', '-v', container], { seconds: 180 }).catch(ignoreMissing)
  await docker(['volume', 'rm', '-f', container], { seconds: 180 }).catch(ignoreMissing)
}

function ignoreMissing(error: Error): void {
  if (!/no such/i.test(error.message)) throw error
}

async function resize(name: string, memory: string): Promise<void> {
  await docker(['update', '--memory', memory, '--memory-swap', memory, containerOf(name)])
}

function mustExist(name: string): void {
  const known = knownHosts()
  if (!known.includes(name)) throw new UsageError(`the sandbox has no host "${name}"${suggest(name, known)}`)
}

function lockOf(name: string): string {
  return join(home, `${containerOf(name)}.lock`)
}
