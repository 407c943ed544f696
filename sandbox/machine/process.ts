import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** A process as it cannot be mistaken for a later one with the same id: id and start time. Undefined when there is none. */
export function markOf(pid: number): string | undefined {
  // The name of the program is in brackets and may hold anything; the 20th field after it is the start time.
  const fields = statOf(pid)
    ?.replace(/^.*\) /s, '')
    .split(' ')
  return fields === undefined || fields[0] === 'Z' ? undefined : `${pid}-${fields[19]}`
}

export function isAlive(mark: string): boolean {
  return markOf(Number.parseInt(mark, 10)) === mark
}

/** Asks a process to end and waits until it has: true when it is gone. */
export async function end(mark: string, seconds: number): Promise<boolean> {
  if (isAlive(mark)) process.kill(Number.parseInt(mark, 10), 'SIGTERM')
  return waitUntil(seconds, async () => !isAlive(mark))
}

export async function waitUntil(seconds: number, condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + seconds * 1000
  while (!(await condition())) {
    if (performance.now() > deadline) return false
    await sleep(100)
  }
  return true
}

function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
}
