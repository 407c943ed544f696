import { existsSync, rmSync } from 'node:fs'
import { local } from '../../lib/shell/local.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'

/** Whether it is the address of a repository rather than a folder. */
export function isAddress(place: string): boolean {
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(place) || /^[\w.-]+@[\w.-]+:/.test(place) || place.includes('::')
}

/** Clones the newest commit into a folder that is not there yet. Nothing of the repository is run: no hooks, no submodules, no filters. */
export async function clone(address: string, folder: string): Promise<void> {
  if (!/^(https|ssh):\/\/[^\s-][^\s]*$|^[\w.][\w.-]*@[\w.][\w.-]*:[^\s]+$/.test(address))
    throw new UsageError(`--adopt: should be a folder, https://…, ssh://… or git@HOST:PATH, found "${address}"`)
  if (/^https:\/\/[^/]*@/.test(address))
    throw new UsageError(
      '--adopt: has a user or a password in the URL, which every process here could read: use ssh, or a credential helper of git',
    )
  const { GIT_DIR: _, GIT_WORK_TREE: __, GIT_INDEX_FILE: ___, ...around } = process.env
  const env = {
    ...around,
    ...{ GIT_TERMINAL_PROMPT: '0', GIT_ALLOW_PROTOCOL: 'https:ssh', GIT_LFS_SKIP_SMUDGE: '1', GIT_TEMPLATE_DIR: '' },
  }
  // A link on the way to a file would be followed by whoever writes there; as plain files links are harmless.
  const settings = ['core.hooksPath=/dev/null', 'core.symlinks=true', 'submodule.recurse=false', 'core.fsmonitor=false']
  const options = settings.flatMap((each) => ['-c', each])
  const git = local({ env, nothrow: true, quiet: true })
  const { exitCode, stderr } =
    await git`git ${options} clone --depth 1 --no-recurse-submodules --no-tags -- ${address} ${folder}`
  if (exitCode === 0) return
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true })
  throw new HostError(`this machine: git cannot clone ${address}:\n${stderr.trim()}`)
}
