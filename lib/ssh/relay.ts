import { createHash } from 'node:crypto'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { local } from '../shell/local.ts'
import { type Script, sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'
import { ConnectError, HostError } from '../std/errors.ts'
import { consoleCommand } from './interactive.ts'
import { sshArguments, type Target } from './ssh-arguments.ts'

const functions = shellFile(new URL('relay.sh', import.meta.url))

/** One side of a relay: the shell function `relayed` prints what is sent, or reads it. */
export interface RelayEnd {
  readonly target: Target
  /** Shell text that defines the function. */
  readonly relayed: Script
}

/**
 * Streams what a function prints on one host to one on another, through this process's memory and never to this machine's disk. Both
 * hosts sum what went through. Returns its size in bytes; throws a `HostError` where a function failed or the sums differ.
 */
export async function relay(
  source: RelayEnd,
  sink: RelayEnd,
  progress: (bytes: number) => void = () => {},
): Promise<number> {
  const [from, to] = [opened(source, 'relay_source'), opened(sink, 'relay_sink')]
  const hash = createHash('sha256')
  let bytes = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      bytes += chunk.length
      progress(bytes)
      done(null, chunk)
    },
  })
  // Why a side has ended early is told by what it printed. Where nobody took what was sent, the one that sends fails for that alone.
  const isTaken = await pipeline(from.output, counted, to.input).then(
    () => true,
    () => false,
  )
  const [sent, taken] = await Promise.all([from.ended(), to.ended()])
  const failure = isTaken ? (sent.error ?? taken.error) : (taken.error ?? sent.error)
  if (failure !== undefined) throw failure
  const sum = hash.digest('hex')
  if (sent.sum !== sum || taken.sum !== sum)
    throw new HostError(`${sink.target.name}: what arrived is not what ${source.target.name} has sent`)
  return bytes
}

type Side = 'relay_source' | 'relay_sink'

/** How a side has ended. */
interface Ended {
  readonly sum?: string
  readonly error?: ConnectError | HostError
}

/** Shell text: what a side of a relay runs. */
export function relayScript(relayed: Script, side: Side): Script {
  return sh`
    export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"
    ${functions}
    ${relayed}
    ${{ text: side, shown: side }}`
}

function opened({ target, relayed }: RelayEnd, side: Side) {
  const { text } = relayScript(relayed, side)
  const command = consoleCommand(Buffer.from(text).toString('base64'))
  const ssh = local({ stdio: 'pipe', nothrow: true, store: discardOutput() })
  const running = ssh`exec ssh ${sshArguments(target)} ${command}`
  const { child } = running
  if (!child?.stdout || !child.stderr || !child.stdin) throw new Error('ssh was not started')
  const told = side === 'relay_source' ? child.stderr : child.stdout
  const said = tail(told)
  const other = side === 'relay_sink' ? tail(child.stderr) : said
  if (side === 'relay_source') child.stdin.end()
  child.stdin.on('error', () => {})
  return {
    output: child.stdout,
    input: child.stdin,
    ended: async (): Promise<Ended> => {
      const { exitCode } = await running
      const [, before = '', sum, status] = /^([\s\S]*)\nrelay ([0-9a-f]{64}) (\d+)\s*$/.exec(said.text()) ?? []
      if (sum !== undefined && status === '0') return { sum }
      const words = [before, said === other ? '' : other.text()].join('\n').trim()
      if (exitCode === 255 && sum === undefined)
        return {
          error: new ConnectError(`${target.name}: the connection was lost: ${other.text().trim().split('\n').at(-1)}`),
        }
      return { error: new HostError(`${target.name}: ${words || `exit code ${exitCode}`}`) }
    },
  }
}

/** The last 20 KB of a stream. */
function tail(stream: NodeJS.ReadableStream) {
  let kept = ''
  stream.on('data', (chunk: Buffer) => {
    kept = (kept + chunk).slice(-20_000)
  })
  return { text: () => kept }
}

/** zx keeps all output of a process by default; this one's has no limit. */
function discardOutput() {
  const drop = () => Object.assign([], { push: () => 0 })
  return { stdout: drop(), stderr: drop(), stdall: drop() }
}
