import { existsSync, rmSync } from 'node:fs'
import { addressFault, git, gitSettings, shownAddress } from '../../lib/shell/git.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'

/** Whether it is the address of a repository rather than a folder. */
export function isAddress(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^[\w.-]+@[\w.-]+:/.test(place) || place.includes('::')
}

/** Clones the newest commit into a folder that is not there yet. Nothing of the repository is run: no hooks, no submodules. */
export async function clone(address: string, folder: string): Promise<void> {
  const fault = addressFault(address)
  if (fault !== undefined) throw new UsageError(`--adopt: ${fault.replace('should be ', 'should be a folder, ')}`)
  const options = ['--depth', '1', '--no-recurse-submodules', '--no-tags']
  const { exitCode, stderr } = await git({ seconds: 900 })`git ${gitSettings} clone ${options} -- ${address} ${folder}`
  if (exitCode === 0) return
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
  throw new HostError(`this machine: git cannot clone ${shownAddress(address)}:\n${stderr.trim()}`)
}
