import { local } from '../../../lib/shell/local.ts'
import { destination, type Target } from '../../../lib/ssh/ssh-arguments.ts'
import { isOpen } from './scan.ts'

/**
 * The address at which strangers reach a host, seen from this machine: the one that ssh goes to, or its own. Never that of a name,
 * which may lead to somebody else, and a private one only where the host itself answers there. Or why there is none.
 */
export async function outsideAddress(
  target: Target,
  own: string,
  hostKeys: readonly string[],
  ports: readonly number[],
): Promise<{ readonly address: string } | { readonly none: string }> {
  const wanted = [...new Set([await addressOfSsh(target), own].flatMap((each) => (each ? [each] : [])))]
  for (const address of wanted) {
    const answers = await Promise.all(ports.map((port) => isOpen(address, port, 3000)))
    if (!answers.includes(true)) continue
    if (!isPrivate(address) || (await hasKeyOf(address, hostKeys))) return { address }
  }
  return { none: `this machine does not reach ${wanted.join(' or ') || 'the host'} but by ssh` }
}

/** What `ssh -G` says: undefined where another machine is in between, or it is this machine itself. */
export function sshAddress(settings: string): string | undefined {
  const of = (key: string) => new RegExp(`^${key} (.+)$`, 'm').exec(settings)?.[1]
  if ([of('proxyjump'), of('proxycommand')].some((each) => each !== undefined && each !== 'none')) return undefined
  const host = of('hostname')
  return host === undefined || /^(127\.|localhost$|::1$)/.test(host) ? undefined : host
}

/** Addresses that are somebody else's in another network. */
export function isPrivate(address: string): boolean {
  return /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[789]\d|1[01]\d|12[0-7])\.|169\.254\.|f[cde])/.test(
    address,
  )
}

async function addressOfSsh(target: Target): Promise<string | undefined> {
  const { stdout } = await local({ nothrow: true })`ssh -G ${destination(target)}`
  return sshAddress(stdout)
}

async function hasKeyOf(address: string, keys: readonly string[]): Promise<boolean> {
  const { stdout } = await local({ nothrow: true })`ssh-keyscan -T 5 -t ed25519 ${address}`
  return keys.some((key) => stdout.includes(key))
}
