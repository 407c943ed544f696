import { runDir } from '../../lib/model/host-layout.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { fileState, textOf } from '../../lib/resources/file-state.ts'
import { sh } from '../../lib/shell/sh.ts'
import { sha256Of } from '../../lib/std/sha256.ts'

/** Whether containers outlive the engine that runs; undefined where none runs. */
const running: Reading<boolean | undefined> = reading(
  {
    name: 'live-restore',
    script: () => sh`docker info --format '{{.LiveRestoreEnabled}}' 2>/dev/null || :`,
    parse: oneValue((output) => {
      const said = output.trim()
      return said === 'true' || said === 'false' ? said === 'true' : undefined
    }),
  } satisfies Kind<boolean | undefined>,
  'engine',
)

/**
 * The engine has read whether containers outlive it. A reload does for that, and no container is restarted. Where nothing else of its
 * configuration has changed, it runs the one on the disk from then on: `mark` is the checksum of that.
 */
export function liveRestore(wanted: boolean, path: string, mark: Reading<string | undefined>): Resource {
  return resource({
    id: 'docker:live-restore',
    wants: wanted,
    reads: { now: running, mark, text: textOf(path), onDisk: fileState(path) },
    plan: ({ now, mark: read, text = '', onDisk }) => {
      if (now === undefined || now === wanted || onDisk === 'absent') return []
      const before = text.replace(`"live-restore": ${wanted}`, `"live-restore": ${!wanted}`)
      const isAll = sha256Of(before) === read?.trim()
      const after = onDisk.sha256 ?? ''
      return [
        {
          summary: wanted
            ? 'have containers outlive the engine'
            : 'no container outlives the engine, as Swarm wants it',
          script: sh`
            systemctl reload docker.service
            for _ in $(seq 10); do
              [ "$(docker info --format '{{.LiveRestoreEnabled}}')" != ${String(wanted)} ] || break
              sleep 1
            done
            ${isAll ? sh`printf '%s\n' ${after} >${runDir}/docker.started-with` : sh`:`}`,
          predicts: [becomes(running, wanted), ...(isAll ? [becomes(mark, after)] : [])],
        },
      ]
    },
  })
}
