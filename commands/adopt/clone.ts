import { existsSync, rmSync } from 'node:fs'
import { local } from '../../lib/shell/local.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'

/** Whether it is the address of a repository rather than a folder. */
export function isAddress(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^[\w.-]+@[\w.-]+:/.test(place) || place.includes('::')
}

/** Clones the newest commit into a folder that is not there yet. Nothing of the repository is run: no hooks, no submodules. */
export async function clone(address: string, folder: string): Promise<void> {
  // A password may stand in it.
  const shown = address.replace(/\/\/[^/@]*@/, '//***@')
  if (!/^(https|ssh):\/\/[^\s-][^\s]*$|^[\w.][\w.-]*@[\w.][\w.-]*:[^\s]+$/.test(address))
    throw new UsageError(`--adopt: should be a folder, https://…, ssh://… or git@HOST:PATH, found "${shown}"`)
  if (/^https:\/\/[^/]*@|^ssh:\/\/[^/]*:[^/]*@/.test(address))
    throw new UsageError(
      '--adopt: has a user or a password in the URL, which every process here could read: use ssh, or a credential helper of git',
    )
  const git = local({ env: environment(), nothrow: true, quiet: true })
  const { exitCode, stderr } =
    await git`git -c core.hooksPath=/dev/null clone --depth 1 --no-recurse-submodules --no-tags -- ${address} ${folder}`
  if (exitCode === 0) return
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
  throw new HostError(`this machine: git cannot clone ${shown}:\n${stderr.trim()}`)
}

/** Asks nobody for a password, and knows neither another protocol nor the repository that it is called in. */
function environment(): NodeJS.ProcessEnv {
  const around = Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE)$/.test(name))
  const own = {
    GIT_TERMINAL_PROMPT: '0',
    GIT_ALLOW_PROTOCOL: 'https:ssh',
    GIT_LFS_SKIP_SMUDGE: '1',
    GIT_TEMPLATE_DIR: '',
  }
  return { ...Object.fromEntries(around), ...own }
}
