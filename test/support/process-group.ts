import type { ChildProcess } from 'node:child_process'

/** SIGKILL to a process and all that it has started, where it leads a group of its own. One that has ended already is left. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
