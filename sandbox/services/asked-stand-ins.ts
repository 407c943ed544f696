import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { UsageError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { furtherStandIns } from '../images/index.ts'
import { home, paths } from '../machine/paths.ts'
import { writeAtomic } from '../machine/write-atomic.ts'

/** The names of the further stand-ins that the registry is to have. */
export function askedStandIns(): string[] {
  return existsSync(paths.standIns) ? JSON.parse(readFileSync(paths.standIns, 'utf8')) : []
}

/** Adds some, for as long as the sandbox is there. */
export async function askStandIns(names: readonly string[]): Promise<void> {
  const known = Object.keys(furtherStandIns)
  for (const name of names) {
    if (!known.includes(name))
      throw new UsageError(`no stand-in "${name}"${suggest(name, known)}: one of ${known.join(', ')}`)
  }
  if (names.length === 0) return
  mkdirSync(home, { recursive: true, mode: 0o700 })
  await withLock(`${paths.standIns}.lock`, 60, async () => {
    writeAtomic(paths.standIns, JSON.stringify([...new Set([...askedStandIns(), ...names])].sort()))
  })
}
