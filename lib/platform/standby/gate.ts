import { optDir, runDir, secretsDir, stateDir } from '../../model/host-layout.ts'
import type { HostEntry } from '../../model/role.ts'
import { mount } from '../../resources/compose.ts'

/*
 * Two hosts, of which one is the primary and the other its standby. What serves on either has a folder of the gate mounted, which is
 * in memory: after a boot there is none, so that Docker starts nothing by itself that another host may serve by now.
 */

/** By which the two hosts know each other's answers. */
export const pairKey = `${secretsDir}/pair`

export const gateProgram = `${optDir}/gate`
export const gateState = `${stateDir}/gate`
export const gateRun = `${runDir}/gate`
export const gateTimer = 'botgarden-gate.timer'
/** Of TCP: where a host answers its peer which of them it takes for the primary. */
export const gatePort = 51_821

type Gated = 'bots' | 'postgres'

/** A mount of what is there only while the gate is open: nothing is in it. */
export function gateMount(what: Gated): Record<string, unknown> {
  return mount(`${gateRun}/${what}`, '/run/botgarden-gate')
}

/** The host that is to take over from this one; undefined where none is. */
export function standbyOf({ vars }: Pick<HostEntry, 'vars'>): string | undefined {
  const { standby } = (vars?.postgres ?? {}) as { standby?: string }
  return standby
}
