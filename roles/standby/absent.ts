import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { gateProgram, gateState, gateTimer, pairKey } from '../../lib/platform/standby/gate.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { parsePrimaryRecord, primaryRecordPath } from './primary-record.ts'
import { gateUnits, unitFile } from './units.ts'

/**
 * A host that is in no pair any more. One that another has taken over from does not serve again by that. What containers have mounted
 * of the gate stays until a boot: by then they are made without it. The timer's file goes last, so that a removal that was cut is made again.
 */
export function noGate(host: string): Resource {
  const [now, text] = [fileState(unitFile(gateTimer)), textOf(primaryRecordPath)]
  return resource({
    id: 'gate:absent',
    wants: 'absent',
    reads: { now, text },
    plan: ({ now: state, text: written }) => {
      if (state === 'absent') return []
      const record = parsePrimaryRecord(written ?? '')
      if (record !== undefined && record.primary !== host)
        throw new HostError(
          `${host} is not the primary: ${record.primary} is, since epoch ${record.epoch}, and the inventory names no standby for it: write "postgres: { standby: ${host} }" for ${record.primary}; to have ${host} be a host of its own again: rm ${primaryRecordPath} there, and run this again`,
        )
      const script = sh`
        systemctl disable --now --quiet ${gateTimer} ${gateUnits.socket} 2>/dev/null || :
        systemctl stop ${gateUnits.service} 2>/dev/null || :
        rm -rf ${gateProgram} ${gateState} ${pairKey} ${primaryRecordPath}
        rm -f ${unitFile(gateUnits.socket)} ${unitFile(gateUnits.answer)} ${unitFile(gateUnits.service)} ${unitFile(gateTimer)}
        systemctl daemon-reload`
      return [
        { summary: 'be a host of its own: no gate, no peer', script, predicts: [becomes(now, 'absent' as const)] },
      ]
    },
  })
}
