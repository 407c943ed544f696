import { randomBytes } from 'node:crypto'
import type { Facts } from '../model/facts.ts'
import { local } from '../shell/local.ts'
import { ConnectError, HostError } from '../std/errors.ts'
import { type FrameHandlers, frames, markCommand } from './framing.ts'
import { connectFailure } from './login-failure.ts'
import { factsScript, firstBootScript, parseFacts } from './read-facts.ts'
import { sshArguments, type Target } from './ssh-arguments.ts'

/** One shell on a host, as root, that stays open: every request is one script in and one reply back. */
export interface Connection {
  readonly facts: Facts
  /** Requests answered since the connection was opened. The facts come with the connection and do not count. */
  readonly roundTrips: number
  /**
   * Runs a script and returns its exit status. What it prints, stderr included, arrives as text and marks. A prelude runs
   * in the connection's own shell: the files that it opens stay open.
   */
  request(script: (nonce: string) => string, handlers: Partial<FrameHandlers>, prelude?: string): Promise<number>
  /** Another connection to the same host that shares nothing with this one: it proves that a login is still possible. */
  fresh(): Promise<Connection>
  close(): Promise<void>
}

/**
 * Opens a connection with the system's `ssh`, so that ssh_config, agents, jumps and known_hosts work as the operator knows
 * them. A first boot that is still under way is waited for.
 */
export function connect(target: Target, progress: (line: string) => void = () => {}): Promise<Connection> {
  return open(target, progress, { roundTrips: 0 })
}

async function open(
  target: Target,
  progress: (line: string) => void,
  count: { roundTrips: number },
): Promise<Connection> {
  const shell = openShell(target)
  const facts = await readFacts(shell, target).catch(closing)
  if (facts.booting) await awaitFirstBoot(shell, target, progress).catch(closing)
  return {
    facts,
    get roundTrips() {
      return count.roundTrips
    },
    request: async (...request) => {
      const status = await shell.request(...request)
      count.roundTrips++
      return status
    },
    fresh: () => open({ ...target, fresh: true }, progress, count),
    close: shell.close,
  }

  // An open ssh would keep this process from exiting.
  async function closing(error: unknown): Promise<never> {
    await shell.close()
    throw error
  }
}

/** Ends the connection that an earlier run left for the next one. */
export async function closeKept(target: Target): Promise<void> {
  await local({ nothrow: true })`ssh -O exit ${sshArguments(target)}`
}

// In one line and without a special character but quotes: the login shell may be anything. The port is told before sudo hides it.
export const remoteShell = [
  'echo "botgarden login $SSH_CONNECTION $(id -un)"',
  '[ "$(id -u)" = 0 ] && exec sh',
  'sudo -n true || { echo "botgarden no-sudo"; exit 1; }',
  'exec sudo -n sh',
].join('; ')

/** How long a login may take once sshd has answered, in seconds: PAM and a slow shell included. */
const loginPatience = 60

type Shell = ReturnType<typeof openShell>

/** A request whose answer is due. */
interface Due {
  readonly handlers: Partial<FrameHandlers>
  readonly done: (status: number) => void
  readonly failed: (error: unknown) => void
}

function openShell(target: Target) {
  const nonce = randomBytes(12).toString('hex')
  const ssh = local({ stdio: 'pipe', nothrow: true, store: discardOutput() })
  const { child, stdin } = ssh`exec ssh ${sshArguments(target)} ${`exec sh -c '${remoteShell}'`}`
  if (!child?.stdout || !child.stderr) throw new Error('ssh was not started')

  let stderr = ''
  let current: Due | undefined
  const receive = frames(nonce, {
    mark: (words) => (words[0] === 'done' ? current?.done(statusOf(words)) : current?.handlers.mark?.(words)),
    text: (bytes) => current?.handlers.text?.(bytes),
  })
  child.stdout.on('data', (bytes: Buffer) => {
    try {
      receive(bytes)
    } catch (error) {
      // Nothing that comes after it means anything.
      current?.failed(error)
      child.kill()
    }
  })
  child.stderr.on('data', (bytes: Buffer) => {
    stderr = (stderr + bytes).slice(-20_000)
  })
  // Writing fails once the other side is gone; the exit below gives the reason.
  stdin.on('error', () => {})
  // Not `close`: a master that ssh leaves behind for the next run may hold the pipes open.
  const exited = new Promise<void>((resolve) => child.once('exit', () => setTimeout(resolve, 20)))
  const lost = exited.then(() => Promise.reject(new ConnectionLost(target, stderr)))
  lost.catch(() => {}) // it may not be awaited

  return {
    stderr: () => stderr,
    /** Ends ssh, as if it had said so itself. */
    giveUp: (reason: string) => {
      stderr += reason
      child.kill()
    },
    request: (script: (nonce: string) => string, handlers: Partial<FrameHandlers>, prelude = ''): Promise<number> => {
      if (current) throw new Error('one request at a time')
      const answered = new Promise<number>((done, failed) => {
        current = { handlers, done, failed }
      })
      stdin.write(`${prelude}\n${framed(script(nonce), nonce)}`)
      return Promise.race([answered, lost]).finally(() => {
        current = undefined
      })
    },
    close: async () => {
      stdin.end()
      const timer = setTimeout(() => child.kill(), 2_000)
      await exited
      clearTimeout(timer)
      child.stdout?.destroy()
      child.stderr?.destroy()
    },
  }
}

function statusOf([, status = '']: readonly string[]): number {
  if (!/^\d{1,3}$/.test(status)) throw new HostError(`the answer of the host cannot be read: exit status "${status}"`)
  return Number(status)
}

/** One definition and its call: a connection cut in the middle leaves a syntax error, never half a script running. */
export function framed(script: string, nonce: string): string {
  const environment = 'export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"; umask 022'
  return `botgarden() { (\n${environment}\n${script}\n) }; botgarden </dev/null 2>&1; ${markCommand(nonce, 'done $?')}\n`
}

/** What happens to a step whose connection is lost. */
export const afterwards = 'the host finishes that by itself; run again for the rest'

/** The connection ended while an answer was due. */
export class ConnectionLost extends ConnectError {
  constructor(target: Target, stderr: string) {
    const reason = stderr.trim().split('\n').at(-1)
    super(`${target.name}: the connection was lost${reason ? `: ${reason}` : ''}`)
  }

  /** The same error, with what the host was running. */
  during(step: string): ConnectError {
    return new ConnectError(`${this.message}\nwhile running ${step}: ${afterwards}`, { cause: this })
  }
}

async function readFacts(shell: Shell, target: Target): Promise<Facts> {
  // Output of the login shell itself comes before the answer.
  let output = ''
  const timer = setTimeout(
    () => shell.giveUp(`it let us in, but did not answer within ${loginPatience} s`),
    loginPatience * 1000,
  )
  try {
    const text = (bytes: Buffer) => {
      output += bytes
      if (output.length > 1e6) throw new HostError(`${target.name}: the login prints more than 1 MB`)
    }
    await shell.request(() => factsScript.text, { text })
  } catch (error) {
    if (!(error instanceof ConnectionLost)) throw error
    throw await connectFailure(target, output, shell.stderr())
  } finally {
    clearTimeout(timer)
  }
  const [, clientAddress, sshPort, user] = output.match(/botgarden login (\S+) \S+ \S+ (\d+) (\S+)/) ?? []
  if (clientAddress === undefined || user === undefined)
    throw new HostError(`${target.name}: the login printed no SSH_CONNECTION: is this a real sshd?`)
  return parseFacts(output, { user, sshPort: Number(sshPort), clientAddress })
}

async function awaitFirstBoot(shell: Shell, target: Target, progress: (line: string) => void): Promise<void> {
  progress('waiting for cloud-init, which is still setting the host up')
  const status = await shell.request(() => firstBootScript.text, {})
  if (status !== 0) throw new HostError(`${target.name}: cloud-init still runs after 10 minutes: see cloud-init status`)
}

/** zx keeps all output of a process by default; this connection's has no limit. */
function discardOutput() {
  const drop = () => Object.assign([], { push: () => 0 })
  return { stdout: drop(), stderr: drop(), stdall: drop() }
}
