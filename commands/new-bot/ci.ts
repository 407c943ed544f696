import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { addressFault, git, gitSettings } from '../../lib/shell/git.ts'
import { localFault } from '../../lib/shell/local.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { checkout } from '../../lib/std/local-path.ts'
import { workflow } from './workflow.ts'

interface Wanted {
  readonly bot: string
  /** The folder of the bot, in a repository of its own. */
  readonly folder: string
  readonly system: string
  /** The address of botgarden's repository; left out: where this checkout came from. */
  readonly botgarden: string | undefined
}

/** Writes the workflow that releases a bot from its own repository. Returns what is to be said. Throws a `UsageError`. */
export async function writeWorkflow({ bot, folder, system, botgarden }: Wanted): Promise<string> {
  if (system !== 'github') throw new UsageError(`--ci: should be github, found "${system}"`)
  if (!existsSync(join(folder, 'bot.yaml')))
    throw new UsageError(`--in: no bot at ${folder}: ${existsSync(folder) ? 'no bot.yaml in it' : 'no such folder'}`)
  const top = await said('-C', folder, 'rev-parse', '--show-toplevel')
  if (top === undefined) throw new UsageError(`--in: ${folder} is in no repository of git: git init ${folder}`)
  if (resolve(top) === checkout)
    throw new UsageError(
      `--in: ${folder} is a part of this checkout: its workflow belongs into a repository of the bot's own, or of yours`,
    )
  const address = botgarden ?? (await said('-C', checkout, 'remote', 'get-url', 'origin'))
  const fault = address === undefined ? 'is missing, since this checkout has no origin' : addressFault(address)
  if (address === undefined || fault !== undefined) throw new UsageError(`--botgarden: ${fault}`)
  if (!/^[\w:/@.~+-]+$/.test(address)) throw new UsageError(`--botgarden: ${address}: cannot be named in a workflow`)
  const commit = await said('-C', checkout, 'rev-parse', 'HEAD')
  if (commit === undefined) throw new UsageError('this checkout of botgarden has no commit that a workflow could run')
  const path = relative(resolve(top), resolve(folder)) || '.'
  if (!/^[\w./-]+$/.test(path))
    throw new UsageError(`--in: ${path}: a folder of letters, digits, ".", "-" and "_" is needed here`)
  const branch = (await said('-C', folder, 'symbolic-ref', '--short', 'HEAD')) ?? 'main'
  if (!/^[\w./-]+$/.test(branch)) throw new UsageError(`--in: the branch ${branch} cannot be named in a workflow`)
  const file = join(top, '.github/workflows', path === '.' ? 'deploy.yml' : `deploy-${bot}.yml`)
  write(file, workflow({ bot, path, botgarden: address, commit, branch }))
  return whatIsLeft(bot, file, address, commit)
}

/** What git prints; undefined where it fails. */
async function said(...words: readonly string[]): Promise<string | undefined> {
  const { exitCode, stdout } = await git({ seconds: 60 })`git ${gitSettings} ${words}`
  return exitCode === 0 && stdout.trim() !== '' ? stdout.trim() : undefined
}

function write(file: string, text: string): void {
  if (existsSync(file)) {
    if (readFileSync(file, 'utf8') === text) return
    throw new UsageError(`${file} is there already, and is another one: remove it first`)
  }
  try {
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { flag: 'wx' })
  } catch (error) {
    throw localFault(error)
  }
}

function whatIsLeft(bot: string, file: string, address: string, commit: string): string {
  return `${file} releases ${bot} whenever its branch is pushed to, by botgarden of ${address} at ${commit.slice(0, 12)}.

What is left, as docs/ci.md says:

1. a key of its own for CI, let in on the host: ssh-keygen -t ed25519 -N '' -f ci-key
     in the inventory  base: { admin: { name: ci, keys: ['<ci-key.pub>'] } }, then site.ts

2. three secrets of the repository
     BOTGARDEN_SSH_KEY      the file ci-key
     BOTGARDEN_KNOWN_HOSTS  what this prints, from the key that you compared once: ssh-keygen -F HOST
     BOTGARDEN_INVENTORY    your inventory, where "ssh:" is an address like ci@203.0.113.7 and no alias
`
}
