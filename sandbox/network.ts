import { HostError } from '../lib/errors.ts'
import { withLock } from '../lib/file-lock.ts'
import { docker, tryDocker } from './docker.ts'
import { aliasesOf, checkoutHash, containerOf, label, network, paths } from './names.ts'

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
  await docker(['network', 'connect', ...aliases, network, containerOf(host)])
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
    // What Docker hands out by itself starts at 128: the name server's address below is never taken.
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
