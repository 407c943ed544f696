import { meshFile, meshInterface, meshKey, meshUnit } from '../../lib/model/mesh.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'

/** A host that is in no mesh any more. The file goes last, so that a removal that was cut is made again. */
export function noMesh(): Resource {
  const now = fileState(meshFile)
  return resource({
    id: 'mesh:absent',
    wants: 'absent',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent') return []
      const script = sh`
        systemctl disable --now --quiet ${meshUnit} 2>/dev/null || :
        ip link delete ${meshInterface} 2>/dev/null || :
        systemctl reset-failed ${meshUnit} 2>/dev/null || :
        rm -f ${meshKey}
        rm -f ${meshFile}`
      return [{ summary: 'leave the mesh', script, predicts: [becomes(now, 'absent' as const)] }]
    },
  })
}
