import type { Facts } from '../../lib/facts.ts'
import { file } from '../../lib/file.ts'
import { becomes, ofMachine, type Resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'
import { swapFile } from '../../lib/swap.ts'
import { unit, unitState } from '../../lib/unit.ts'

const path = '/swapfile'
const unitName = 'swapfile.swap'

/** Something to swap to, so that a build or a busy hour does not end in the OOM killer. In MiB; 0: none of ours. */
export function swap(sizeMiB: number | undefined, facts: Facts): Resource[] {
  const size = sizeMiB ?? swapFor(facts.memoryMiB)
  if (size === 0) return []
  const loaded = { load: 'loaded', active: 'active', enabled: 'disabled', needsReload: false } as const
  return [
    swapFile(path, size, facts),
    ...[
      // Not a line of fstab, which others write to as well.
      file(`/etc/systemd/system/${unitName}`, {
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
    ].map((each) => ofMachine(each, facts)),
  ]
}

/** As much as the host has memory, in whole GiB, between one and two: more is a host that swaps itself to death. */
export function swapFor(memoryMiB: number): number {
  return Math.min(Math.max(Math.ceil(memoryMiB / 1024), 1), 2) * 1024
}
