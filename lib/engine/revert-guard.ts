import type { Guard } from '../model/resource.ts'
import { quote, type Script, sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'
import { envSeconds } from '../std/env-seconds.ts'
import { guardFolder, takeBack, takeBackUnit } from './revert-script.ts'
import type { Step } from './step.ts'

const armFunctions = shellFile(new URL('guard-arm.sh', import.meta.url))

/** How long the host waits for a confirmation before it reverts a guarded change, in seconds. */
export function guardSeconds(): number {
  return envSeconds('BOTGARDEN_GUARD_SECONDS', 60)
}

/** The steps, with one before the first guarded one that keeps the old files and starts the timer. */
export function withGuard(steps: readonly Step[]): Step[] {
  const first = steps.findIndex((step) => step.guards.length > 0)
  if (first < 0) return [...steps]
  const guards = new Map(steps.flatMap((step) => step.guards).map((guard) => [guard.name, guard]))
  const title = `guard: keep the old ${[...guards.keys()].join(' and ')}, to be reverted in ${guardSeconds()} s unless confirmed`
  const arm: Step = { changes: [], title, script: armScript([...guards.values()]), long: false, guards: [] }
  return steps.toSpliced(first, 0, arm)
}

/**
 * Confirms the guarded changes: prints the verdict. One rename decides between this and the host's own timer: only one of
 * them finds `armed`.
 */
export const confirmScript = shellFile(new URL('guard-confirm.sh', import.meta.url))

/** Reverts the guarded changes now, and prints the verdict. */
export const revertScript = sh`
  systemctl start botgarden-guard.service
  # On its way down, systemd starts nothing any more, and a change that is not reverted would pass for confirmed.
  [ ! -e ${guardFolder}/armed ] || sh ${guardFolder}/take-back
  ${confirmScript}`

/**
 * Reverts what an earlier run left unconfirmed, and removes the rest of its files. Only the holder of the lock may do so: no
 * other run can then still confirm it.
 */
export const revertOrphan = sh`[ ! -e ${guardFolder} ] || { ${revertScript}
  } >/dev/null`

/**
 * Shell text of a guarded step: it does not begin once its change has been reverted, and is ended where it still runs
 * then. Otherwise it would change the old files, and that would not be reverted.
 */
export function underGuard(script: string): string {
  const late = `the host has reverted it: it was not confirmed within ${guardSeconds()} s ($BOTGARDEN_GUARD_SECONDS)`
  return `[ -e ${guardFolder}/armed ] || { echo ${quote(late)}; exit 1; }\n${script}`
}

function armScript(guards: readonly Guard[]): Script {
  const paths = guards.flatMap((guard) => guard.paths.map((path) => path.replace(/^\//, '')))
  const notes = guards.map((guard) => guard.note?.text ?? ':').join('\n')
  const restore = guards.map((guard) => guard.restore.text).join('\n')
  const { text } = sh`
    ${armFunctions}
    keep_old ${paths}
    ${{ text: notes, shown: '' }}
    printf %s ${encoded(restore)} | base64 -d >"$new/restore"
    printf %s ${encoded(takeBack)} | base64 -d >"$new/take-back"
    arm ${guardSeconds()} "$(printf %s ${encoded(takeBackUnit)} | base64 -d)"`
  return { text, shown: `keep ${paths.map((path) => `/${path}`).join(' ')}` }
}

function encoded(text: string): string {
  return Buffer.from(text).toString('base64')
}
