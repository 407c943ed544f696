import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'
import { programDir, serviceFile, serviceUnit, timerFile, timerUnit, tokenFile, watchState } from './paths.ts'

/** A host that nothing watches. The file of the timer tells: it goes last, so that a removal that was cut is made again. */
export function notWatched(): Resource {
  const now = fileState(timerFile)
  return resource({
    id: 'watch:absent',
    wants: 'absent',
    reads: { now },
    plan: ({ now: state }) => {
      if (state === 'absent') return []
      const script = sh`
        systemctl disable --now --quiet ${timerUnit} 2>/dev/null || :
        systemctl stop ${serviceUnit} 2>/dev/null || :
        rm -rf ${programDir} ${watchState} /run/botgarden/watch
        rm -f ${tokenFile} ${serviceFile} ${timerFile}
        systemctl daemon-reload`
      return [{ summary: 'stop the watch and remove it', script, predicts: [becomes(now, 'absent' as const)] }]
    },
  })
}
