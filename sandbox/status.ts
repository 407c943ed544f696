import { answers } from './machine/docker-daemon.ts'
import { see } from './machine/inspect.ts'
import { partNames } from './services/index.ts'
import { knownHosts } from './vps/ssh-access.ts'

/** One part of the sandbox, as it is now. */
export interface PartStatus {
  readonly name: string
  readonly state: 'running' | 'stopped' | 'missing'
  readonly memory: number | undefined
  /** Where its sshd is reached from this machine. */
  readonly port: number | undefined
}

/** What there is of this checkout's sandbox; undefined when no Docker daemon answers. */
export async function status(): Promise<PartStatus[] | undefined> {
  if (!(await answers())) return undefined
  const names = [...partNames, ...knownHosts()]
  const seen = await see(names)
  return names.map((name) => {
    const part = seen.get(name)
    const state = part === undefined ? 'missing' : part.running ? 'running' : 'stopped'
    return { name, state, memory: part?.memory || undefined, port: part?.port }
  })
}
