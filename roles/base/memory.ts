import { notInContainer, when } from '../../lib/model/combinators.ts'
import type { Facts } from '../../lib/model/facts.ts'
import { becomes, type Read, type Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'
import { fileState } from '../../lib/resources/file-state.ts'
import { swapFile, swapState } from '../../lib/resources/swap.ts'
import { unit, unitState } from '../../lib/resources/unit.ts'
import { sh } from '../../lib/shell/sh.ts'

const path = '/swapfile'
const unitName = 'swapfile.swap'

const unitFile = `/etc/systemd/system/${unitName}`

/** A swap file, so that a build or a busy hour does not meet the OOM killer. In MiB; 0: none. */
export function swap(sizeMiB: number | undefined, facts: Facts): Resource[] {
  const size = sizeMiB ?? swapFor(facts.memoryMiB)
  if (size === 0) return []
  const loaded = { load: 'loaded', active: 'active', enabled: 'disabled', needsReload: false } as const
  return [
    swapFile(path, size, facts),
    // A unit, not a line of fstab, which other programs write to.
    file(unitFile, {
      content: `# Written by botgarden; changes made here are overwritten.
[Unit]
Description=Swap file

[Swap]
What=${path}

[Install]
WantedBy=swap.target
`,
      afterwards: sh`systemctl daemon-reload`,
      predicts: [becomes(unitState(unitName), loaded)],
    }),
    unit(unitName, 'running'),
  ].map((each) => notInContainer(unlessElsewhere(each, sizeMiB === undefined ? size : 'any'), facts))
}

/** Only where the host has no other swap; a swap file of ours has this size, or our unit beside it. */
function unlessElsewhere(inner: Resource, ours: number | 'any'): Resource {
  const [now, mark] = [swapState(path), fileState(unitFile)]
  const isWanted = (read: Read) => {
    const { active, fileMiB } = read(now)
    const isOurs = ours === 'any' || fileMiB === ours || read(mark) !== 'absent'
    return path in active ? isOurs : Object.keys(active).length === 0
  }
  return when([now, mark], isWanted, inner)
}

/** As large as the memory, in whole GiB, between one and two: with more a host would swap until it does not respond. */
export function swapFor(memoryMiB: number): number {
  return Math.min(Math.max(Math.ceil(memoryMiB / 1024), 1), 2) * 1024
}
