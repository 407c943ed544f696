import { existsSync } from 'node:fs'
import { UsageError } from '../lib/std/errors.ts'
import { ensureBackupKey, hasBackupKey } from './backup-key.ts'
import { repository } from './images/cache.ts'
import { inventoryFor } from './inventory.ts'
import { see } from './machine/inspect.ts'
import { paths } from './machine/paths.ts'
import type { Progress } from './machine/progress.ts'
import { writeAtomic } from './machine/write-atomic.ts'
import { askStandIns } from './services/asked-stand-ins.ts'
import { partNames } from './services/index.ts'
import { mirrorName } from './services/registry.ts'
import { telegramIsHere } from './services/telegram.ts'
import { bytesOf, ensureVps } from './vps/index.ts'
import { preparePrerequisites } from './vps/prerequisites.ts'
import { isReady } from './vps/ssh-access.ts'

/** Starts vps1 … vpsN and the services beside them. Where all is up already, that is one request to Docker. */
export async function up(options: {
  hosts?: number
  memory?: string
  standIns?: readonly string[]
  progress: Progress
}): Promise<void> {
  const { hosts = 1, memory, standIns = [], progress } = options
  if (!Number.isInteger(hosts) || hosts < 1 || hosts > 40) throw new UsageError(`hosts: 1 to 40, not ${hosts}`)
  const names = Array.from({ length: hosts }, (_, index) => `vps${index + 1}`)
  await askStandIns(standIns)
  if (!(await isUp(names, memory))) {
    const prerequisites = await preparePrerequisites(progress)
    await ensureBackupKey()
    // Two at a time: a boot is work for a core, and more of them at once only time each other out.
    for (let first = 0; first < hosts; first += 2) {
      await Promise.all(
        names
          .slice(first, first + 2)
          .map((name) => ensureVps(name, prerequisites, { memory, tun: hosts > 1 }, progress)),
      )
    }
  }
  if (options.hosts !== undefined) writeAtomic(paths.inventory, inventoryFor(names))
}

async function isUp(names: readonly string[], memory: string | undefined): Promise<boolean> {
  const bytes = memory === undefined ? undefined : bytesOf(memory)
  const made = [paths.sshConfig, paths.acmeCa, ...(telegramIsHere ? [paths.telegramCa] : [])]
  if (!made.every((path) => existsSync(path)) || !hasBackupKey()) return false
  const all = [...partNames, ...names]
  const seen = await see(all)
  return all.every((name) => {
    const part = seen.get(name)
    if (!part?.running || !part.connected) return false
    if (name === 'mirror') return part.image.startsWith(`${repository}/${mirrorName()}:`)
    return partNames.includes(name) || (isReady(name, part) && (bytes ?? part.memory) === part.memory)
  })
}
