import type { Facts } from '../model/facts.ts'
import { sh } from '../shell/sh.ts'
import { shellFile } from '../shell/shell-file.ts'
import { HostError } from '../std/errors.ts'

/** Prints the facts, a `name=value` line each. */
export const factsScript = shellFile(new URL('read-facts.sh', import.meta.url))

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
    if (value === undefined)
      throw new HostError(`the facts of this host cannot be read: no ${name} among its facts\n${output}`)
    return value.trim()
  }
  const number = (name: string): number => {
    const value = Number(text(name) || Number.NaN)
    if (Number.isNaN(value)) throw new HostError(`the facts of this host cannot be read: ${name} is "${text(name)}"`)
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
    timers: text('timers')
      .split(' ')
      .filter((name) => name !== '' && !name.includes('*')),
    mesh: text('mesh') === 'yes',
    swarm: text('swarm') === 'yes',
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
