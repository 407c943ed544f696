import { durationText } from '../std/duration.ts'
import type { Finding } from './finding.ts'
import type { ContainerHealth } from './state.ts'
import { thresholds } from './thresholds.ts'

/** What is wrong with one container. `what` begins with its name; `now` is the clock of the host in milliseconds. */
export function containerFindings(
  name: string,
  state: ContainerHealth | 'absent',
  now: number,
  { repair, look }: { repair: string; look: string },
): Finding[] {
  if (state === 'absent') return [{ level: 'error', id: 'container', what: `${name} is not there`, next: repair }]
  const { status, health, restarts, startedAt, memoryMB, limitMB, outOfMemory, exitCode } = state
  const since = now - startedAt
  const found: Finding[] = []
  const { restartLoop, recentRestart, starting, containerMemory } = thresholds
  const isLoop = restarts >= restartLoop.restarts && since < restartLoop.within
  if (isLoop || status === 'restarting')
    found.push({
      level: 'error',
      id: 'restart-loop',
      what: `${name} ends and is started again: ${restarts} times`,
      next: look,
    })
  else if (status !== 'running')
    found.push({
      level: 'error',
      id: 'container',
      what: `${name} does not run: ${status}, exit code ${exitCode}`,
      next: repair,
    })
  else if (health === 'unhealthy')
    found.push({ level: 'error', id: 'health', what: `${name} is unhealthy`, next: look })
  else if (health === 'starting' && since > starting)
    found.push({
      level: 'warning',
      id: 'health',
      what: `${name} is not ready after ${durationText(since)}`,
      next: look,
    })
  else if (restarts > 0 && since < recentRestart)
    found.push({
      level: 'warning',
      id: 'restarted',
      what: `${name} was started again ${durationText(since)} ago`,
      next: look,
    })
  if (outOfMemory)
    found.push({
      level: 'error',
      id: 'out-of-memory',
      what: `${name} has met its limit of ${limitMB} MB, and was killed`,
      next: look,
    })
  else if (memoryMB !== undefined && limitMB > 0 && (100 * memoryMB) / limitMB >= containerMemory.warning)
    found.push({
      level: 'warning',
      id: 'container-memory',
      what: `${name} has ${Math.round(memoryMB)} MB of its limit of ${limitMB} MB`,
      next: look,
    })
  return found
}
