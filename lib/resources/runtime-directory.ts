import { runDir } from '../model/host-layout.ts'
import type { Resource } from '../model/resource.ts'
import { directory, file } from './file.ts'

/**
 * The folder /run/botgarden/NAME, there before any container after each boot. Containers have it mounted: it must not be
 * replaced while they run, so it is created once, and only its attributes are corrected.
 */
export function runFolder(name: string, { mode = '0755', owner = 'root' } = {}): Resource[] {
  const path = `${runDir}/${name}`
  const content = `# Written by botgarden; changes made here are overwritten.
d ${runDir} 0700 root root -
d ${path} ${mode} ${owner} ${owner} -
`
  return [
    file(`/etc/tmpfiles.d/botgarden-${name}.conf`, { content }),
    // Its parent is there: a run that changes a host holds a lock in it.
    directory(path, { mode, owner, group: owner }),
  ]
}
