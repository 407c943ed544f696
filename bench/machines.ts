// The VPSs of the bench, each as site.ts makes it: the first has hello-bot, and as many more bots as a table is about.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, inVps, removeVps, sshConfigFor, telegramControlUrl } from '../sandbox/index.ts'
import { telegramAt } from '../sandbox/telegram/client.ts'
import { checkout, timed } from './timed.ts'

const machines = ['bench1', 'bench2', 'bench3'] as const

export const zx = join(checkout, 'node_modules/zx/build/cli.js')

/** The machine that the host with this number is: hosts are more than machines. */
export function machineOf(number: number): string {
  return machines[number % machines.length] ?? machines[0]
}

/** hello-bot and bots that cost little. */
export function botNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? 'hello-bot' : `extra-${i + 1}`))
}

/** Installs what is not there: so many machines, the first with hello-bot. */
export async function prepare(count: number, folder: string, progress: (line: string) => void): Promise<void> {
  const wanted = machines.slice(0, count)
  for (const name of wanted) {
    if ((await inVps(name, 'true').catch(() => undefined))?.status === 0) continue
    progress(`booting ${name}`)
    await freshVps(name, { memory: name === machines[0] ? '6g' : '2g', progress })
  }
  await ensureBackupKey()
  const hosts = Object.fromEntries(wanted.map((name) => [name, name]))
  const file = inventory(folder, { sshConfig: sshConfigFor(machines[0]), hosts, bots: botNames(1) })
  progress(`site.ts on ${wanted.join(', ')}`)
  await timed([process.execPath, zx, 'playbooks/site.ts', '-i', file, '--json'])
  await release(1, folder, progress)
}

/** Brings the first machine to so many bots. */
export async function release(count: number, folder: string, progress: (line: string) => void): Promise<void> {
  progress(`bot.ts: ${count} bots`)
  const bots = botNames(count)
  const hosts = { [machines[0]]: machines[0] }
  const file = inventory(folder, { sshConfig: sshConfigFor(machines[0]), hosts, bots })
  const env = await tokens(bots)
  await timed([process.execPath, zx, 'playbooks/bot.ts', '-i', file, '--all', '--json'], env)
  await timed([process.execPath, zx, 'playbooks/site.ts', '-i', file, '--json'])
}

export async function removeMachines(): Promise<void> {
  for (const name of machines) await removeVps(name)
}

/** The variables in which bot.ts finds the tokens of these bots. */
export async function tokens(bots: readonly string[]): Promise<Record<string, string>> {
  const telegram = telegramAt(await telegramControlUrl())
  const entries = bots.map(async (name) => {
    const { token } = await telegram.ensureBot(`bench-${name}`)
    return [`${name.toUpperCase().replaceAll('-', '_')}_TOKEN`, token] as const
  })
  return Object.fromEntries(await Promise.all(entries))
}

export interface Wanted {
  readonly sshConfig: string
  /** The machine of each host, by the host's name. */
  readonly hosts: Readonly<Record<string, string>>
  /** All of them on the first host. */
  readonly bots: readonly string[]
}

/** An inventory like the sandbox's own, as a file. */
export function inventory(folder: string, { sshConfig, hosts, bots }: Wanted): string {
  const names = Object.keys(hosts)
  const file = join(folder, `${names.length}-hosts-${bots.length}-bots-${inventories++}.yaml`)
  const bot = (name: string) => ({
    host: names[0],
    source: name === 'hello-bot' ? 'bots/hello-bot' : 'bench/extra-bot',
  })
  const content = {
    sshConfig,
    vars: {
      docker: { registryMirrors: ['http://mirror.sandbox:5000'] },
      nginx: { telegram: ['10.212.0.0/16'] },
      certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
      bot: { telegram: 'http://telegram.sandbox:8081', settle: 1, drain: 1 },
      backups: { recipients: ['.sandbox/backup-recipient.txt'], local: '.sandbox/backups' },
    },
    hosts: Object.fromEntries(Object.entries(hosts).map(([name, machine]) => [name, { domain: `${machine}.sandbox` }])),
    bots: Object.fromEntries(bots.map((name) => [name, bot(name)])),
  }
  writeFileSync(file, stringify(content))
  return file
}

let inventories = 0
