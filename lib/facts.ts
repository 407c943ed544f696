import { HostError } from './errors.ts'
import { sh } from './sh.ts'
import { shellFile } from './shell-file.ts'

/** What a host is: comes with the first bytes of a connection and never changes during a run. */
export interface Facts {
  /** `debian`, `ubuntu`: ID of os-release. */
  readonly os: string
  /** VERSION_ID of os-release: `13`, `24.04`. */
  readonly version: string
  readonly osName: string
  /** Debian's name of it: `amd64`, `arm64`. */
  readonly architecture: string
  readonly memoryMiB: number
  readonly cpus: number
  /** What kind of container the host is, or '' for a machine with a kernel of its own. */
  readonly container: string
  /** Has an address that others reach by IPv6. */
  readonly ipv6: boolean
  readonly addresses: readonly string[]
  /** The IPv4 address that it reaches the world from; '' where it has none. */
  readonly address: string
  /** The name servers that it asks, and that Docker hands to containers; not one of its own, which they cannot reach. */
  readonly resolvers: readonly string[]
  /** cloud-init is still setting the host up. */
  readonly booting: boolean
  /** Who logged in, before sudo. */
  readonly user: string
  /** The port that this connection came in by, on the host. */
  readonly sshPort: number
  /** Where this connection came from, as the host sees it. */
  readonly clientAddress: string
}

/** Prints the facts, a `name=value` line each. */
export const factsScript = shellFile(new URL('facts.sh', import.meta.url))

/** Waits for cloud-init's last stage, 10 minutes at the most. It leaves its result in any case, unless that stage fails. */
export const firstBootScript = sh`
  for _ in $(seq 600); do
    [ ! -e /run/cloud-init/result.json ] || exit 0
    [ "$(systemctl is-failed cloud-final.service)" != failed ] || exit 0
    sleep 1
  done
  exit 1`

/** The facts from what the script printed, plus what only the login knew. */
export function parseFacts(output: string, login: Pick<Facts, 'user' | 'sshPort' | 'clientAddress'>): Facts {
  const found = Object.fromEntries(
    output.split('\n').flatMap((line) => {
      const [, name, value] = line.match(/^(\w+)=(.*)$/) ?? []
      return name === undefined ? [] : [[name, value]]
    }),
  )
  const text = (name: string): string => {
    const value = found[name]
    if (value === undefined) throw new HostError(`cannot tell what this host is: no ${name} among its facts\n${output}`)
    return value.trim()
  }
  const number = (name: string): number => {
    const value = Number(text(name) || Number.NaN)
    if (Number.isNaN(value)) throw new HostError(`cannot tell what this host is: ${name} is "${text(name)}"`)
    return value
  }
  return {
    os: text('os'),
    version: text('version'),
    osName: text('osName'),
    architecture: text('architecture'),
    memoryMiB: Math.floor(number('memoryKiB') / 1024),
    cpus: number('cpus'),
    container: text('container'),
    ipv6: text('ipv6') !== '',
    booting: text('booting') === 'yes',
    address: text('address'),
    addresses: text('addresses').split(/\s+/).filter(Boolean),
    resolvers: text('resolvers').split(/\s+/).filter(Boolean),
    ...login,
  }
}

/** Throws where botgarden does not run on such a host, before anything is touched. */
export function refuseUnsupported({ os, version, osName }: Facts): void {
  if (os === 'debian' && version === '13') return
  if (os === 'ubuntu' && version === '24.04') return
  const reason = os === 'debian' && version === '12' ? ': it has no Compose v2' : ''
  throw new HostError(
    `${osName} is not supported${reason}. Debian 13 is, and Ubuntu 24.04, which is untried: upgrade the host, or take a new one`,
  )
}
