import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { docker, tryDocker } from '../machine/docker-cli.ts'
import { see } from '../machine/inspect.ts'
import { aliasesOf, containerOf, label, network, paths } from '../machine/paths.ts'
import { waitUntil } from '../machine/process.ts'
import { withAddress } from './network.ts'
import type { Prerequisites } from './prerequisites.ts'
import { publicKey, writeAccess } from './ssh-access.ts'

/**
 * What systemd, ufw and a nested Docker need beyond Docker's own set. Not there on purpose: SYS_TIME (the machine's clock),
 * SYS_MODULE (its kernel), SYS_BOOT; and SYS_RESOURCE, which the machine itself may lack.
 */
const capabilities = ['SYS_ADMIN', 'NET_ADMIN', 'SYS_PTRACE', 'SYS_NICE']

/** What a VPS has. */
export interface Machine {
  /** As Docker reads it: `2g`, which is the default. */
  readonly memory?: string | undefined
  /** Interfaces of programs, as wireguard-go makes one for a mesh: where this machine has them. */
  readonly tun?: boolean
}

/** Starts a new VPS container. Its ssh port is chosen here, since one that Docker chooses changes with every restart. */
export async function create(
  name: string,
  { image, nameServer }: Prerequisites,
  { memory = '2g', tun = false }: Machine = {},
): Promise<void> {
  const container = containerOf(name)
  await docker(['volume', 'create', '--label', label, container])
  for (let tries = 3; ; tries--) {
    const { status, stderr } = await withAddress(async (address) =>
      tryDocker([
        ...['run', '-d', '--name', container, '--hostname', name, '--label', label, '--restart', 'unless-stopped'],
        ...[
          '--network',
          network,
          '--ip',
          address,
          ...aliasesOf(name).flatMap((alias) => ['--network-alias', alias]),
          '-p',
          `127.0.0.1:${await freePort()}:22`,
        ],
        ...['--memory', memory, '--memory-swap', memory, '--stop-timeout', '30', '--cgroupns', 'private'],
        ...capabilities.flatMap((each) => ['--cap-add', each]),
        ...(tun && existsSync('/dev/net/tun') ? ['--device', '/dev/net/tun'] : []),
        // SYS_ADMIN would also allow to switch the machine's swap on and off: the only calls that the profile refuses.
        ...[
          '--security-opt',
          `seccomp=${join(import.meta.dirname, 'seccomp.json')}`,
          '--security-opt',
          'apparmor=unconfined',
        ],
        ...[
          '--tmpfs',
          '/run:exec',
          '--tmpfs',
          '/run/lock',
          '--tmpfs',
          '/tmp:exec',
          '-v',
          `${container}:/var/lib/docker`,
        ],
        ...[image, 'sh', '-c', readFileSync(join(import.meta.dirname, 'boot.sh'), 'utf8'), 'boot', nameServer],
      ]),
    )
    if (status === 0) return
    await tryDocker(['rm', '-f', container])
    const portTaken = /port is already allocated|address already in use/.test(stderr)
    if (!portTaken || tries === 1) throw new HostError(`this machine: ${name} does not start: ${stderr}`)
  }
}

/** Waits until a VPS has booted and its sshd answers, and makes it known to ssh. Bare: nothing in it may have failed. */
export async function awaitReady(name: string, { bare = false } = {}): Promise<void> {
  await admit(name)
  await awaitBoot(name, bare)
  const seen = (await see([name])).get(name)
  const port = seen?.port
  if (seen === undefined || port === undefined) throw new HostError(`this machine: ${name} is gone`)
  if (!(await waitUntil(30, () => greets(port))))
    throw new HostError(`${name}: sshd does not answer on 127.0.0.1:${port}`)
  const keys = await docker(['exec', containerOf(name), 'sh', '-c', 'cat /etc/ssh/ssh_host_*_key.pub'])
  const hostKeys = keys.split('\n').map((line) => line.split(' ').slice(0, 2).join(' '))
  await writeAccess(name, { id: seen.id, startedAt: seen.startedAt, port, hostKeys })
}

/** Lets the sandbox's key in, and has the host trust the authority of its Telegram. */
export async function admit(name: string): Promise<void> {
  await inside(name, 'admit.sh', [await publicKey(), await readFile(paths.telegramCa, 'utf8').catch(() => '')])
}

async function awaitBoot(name: string, bare: boolean): Promise<void> {
  const state = await inside(name, 'await-boot.sh')
  const booted = bare ? /^running$/m : /^(running|degraded)$/m
  if (!booted.test(state)) throw new HostError(`${name}: systemd did not come up: ${state}\n${await said(name)}`.trim())
}

/** Runs a file of shell from beside this one in a VPS. */
async function inside(name: string, file: string, args: readonly string[] = []): Promise<string> {
  const { status, stdout, stderr } = await tryDocker(['exec', '-i', containerOf(name), 'sh', '-s', '--', ...args], {
    seconds: 300,
    input: readFileSync(join(import.meta.dirname, file), 'utf8'),
  })
  if (status === 0) return stdout.trim()
  throw new HostError(`${name}: does not boot: ${stderr}\n${await said(name)}`.trim())
}

/** What the boot script and systemd wrote where a screen would be. */
async function said(name: string): Promise<string> {
  const { stdout, stderr } = await tryDocker(['logs', '--tail', '15', containerOf(name)])
  return `${stdout}${stderr}`
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new TypeError('a TCP server has a port')
  return address.port
}

/** True when an SSH server greets: the port itself is open from the start, Docker holds it. */
async function greets(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  socket.setTimeout(2000, () => socket.destroy())
  try {
    for await (const data of socket) return String(data).startsWith('SSH-')
    return false
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
