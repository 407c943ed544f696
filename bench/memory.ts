// What each part of more than one host takes of the memory of three VPSs of 1 GB. `node bench/memory.ts`; about ten minutes.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, inVps, removeVps, sshConfigFor, telegramControlUrl } from '../sandbox/index.ts'
import { telegramAt } from '../sandbox/telegram/client.ts'
import { zx } from './machines.ts'
import { timed } from './timed.ts'

const names = ['memory-a', 'memory-b', 'memory-c'] as const
const [one, two] = names
await ensureBackupKey()
const progress = (line: string) => void process.stderr.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'botgarden-bench-'))
const mesh = { mesh: { network: '10.214.0.0/16' } }
const continuous = {
  backups: { recipients: ['.sandbox/backup-recipient.txt'], local: '.sandbox/backups', continuous: true },
}

/** What site.ts is to make, in this order; the memory that each host has in use after it. */
const stages: readonly {
  readonly what: string
  readonly vars: object
  readonly first?: object
  readonly bot?: object
}[] = [
  { what: 'hello-bot alone', vars: {} },
  { what: 'with a mesh of three', vars: mesh },
  { what: 'with continuous archiving', vars: mesh, first: continuous },
  { what: 'with three replicas of the bot', vars: mesh, first: continuous, bot: { replicas: 3, hosts: names } },
  { what: 'without replicas', vars: mesh, first: continuous },
  {
    what: 'with a standby on the second host',
    vars: mesh,
    first: { ...continuous, postgres: { standby: two } },
  },
]

try {
  for (const name of names) await freshVps(name, { memory: '1g', tun: true, progress })
  const telegram = telegramAt(await telegramControlUrl())
  process.env.HELLO_BOT_TOKEN = (await telegram.ensureBot('memory-hello-bot')).token
  for (const stage of stages) {
    const inventory = write(stage)
    const [site, bot] = [['site.ts'], ['bot.ts', '--name', 'hello-bot', '--wait']]
    // Replicas come back to their host before it leaves the swarm.
    for (const [playbook, ...args] of stage.what.startsWith('without') ? [bot, site] : [site, bot, site])
      await timed([process.execPath, zx, `playbooks/${playbook}`, '-i', inventory, ...args])
    await pause(20_000)
    const used = await Promise.all(names.map(usedMB))
    process.stdout.write(`${stage.what}: ${used.map((mb, i) => `${names[i]} ${mb} MB`).join(', ')}\n`)
  }
} finally {
  for (const name of names) await removeVps(name)
  rmSync(folder, { recursive: true, force: true })
}

function write({ vars, first = {}, bot = {} }: (typeof stages)[number]): string {
  const file = join(folder, 'inventory.yaml')
  const hosts = Object.fromEntries(
    names.map((name) => [name, { domain: `${name}.sandbox`, ...(name === one && first) }]),
  )
  const all = {
    docker: { registryMirrors: ['http://mirror.sandbox:5000'] },
    ...{ bot: { telegram: 'http://telegram.sandbox:8081', settle: 3 }, nginx: { telegram: ['10.212.0.0/16'] } },
    ...{ certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' }, ...vars },
  }
  writeFileSync(
    file,
    JSON.stringify({ sshConfig: sshConfigFor(one), vars: all, hosts, bots: { 'hello-bot': { host: one, ...bot } } }),
  )
  return file
}

/** What processes and the kernel hold for the host, without what only caches its disk, which is given back when somebody needs it. */
async function usedMB(name: string): Promise<number> {
  const { stdout } = await inVps(
    name,
    'cat /sys/fs/cgroup/memory.stat 2>/dev/null || cat /sys/fs/cgroup/memory/memory.stat',
  )
  const of = (key: string) => Number(new RegExp(`^${key} (\\d+)$`, 'm').exec(stdout)?.[1] ?? 0)
  const bytes = /^anon /m.test(stdout) ? of('anon') + of('kernel') + of('shmem') : of('total_rss') + of('total_shmem')
  return Math.round(bytes / 2 ** 20)
}
