import { existsSync, mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { addressFault, git, gitSettings, shownAddress } from '../../lib/shell/git.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { checkout } from '../../lib/std/local-path.ts'
import { sha256Of } from '../../lib/std/sha256.ts'
import type { GitSource } from '../../roles/bot/spec/schema.ts'

/** What was fetched: the files of one commit, in a folder of their own until `remove`. */
export interface FetchedSource {
  readonly folder: string
  /** 40 or 64 hexadecimal digits. */
  readonly commit: string
  remove(): void
}

const cache = join(checkout, 'node_modules/.cache/botgarden-git')

/**
 * Fetches a repository to this machine and lays out the files of its ref. A bare copy is kept, so that the next time only what is
 * new comes. Nothing of it is run: no hook, no filter, no submodule. Throws an `InventoryError` that begins with `key`.
 */
export async function fetchSource(
  { git: address, ref = 'HEAD', path = '.' }: GitSource,
  key: string,
): Promise<FetchedSource> {
  const commit = await fetched(address, ref, key)
  const place = mkdtempSync(join(tmpdir(), 'botgarden-source-'))
  const remove = () => rmSync(place, { recursive: true, force: true })
  try {
    const tree = join(place, 'files')
    mkdirSync(tree)
    await layOut(repositoryOf(address), commit, tree, key)
    const folder = join(tree, path)
    if (!existsSync(folder))
      throw new InventoryError(`${key}.source: ${shownAddress(address)} has no folder ${path} at ${ref}`)
    refuseWayOut(tree, key)
    return { folder, commit, remove }
  } catch (error) {
    remove()
    throw error
  }
}

/** The commit of a folder that is a work tree of git's with nothing changed in it; undefined where it is not. */
export async function commitOf(folder: string): Promise<string | undefined> {
  const ask = git({ seconds: 60 })
  const head = await ask`git ${gitSettings} -C ${folder} rev-parse --verify --quiet HEAD`
  if (head.exitCode !== 0) return undefined
  const changed = await ask`git ${gitSettings} -C ${folder} status --porcelain -- .`
  return changed.exitCode === 0 && changed.stdout === '' ? head.stdout.trim() : undefined
}

function repositoryOf(address: string): string {
  return join(cache, sha256Of(address).slice(0, 16))
}

async function fetched(address: string, ref: string, key: string): Promise<string> {
  const fault = addressFault(address)
  if (fault !== undefined) throw new InventoryError(`${key}.source.git: ${fault}`)
  const repository = repositoryOf(address)
  mkdirSync(cache, { recursive: true, mode: 0o700 })
  // Two runs at a time would take each other's FETCH_HEAD.
  return withLock(`${repository}.lock`, 900, async () => {
    const run = git({ seconds: 900 })
    const isThere = existsSync(join(repository, 'HEAD'))
    // A commit never changes.
    if (isThere && (await holds(repository, ref))) return ref
    if (!isThere) await run`git ${gitSettings} init --quiet --bare ${repository}`
    const options = ['--depth', '1', '--no-tags', '--no-recurse-submodules', '--no-write-commit-graph', '--force']
    const { exitCode, stderr } =
      await run`git ${gitSettings} --git-dir ${repository} fetch ${options} -- ${address} ${ref}`
    if (exitCode !== 0)
      throw new InventoryError(`${key}.source: git cannot fetch ${ref} of ${shownAddress(address)}:\n${stderr.trim()}`)
    const { stdout } = await run`git ${gitSettings} --git-dir ${repository} rev-parse --verify FETCH_HEAD^{commit}`
    const commit = stdout.trim()
    // What no ref holds git may throw away.
    await run`git ${gitSettings} --git-dir ${repository} update-ref refs/botgarden/${sha256Of(ref).slice(0, 16)} ${commit}`
    return commit
  })
}

async function holds(repository: string, ref: string): Promise<boolean> {
  if (!/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(ref)) return false
  return (
    (await git({ seconds: 60 })`git ${gitSettings} --git-dir ${repository} cat-file -e ${`${ref}^{commit}`}`)
      .exitCode === 0
  )
}

async function layOut(repository: string, commit: string, tree: string, key: string): Promise<void> {
  const run = git({ seconds: 300, index: `${tree}.index` })
  const { exitCode, stderr } =
    await run`git ${gitSettings} --git-dir ${repository} --work-tree ${tree} checkout --quiet --force ${commit} -- .`
  if (exitCode !== 0) throw new InventoryError(`${key}.source: git cannot lay out ${commit}:\n${stderr.trim()}`)
}

/** A link of a stranger's that leads out of the tree would have a file of this machine read in place of one of the bot's. */
function refuseWayOut(tree: string, key: string): void {
  const root = realpathSync(tree)
  const links = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isSymbolicLink())
  for (const link of links) {
    const path = join(link.parentPath, link.name)
    const leads = target(path)
    if (leads === undefined || leads === root || leads.startsWith(`${root}/`)) continue
    throw new InventoryError(`${key}.source: ${relative(root, path)} is a link that leads out of the repository`)
  }
}

/** Where a link leads; undefined: nowhere. */
function target(path: string): string | undefined {
  try {
    return realpathSync(path)
  } catch {
    return undefined
  }
}
