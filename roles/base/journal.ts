import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { startedWith } from '../../lib/resources/config-stamp.ts'
import { directory, file } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'

const folder = '/etc/systemd/journald.conf.d'
const path = `${folder}/botgarden.conf`
const service = 'systemd-journald.service'
const { mark, dropIn } = startedWith(service, 'journald', path)

/** Limits how much of the disk the journal uses, as `200M`; journald's default is a tenth of the disk. */
export function journal(maxUse: string): Resource[] {
  const content = `# Written by botgarden; changes made here are overwritten.\n[Journal]\nSystemMaxUse=${maxUse}\nRuntimeMaxUse=${maxUse}\n`
  return [directory(folder), file(path, { content }), ...dropIn, runningConfig()]
}

/** journald runs with these limits; programs that write to it keep their connection through the restart. */
function runningConfig(): Resource {
  return resource({
    id: 'journald:config',
    wants: path,
    reads: { mark, onDisk: fileState(path), daemon: unitState(service) },
    plan: ({ mark: running, onDisk, daemon }) => {
      const checksum = (onDisk !== 'absent' && onDisk.sha256) || ''
      if (daemon.active !== 'active' || running?.trim() === checksum) return []
      const script = sh`systemctl restart ${service}`
      return [{ summary: 'restart journald with its new limits', script, predicts: [becomes(mark, checksum)] }]
    },
  })
}
