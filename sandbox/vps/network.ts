import { join } from 'node:path'
import { HostError } from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { docker, tryDocker } from '../machine/docker-cli.ts'
import { aliasesOf, checkoutHash, containerOf, home, label, network, paths } from '../machine/paths.ts'

/** Makes sure of this checkout's network and returns the address of its name server. */
export async function ensureNetwork(): Promise<string> {
  const found = await subnet()
  return nameServerIn(
    found ?? (await withLock(`${paths.machine}/network.lock`, 60, async () => (await subnet()) ?? create())),
  )
}

/** Puts a VPS onto the network under all of its names. */
export async function reconnect(host: string): Promise<void> {
  await tryDocker(['network', 'disconnect', '-f', network, containerOf(host)])
  const aliases = aliasesOf(host).flatMap((alias) => ['--alias', alias])
  await withAddress(async (address) => {
    await docker(['network', 'connect', '--ip', address, ...aliases, network, containerOf(host)])
  })
}

/**
 * Has a VPS made with an address that is its own for as long as it exists, as a provider gives it: one that Docker hands
 * out by itself may be another's after a reboot.
 */
export async function withAddress<T>(use: (address: string) => Promise<T>): Promise<T> {
  return withLock(join(home, 'addresses.lock'), 120, async () => {
    const prefix = (await ensureNetwork()).replace(/\.\d+$/, '')
    const taken = new Set(await addresses())
    for (let last = 10; last < 128; last++) if (!taken.has(`${prefix}.${last}`)) return use(`${prefix}.${last}`)
    throw new HostError('this machine: the sandbox has no address left: npx zx playbooks/sandbox.ts down')
  })
}

/** Those that containers of this checkout have asked for, running or not. */
async function addresses(): Promise<string[]> {
  const ids = (await docker(['ps', '-aq', '--filter', `label=${label}`])).split('\n').filter(Boolean)
  if (ids.length === 0) return []
  // One that goes away meanwhile is an error, and is missing in what is printed: as it should be.
  const { stdout } = await tryDocker(['inspect', '-f', '{{json .NetworkSettings.Networks}}', ...ids])
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => JSON.parse(line)[network]?.IPAMConfig?.IPv4Address ?? [])
}

async function subnet(): Promise<string | undefined> {
  const { status, stdout } = await tryDocker(['network', 'inspect', '-f', '{{(index .IPAM.Config 0).Subnet}}', network])
  return status === 0 ? stdout.trim() : undefined
}

/** 10.210 and 10.211 are what a VPS gives to bots and to its own Docker. */
async function create(): Promise<string> {
  const first = Number.parseInt(checkoutHash.slice(0, 2), 16)
  let refusal = ''
  for (let tries = 0; tries < 16; tries++) {
    const prefix = `10.212.${(first + tries) % 256}`
    // What Docker hands out by itself starts at 128: below, the name server's address and those of VPSs are never taken.
    const range = ['--subnet', `${prefix}.0/24`, '--ip-range', `${prefix}.128/25`]
    const { status, stderr } = await tryDocker(['network', 'create', '--label', label, ...range, network])
    if (status === 0) return `${prefix}.0/24`
    refusal = stderr
  }
  throw new HostError(`this machine: no network for the sandbox: ${refusal}`)
}

function nameServerIn(subnet: string): string {
  return subnet.replace(/\.0\/24$/, '.2')
}
