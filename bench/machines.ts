// The VPSs of the bench, each as site.ts makes it: some with so many bots, and some that stand for many hosts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, inVps, removeVps, sshConfigFor, telegramControlUrl } from '../sandbox/index.ts'
import { telegramAt } from '../sandbox/telegram/client.ts'
import { knownHosts } from '../sandbox/vps/ssh-access.ts'
import { checkout, timed } from './timed.ts'

/** Those that have more names than one: without bots, and without backups, whose settings name their host. */
const shared = ['bench-a', 'bench-b', 'bench-c'] as const

export const zx = join(checkout, 'node_modules/zx/build/cli.js')

/** So many hosts and so many bots in all. */
export interface Size {
  readonly hosts: number
  readonly bots: number
}

/** The machine of each host by the host's name: one for each where there are bots, else so many names of those without. */
export function hostsFor({ hosts: count, bots }: Size): Record<string, string> {
  if (bots > 0) {
    const names = Array.from({ length: count }, (_, i) => `bench-${bots}${count === 1 ? '' : `-${i + 1}`}`)
    return Object.fromEntries(names.map((name) => [name, name]))
  }
  const machineOf = (i: number) => shared[i % shared.length] ?? shared[0]
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`host-${i + 1}`, machineOf(i)]))
}

/** hello-bot and bots that cost little. */
export function botNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? 'hello-bot' : `extra-${i + 1}`))
}

/** Makes what is not there: machines with so many bots in all, or those without. */
export async function prepare(size: Size, folder: string, progress: (line: string) => void): Promise<void> {
  const { bots } = size
  const wanted = bots > 0 ? Object.keys(hostsFor(size)) : shared
  for (const name of wanted) {
    if ((await inVps(name, 'true').catch(() => undefined))?.status === 0) continue
    progress(`booting ${name}`)
    await freshVps(name, { memory: bots > 0 ? '6g' : '2g', progress })
  }
  await ensureBackupKey()
  const hosts = Object.fromEntries(wanted.map((name) => [name, name]))
  const names = botNames(bots)
  const file = inventory(folder, { sshConfig: sshConfigFor(wanted[0] ?? ''), hosts, bots: names })
  const playbook = (...argv: string[]) => [process.execPath, zx, ...argv, '-i', file, '--json']
  progress(`site.ts on ${wanted.join(', ')}`)
  await timed(playbook('playbooks/site.ts'))
  if (bots === 0) return
  progress(`bot.ts: ${bots} on ${wanted}`)
  await timed(playbook('playbooks/bot.ts', '--all'), await tokens(names, wanted[0] ?? ''))
  await timed(playbook('playbooks/site.ts'))
}

export async function removeMachines(): Promise<void> {
  for (const name of knownHosts().filter((each) => each.startsWith('bench-'))) await removeVps(name)
}

/** The variables in which bot.ts finds the tokens of a machine's bots. */
export async function tokens(bots: readonly string[], machine: string): Promise<Record<string, string>> {
  const telegram = telegramAt(await telegramControlUrl())
  const entries = bots.map(async (name) => {
    const { token } = await telegram.ensureBot(`${machine}-${name}`)
    return [`${name.toUpperCase().replaceAll('-', '_')}_TOKEN`, token] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

export interface Wanted {
  readonly sshConfig: string
  /** The machine of each host, by the host's name. */
  readonly hosts: Readonly<Record<string, string>>
  /** On the hosts in turn. */
  readonly bots: readonly string[]
}

/** An inventory like the sandbox's own, as a file. */
export function inventory(folder: string, { sshConfig, hosts, bots }: Wanted): string {
  const names = Object.keys(hosts)
  const backups = { recipients: ['.sandbox/backup-recipient.txt'], local: '.sandbox/backups' }
  const file = join(folder, `${names.length}-hosts-${bots.length}-bots-${inventories++}.yaml`)
  const bot = (name: string, i: number) => ({
    host: names[i % names.length],
    source: name === 'hello-bot' ? 'bots/hello-bot' : 'bench/extra-bot',
  })
  const content = {
    sshConfig,
    vars: {
      docker: { registryMirrors: ['http://mirror.sandbox:5000'] },
      nginx: { telegram: ['10.212.0.0/16'] },
      certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
      bot: { telegram: 'http://telegram.sandbox:8081', settle: 1, drain: 1 },
      // Their settings name a host.
      ...(bots.length > 0 && names.length === 1 && { backups }),
    },
    hosts: Object.fromEntries(Object.entries(hosts).map(([name, machine]) => [name, { domain: `${machine}.sandbox` }])),
    bots: Object.fromEntries(bots.map((name, i) => [name, bot(name, i)])),
  }
  writeFileSync(file, stringify(content))
  return file
}

let inventories = 0
