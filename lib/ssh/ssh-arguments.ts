import { chmodSync, existsSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { envSeconds } from '../std/env-seconds.ts'
import { UsageError } from '../std/errors.ts'

/** Where a host is, in ssh's terms. */
export interface Target {
  readonly name: string
  /** An alias of ssh_config, or `user@host:port`. */
  readonly ssh: string
  /** An ssh_config to read instead of the operator's own. */
  readonly sshConfig: string | undefined
  /** Takes the key of a host that was never seen; a changed key is refused all the same. */
  readonly acceptNew: boolean
  /** Share no connection with an earlier login, and do not leave one either. */
  readonly fresh?: boolean
}

/** How long a connection is kept for the next run, in seconds, unless $BOTGARDEN_CONTROL_PERSIST says otherwise; 0 is not at all. */
const controlPersist = 60

/** The arguments of `ssh`, up to and including the destination. `terminal`: with a terminal on the host. */
export function sshArguments(target: Target, { terminal = false } = {}): string[] {
  return [
    terminal ? '-tt' : '-T',
    ...options({
      LogLevel: 'ERROR',
      StrictHostKeyChecking: target.acceptNew ? 'accept-new' : 'yes',
      ConnectTimeout: '15',
      // A dead link is noticed within a minute.
      ServerAliveInterval: '10',
      ServerAliveCountMax: '3',
      // A prompt needs a terminal.
      BatchMode: process.stdin.isTTY ? 'no' : 'yes',
      // What an operator's ssh_config may set for interactive logins, and what would disturb this one.
      RemoteCommand: 'none',
      RequestTTY: terminal ? 'force' : 'no',
      ForwardAgent: 'no',
      ForwardX11: 'no',
      ClearAllForwardings: 'yes',
      ...(target.fresh ? { ControlMaster: 'no', ControlPath: 'none' } : controlMaster()),
    }),
    ...destination(target),
  ]
}

/** The part that names the host: for calls of ssh's other tools too. */
export function destination({ ssh, sshConfig }: Target): string[] {
  const [, user, host, port] = ssh.match(/^(?:([^@]+)@)?(\[[^\]]+\]|[^:]+)(?::(\d+))?$/) ?? []
  if (host === undefined || host.startsWith('-'))
    throw new UsageError(`"${ssh}" is not a host: an alias of ssh_config, or user@host:port`)
  return [
    ...(sshConfig === undefined ? [] : ['-F', sshConfig]),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', port]),
    host.replace(/^\[|\]$/g, ''),
  ]
}

export function options(values: Record<string, string>): string[] {
  return Object.entries(values).flatMap(([name, value]) => ['-o', `${name}=${value}`])
}

function controlMaster(): Record<string, string> {
  const seconds = envSeconds('BOTGARDEN_CONTROL_PERSIST', controlPersist)
  if (seconds === 0) return { ControlMaster: 'no', ControlPath: 'none' }
  return { ControlMaster: 'auto', ControlPersist: String(seconds), ControlPath: join(controlDirectory(), '%C') }
}

/** Private, since access to the sockets in it is root on every host. */
function controlDirectory(): string {
  const uid = process.getuid?.() ?? 0
  const directory = socketDir(`botgarden-${uid}`)
  try {
    if (!existsSync(directory)) mkdirSync(directory, { mode: 0o700 })
    const found = lstatSync(directory)
    if (!found.isDirectory() || found.uid !== uid) throw new Error('it is no directory of yours')
    if (found.mode & 0o077) chmodSync(directory, 0o700)
  } catch (error) {
    throw new UsageError(
      `${directory}: no place to keep connections in: ${(error as Error).message}: remove it, or set BOTGARDEN_CONTROL_PERSIST=0`,
    )
  }
  return directory
}

/** The first of these places where a socket's path stays short enough; /tmp always is. */
function socketDir(name: string): string {
  const { XDG_RUNTIME_DIR = '' } = process.env
  const places = [...(existsSync(XDG_RUNTIME_DIR) ? [XDG_RUNTIME_DIR] : []), tmpdir()].map((base) => join(base, name))
  // macOS takes 104 bytes with the one that ends them. ssh needs a slash, 40 for the host, and 17 more until it listens.
  return places.find((place) => Buffer.byteLength(place) + 1 + 40 + 17 < 104) ?? join('/tmp', name)
}
