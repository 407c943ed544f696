import * as assert from 'uvu/assert'
import { freshVps } from '../../sandbox/index.ts'
import { outputIn } from './vps/inside.ts'

/** A bare VPS that knows nobody, with nmap on it. */
export async function freshStranger(name: string): Promise<void> {
  await freshVps(name, { memory: '512m' })
  await outputIn(name)('apt-get update -qq && apt-get install -qy --no-install-recommends nmap >/dev/null 2>&1')
}

/** The ports of TCP, of all 65535, that a stranger finds open on these hosts by their public names, host by host. */
export async function openPorts(stranger: string, hosts: readonly string[]): Promise<Record<string, number[]>> {
  const names = hosts.map((host) => `${host}.sandbox`).join(' ')
  const said = await outputIn(stranger)(`nmap -n -Pn -p- --min-rate 3000 -oG - ${names}`)
  const found = said.split('\n').filter((line) => line.includes('Ports: ') || line.includes('Ignored State'))
  assert.is(found.length, hosts.length, said)
  return Object.fromEntries(
    hosts.map((host, i) => [host, [...(found[i] ?? '').matchAll(/(\d+)\/open\/tcp/g)].map(([, port]) => Number(port))]),
  )
}
