import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { HostError } from './errors.ts'

/** Runs one thing at a time, over all processes that name the same file; `onWait` is called when that takes a while. */
export async function withLock<T>(
  file: string,
  seconds: number,
  run: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  // The lock belongs to a child that lives as long as our end of its stdin: the kernel frees it however we die.
  const holder = spawn('flock', ['-w', String(seconds), file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  })
  let said = ''
  holder.stderr.on('data', (bytes: Buffer) => (said += bytes))
  const ended = once(holder, 'exit').catch(() => {
    throw new HostError('this machine: the program `flock` (util-linux) is missing')
  })
  const impatience = setTimeout(onWait, 2000)
  const held = await Promise.race([once(holder.stdout, 'data').then(() => true), ended.then(() => false)])
  clearTimeout(impatience)
  if (!held) throw new HostError(`this machine: ${said.trim() || `another run holds ${file}`}`)
  try {
    return await run()
  } finally {
    holder.stdin.end()
    await ended
  }
}
