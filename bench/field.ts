import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { closeKept } from '../lib/ssh/connection.ts'
import { mapConcurrent } from '../lib/std/map-concurrent.ts'
import { sshConfigFor } from '../sandbox/index.ts'
import { far } from './far.ts'
import { botNames, hostsFor, inventory, type Size } from './machines.ts'
import { timed } from './timed.ts'

/** Hosts as an operator has them: names in an inventory and in an ssh_config, each with a connection of its own. */
export interface Field {
  readonly folder: string
  /** The machine of each host, by the host's name. */
  readonly hosts: Readonly<Record<string, string>>
  readonly names: readonly string[]
  readonly bots: readonly string[]
  readonly sshConfig: string
  readonly inventory: string
  /** Where the floor keeps its connections. */
  readonly controlPath: string
  /** Opens the connections of the floor, a few at a time: sshd refuses many logins at once. */
  warm(): Promise<void>
  /** Closes the connections that were kept: the next login is a new one. */
  cool(): Promise<void>
  close(): Promise<void>
}

/** So many hosts with so many bots, so many milliseconds away (there and back). */
export async function fieldOf(folder: string, { away, ...size }: Size & { away: number }): Promise<Field> {
  const hosts = hostsFor(size)
  const names = Object.keys(hosts)
  const bots = botNames(size.bots)
  const own = join(folder, `${size.hosts}-${size.bots}-${away}`)
  mkdirSync(own, { recursive: true, mode: 0o700 })
  const sshConfig = join(own, 'ssh_config')
  const ways = await Promise.all(names.map((name) => way(name, hosts[name] ?? '', away)))
  writeFileSync(sshConfig, ways.map(({ text }) => text).join(''))
  const controlPath = join(own, '%C')
  const cool = async () => {
    for (const name of names) {
      await closeKept({ name, ssh: name, sshConfig, acceptNew: false })
      await timed(['ssh', '-F', sshConfig, '-o', `ControlPath=${controlPath}`, '-O', 'exit', name]).catch(() => {})
    }
  }
  const warm = async () => {
    const kept = ['-o', 'ControlMaster=auto', '-o', 'ControlPersist=600', '-o', `ControlPath=${controlPath}`]
    await mapConcurrent(5, names, (name) => timed(['ssh', '-F', sshConfig, ...kept, name, 'true']))
  }
  return {
    ...{ folder: own, hosts, names, bots, sshConfig, controlPath, warm, cool },
    inventory: inventory(own, { sshConfig, hosts, bots }),
    close: async () => {
      await cool()
      for (const { close } of ways) close()
    },
  }
}

/** What ssh_config says of the machine, under another name and through a way of its own. */
async function way(name: string, machine: string, away: number): Promise<{ text: string; close: () => void }> {
  const blocks = readFileSync(sshConfigFor(machine), 'utf8').split(/^(?=Host )/m)
  const block = blocks.find((each) => each.startsWith(`Host ${machine}\n`)) ?? ''
  const port = Number(/Port (\d+)/.exec(block)?.[1])
  const { port: ownPort, close } = await far(port, away / 2)
  const text = block
    .replace(`Host ${machine}\n`, `Host ${name}\n`)
    .replace(`Port ${port}`, `Port ${ownPort}\n  HostKeyAlias [127.0.0.1]:${port}`)
  return { text: `${text.trimEnd()}\n`, close }
}
