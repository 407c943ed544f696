import { randomBytes } from 'node:crypto'
import { hostname, userInfo } from 'node:os'
import { runDir } from '../model/host-layout.ts'
import { quote } from '../shell/sh.ts'
import { markCommand } from '../ssh/framing.ts'
import { HostError } from '../std/errors.ts'
import { stepsFolder } from './step-output.ts'

/** How a run takes the lock of a host. */
export interface LockRequest {
  /** Who runs what, as other runs show it: `ops@laptop, site.ts`. */
  readonly holder: string
  /** Wait for the run that holds the host, rather than fail. */
  readonly wait: boolean
  /** Tells its changes from those of others in the record of events. */
  readonly run?: string
}

/** Another run is changing the host. */
export class Busy extends HostError {}

export function lockRequestOf(playbook: string, wait: boolean): LockRequest {
  return {
    holder: `${userInfo().username}@${hostname()}, ${playbook}.ts`,
    wait,
    run: randomBytes(4).toString('hex'),
  }
}

/**
 * For the shell of the connection itself, outside of any request: the lock's file stays open as long as the connection
 * does, and the kernel frees the lock with it.
 */
export const openLock = `[ -e /proc/$$/fd/9 ] || { (umask 077; mkdir -p ${runDir}) && exec 9>>${runDir}/lock; }`

/**
 * Shell text that takes the lock, or ends with 75. Marks: `held`, then who holds it, and `taken`. Two locks in one: the
 * connection's, and that of a long step, which may have outlived the connection it was started by.
 */
export function takeLock({ holder, wait }: LockRequest, nonce: string): string {
  return `exec 8>>${runDir}/step
for fd in 9 8; do
flock -n $fd && continue
${markCommand(nonce, 'held')}
cat ${runDir}/holder 2>/dev/null
${wait ? 'flock $fd' : 'exit 75'}
done
# No step is running now: what is here was left by a run whose connection was cut.
rm -rf ${stepsFolder}
exec 8>&-
${markCommand(nonce, 'taken')}
who=${quote(holder)}; since=$(date -u '+%F %T UTC')
holding() { printf '%s, since %s, at %s\\n' "$who" "$since" "$1" >${runDir}/holder.new; mv -f ${runDir}/holder.new ${runDir}/holder; }
holding 'the beginning'`
}

/**
 * Shell text that puts a script under the lock of long steps for as long as it runs; its children do not inherit it. Steps that
 * run side by side share it, and no other run gets it before all have ended.
 */
export function underStepLock(script: string): string {
  return `exec 8>>${runDir}/step\nflock -s 8\n(\n${script}\n) 8>&-`
}

/** What another run's `holder` file says, for people. */
export function heldBy(text: string): string {
  return text.trim() || 'a run that has just begun'
}
