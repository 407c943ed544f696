import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import SSHConfig from 'ssh-config'
import { local } from '../../lib/shell/local.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { home, paths } from '../machine/paths.ts'
import { writeAtomic } from '../machine/write-atomic.ts'

/** A VPS that was seen ready: this very container, since this very start. */
export interface Ready {
  readonly id: string
  readonly startedAt: string
  readonly port: number
  readonly hostKeys: readonly string[]
}

/** The public key that opens every VPS of this checkout. */
export async function publicKey(): Promise<string> {
  mkdirSync(paths.hosts, { recursive: true, mode: 0o700 })
  await withLock(lock(), 60, async () => {
    if (existsSync(`${paths.key}.pub`)) return
    // Made beside and renamed, the public half last: a run that is cut leaves no half pair.
    const draft = `${paths.key}.draft`
    for (const half of [draft, `${draft}.pub`]) rmSync(half, { force: true })
    await local`ssh-keygen -q -t ed25519 -N ${''} -C botgarden-sandbox -f ${draft}`
    renameSync(draft, paths.key)
    renameSync(`${draft}.pub`, `${paths.key}.pub`)
  })
  return (await readFile(`${paths.key}.pub`, 'utf8')).trim()
}

/** Makes a VPS known to ssh under its name, or forgets it. */
export async function writeAccess(name: string, ready: Ready | undefined): Promise<void> {
  mkdirSync(paths.hosts, { recursive: true, mode: 0o700 })
  await withLock(lock(), 60, async () => {
    if (ready === undefined) rmSync(join(paths.hosts, `${name}.json`), { force: true })
    else writeAtomic(join(paths.hosts, `${name}.json`), JSON.stringify(ready))
    const all = knownHosts().flatMap((each) => {
      const host = readyOf(each)
      return host === undefined ? [] : [{ name: each, ...host }]
    })
    writeAtomic(paths.knownHosts, all.map(keyLines).join(''))
    writeAtomic(paths.sshConfig, sshConfigOf(all))
  })
}

/** The names of the VPSs that ssh knows. */
export function knownHosts(): string[] {
  if (!existsSync(paths.hosts)) return []
  return readdirSync(paths.hosts)
    .filter((file) => file.endsWith('.json'))
    .map((file) => basename(file, '.json'))
    .sort()
}

function readyOf(name: string): Ready | undefined {
  const file = join(paths.hosts, `${name}.json`)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** True when the container was seen ready since it last started. */
export function isReady(name: string, { id, startedAt }: { id: string; startedAt: string }): boolean {
  const ready = readyOf(name)
  return ready?.id === id && ready.startedAt === startedAt
}

/** The text of an ssh_config with one alias per VPS. */
export function sshConfigOf(hosts: readonly { name: string; port: number }[]): string {
  const config = new SSHConfig()
  for (const { name, port } of hosts) {
    config.append({
      Host: name,
      HostName: '127.0.0.1',
      Port: String(port),
      User: 'root',
      IdentityFile: paths.key,
      IdentitiesOnly: 'yes',
      // A list: only then a path with a space in it is quoted.
      UserKnownHostsFile: [paths.knownHosts],
      StrictHostKeyChecking: 'yes',
    })
  }
  return SSHConfig.stringify(config)
}

function keyLines({ port, hostKeys }: Ready): string {
  return hostKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join('')
}

function lock(): string {
  return join(home, 'lock')
}
