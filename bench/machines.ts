// The VPSs of the bench, each as site.ts makes it: one with hello-bot and as many more bots as a table is about, and some that
// stand for many hosts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, inVps, removeVps, sshConfigFor, telegramControlUrl } from '../sandbox/index.ts'
import { telegramAt } from '../sandbox/telegram/client.ts'
import { checkout, timed } from './timed.ts'

/** The one with the bots. */
const home = 'bench1'
/** Those that have more names than one: without bots, and without backups, whose settings name their host. */
const shared = ['bench2', 'bench3', 'bench4'] as const

export const zx = join(checkout, 'node_modules/zx/build/cli.js')

/** The machine of each host by the host's name: the one with the bots under its own name, or so many names of the others. */
export function hostsFor(count: number, withBots: boolean): Record<string, string> {
  if (withBots) return { [home]: home }
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`host-${i + 1}`, shared[i % shared.length] ?? shared[0]]),
  )
}

/** hello-bot and bots that cost little. */
export function botNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? 'hello-bot' : `extra-${i + 1}`))
}

/** Installs what is not there: the machine with hello-bot, or the others. */
export async function prepare(withBots: boolean, folder: string, progress: (line: string) => void): Promise<void> {
  const wanted = withBots ? [home] : shared
  for (const name of wanted) {
    if ((await inVps(name, 'true').catch(() => undefined))?.status === 0) continue
    progress(`booting ${name}`)
    await freshVps(name, { memory: withBots ? '6g' : '2g', progress })
  }
  await ensureBackupKey()
  const hosts = Object.fromEntries(wanted.map((name) => [name, name]))
  const file = inventory(folder, {
    sshConfig: sshConfigFor(wanted[0] ?? home),
    hosts,
    bots: botNames(withBots ? 1 : 0),
  })
  progress(`site.ts on ${wanted.join(', ')}`)
  await timed([process.execPath, zx, 'playbooks/site.ts', '-i', file, '--json'])
  if (withBots) await release(1, folder, progress)
}

/** Brings the machine with hello-bot to so many bots. */
export async function release(count: number, folder: string, progress: (line: string) => void): Promise<void> {
  progress(`bot.ts: ${count} bots`)
  const bots = botNames(count)
  const file = inventory(folder, { sshConfig: sshConfigFor(home), hosts: { [home]: home }, bots })
  const env = await tokens(bots)
  await timed([process.execPath, zx, 'playbooks/bot.ts', '-i', file, '--all', '--json'], env)
  await timed([process.execPath, zx, 'playbooks/site.ts', '-i', file, '--json'])
}

export async function removeMachines(): Promise<void> {
  for (const name of [home, ...shared]) await removeVps(name)
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
  const backups = { recipients: ['.sandbox/backup-recipient.txt'], local: '.sandbox/backups' }
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
      ...(bots.length > 0 && { backups }),
    },
    hosts: Object.fromEntries(Object.entries(hosts).map(([name, machine]) => [name, { domain: `${machine}.sandbox` }])),
    bots: Object.fromEntries(bots.map((name) => [name, bot(name)])),
  }
  writeFileSync(file, stringify(content))
  return file
}

let inventories = 0
