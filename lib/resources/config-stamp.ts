import { runDir } from '../model/host-layout.ts'
import type { Reading } from '../model/reading.ts'
import type { Resource } from '../model/resource.ts'
import { type FileState, fileState, textOf } from './file-state.ts'
import { dropIn, dropInPath } from './unit.ts'

/** How a run tells whether a daemon still runs an old configuration. */
export interface StartedWith {
  /** The checksum (SHA-256, hexadecimal) of all these files in a row, as they were when the daemon read them last. */
  readonly mark: Reading<string | undefined>
  /** Makes the unit write it: must come before the resource that starts the unit. */
  readonly dropIn: readonly Resource[]
  /** Whether the unit writes it: the file of the drop-in. */
  readonly dropInFile: Reading<FileState>
}

/**
 * A drop-in by which a unit notes at every start what it was configured with; `reloads`: at every reload too; `more`: what
 * else the drop-in says. `files`: paths and globs, in the shell's terms.
 */
export function startedWith(
  unit: string,
  name: string,
  files: string,
  { reloads = false, more = '' } = {},
): StartedWith {
  const path = `${runDir}/${name}.started-with`
  // No failure of it may keep a daemon down.
  const note = `-/bin/sh -c 'mkdir -p -m 0700 ${runDir} && cat ${files} 2>/dev/null | sha256sum | cut -c 1-64 >${path}'`
  const content = `# Written by botgarden; changes made here are overwritten.
[Service]
# Which configuration this daemon runs with: a run compares it with what is on the disk.
ExecStartPre=${note}
${reloads ? `ExecReload=${note}\n` : ''}${more}`
  return {
    mark: textOf(path),
    dropIn: dropIn(unit, 'botgarden', content),
    dropInFile: fileState(dropInPath(unit, 'botgarden')),
  }
}
