import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { UsageError } from '../lib/errors.ts'
import { main } from '../lib/main.ts'
import { scriptArguments } from '../lib/options.ts'
import { suggest } from '../lib/suggest.ts'
import { down, type PartStatus, sshConfigFor, status, up } from '../sandbox/index.ts'

const usage = `A throwaway Debian VPS on this machine, for trying botgarden out and for its tests.

  npx zx playbooks/sandbox.ts up [--hosts N] [--memory 1g]   boot vps1 … vpsN (default: one, with 2g)
  npx zx playbooks/sandbox.ts status                         what runs, and where
  npx zx playbooks/sandbox.ts ssh [HOST] [-- COMMAND]        a shell on HOST (default: vps1), or one command
  npx zx playbooks/sandbox.ts down [--images]                remove all of it; --images: the cached images too
`
const flagsOf = { up: ['hosts', 'memory'], status: [], ssh: [], down: ['images'] } as const
type Action = keyof typeof flagsOf

await main(async () => sandbox(scriptArguments(process.argv, process.env, 'sandbox.ts')))

async function sandbox(argv: readonly string[]): Promise<number> {
  const { flags, words, command } = parse(argv)
  if (flags.help) return print(usage)
  const action = actionOf(words.shift())
  refuseStray(action, Object.keys(flags), words, command)
  const progress = (line: string) => void process.stderr.write(`${line}\n`)
  if (action === 'up') {
    await up({ ...numberOfHosts(flags.hosts), ...(flags.memory && { memory: flags.memory }), progress })
    return printStatus()
  }
  if (action === 'down') {
    await down({ images: flags.images ?? false, progress })
    return 0
  }
  if (action === 'status') return printStatus()
  return ssh(words[0] ?? 'vps1', command)
}

function parse(argv: readonly string[]) {
  const end = argv.includes('--') ? argv.indexOf('--') : argv.length
  const options = {
    hosts: { type: 'string' },
    memory: { type: 'string' },
    images: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    const { values, positionals } = parseArgs({ args: argv.slice(0, end), options, allowPositionals: true })
    return { flags: values, words: positionals, command: argv.slice(end + 1) }
  } catch (error) {
    const flag = /'--([\w-]+)/.exec(String(error))?.[1] ?? ''
    const known = Object.keys(options).includes(flag)
    const hint = known
      ? ''
      : suggest(
          `--${flag}`,
          Object.keys(options).map((name) => `--${name}`),
        )
    throw new UsageError(`${(error as Error).message.split('. ')[0]}${hint}`)
  }
}

function actionOf(word: string | undefined): Action {
  const actions = Object.keys(flagsOf) as Action[]
  const action = actions.find((each) => each === word)
  if (action !== undefined) return action
  if (word === undefined) throw new UsageError(`what to do: ${actions.join(', ')}; see --help`)
  throw new UsageError(`unknown action "${word}"${suggest(word, actions)}: one of ${actions.join(', ')}`)
}

function refuseStray(action: Action, flags: string[], words: string[], command: readonly string[]): void {
  const allowed: readonly string[] = flagsOf[action]
  const stray = flags.find((flag) => !allowed.includes(flag))
  if (stray !== undefined) throw new UsageError(`sandbox.ts ${action} has no --${stray}`)
  const extra = words[action === 'ssh' ? 1 : 0] ?? (action === 'ssh' ? undefined : command[0])
  if (extra !== undefined) throw new UsageError(`sandbox.ts ${action}: stray argument "${extra}"`)
}

function numberOfHosts(text: string | undefined): { hosts?: number } {
  if (text === undefined) return {}
  if (!/^\d+$/.test(text)) throw new UsageError(`--hosts ${text}: a number`)
  return { hosts: Number(text) }
}

async function printStatus(): Promise<number> {
  const parts = await status()
  if (parts === undefined) return print('down: no Docker daemon answers\n')
  return print(parts.map(lineOf).join(''))
}

function lineOf({ name, state, memory, port }: PartStatus): string {
  const where =
    port === undefined ? '' : `  ${Math.round((memory ?? 0) / 2 ** 20)} MB  ssh -F .sandbox/ssh_config ${name}`
  return `${name.padEnd(8)} ${state}${where}\n`
}

/** Hands the terminal to the real ssh. */
async function ssh(host: string, command: readonly string[]): Promise<number> {
  const child = spawn('ssh', ['-F', sshConfigFor(host), host, ...command], { stdio: 'inherit' })
  const [status] = await once(child, 'exit')
  return status ?? 255
}

function print(text: string): 0 {
  process.stdout.write(text)
  return 0
}
