import type { HostHealth } from '../../lib/health/state.ts'
import { upgradeFault } from '../../lib/health/upgrade-fault.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { lines } from '../../lib/shell/sh.ts'
import { shellFile } from '../../lib/shell/shell-file.ts'

/** What the kernel and systemd say of a host. */
export interface HostReading {
  readonly uptimeSeconds: number
  readonly load: number
  readonly memory: { readonly totalMB: number; readonly availableMB: number }
  readonly disks: readonly Disk[]
  readonly failedUnits: readonly string[]
  /** Undefined where the rules cannot be read. */
  readonly firewall?: boolean
  /** Why the last night's updates failed; left out where they did not. */
  readonly upgradeFault?: string
}

type Disk = HostHealth['disks'][number]

const script = lines([upgradeFault, shellFile(new URL('host.sh', import.meta.url))])

const kind: Kind<HostReading> = {
  name: 'host',
  volatile: true,
  cost: 40,
  script: () => script,
  parse: oneValue(parseHost),
}

export const hostReading: Reading<HostReading> = reading(kind, 'host')

function parseHost(output: string): HostReading {
  const number = (word: string) => Number(new RegExp(`^${word} ([\\d.]+)$`, 'm').exec(output)?.[1] ?? 0)
  const [, fault] = /^upgrades (.+)$/m.exec(output) ?? []
  const [, policy] = /^firewall (\w+)$/m.exec(output) ?? []
  const disks = [...output.matchAll(/^disk (\/\S*) +(\d+) +(\d+) +(\d+|-) +(\d+|-)$/gm)].map(
    ([, path = '', size, available, inodes, free]) => ({
      path,
      sizeMB: Number(size),
      used: share(Number(size), Number(available)),
      // Some file systems have no such number.
      inodesUsed: inodes === '-' || free === '-' ? 0 : share(Number(inodes), Number(free)),
    }),
  )
  return {
    uptimeSeconds: number('uptime'),
    load: number('load'),
    memory: { totalMB: Math.round(number('MemTotal') / 1024), availableMB: Math.round(number('MemAvailable') / 1024) },
    // Folders of one file system are one disk: it has one size and one number of each.
    disks: disks.filter((disk, i) => disks.findIndex((other) => isSame(disk, other)) === i),
    failedUnits: [...output.matchAll(/^failed (\S+)$/gm)].map(([, unit = '']) => unit),
    ...(policy !== undefined && { firewall: policy !== 'ACCEPT' }),
    ...(fault !== undefined && { upgradeFault: fault }),
  }
}

/** Mounts of one file system are read one after the other, while others write to it. */
function isSame(one: Disk, other: Disk): boolean {
  const isNear = (a: number, b: number) => Math.abs(a - b) < 0.01
  const isLike = isNear(one.used, other.used) && isNear(one.inodesUsed, other.inodesUsed)
  return one.path === other.path || (one.sizeMB === other.sizeMB && isLike)
}

function share(whole: number, left: number): number {
  return whole === 0 ? 0 : 1 - left / whole
}
