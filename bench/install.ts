// The first install of a bare VPS, without bots: site.ts beside Ansible. `node bench/install.ts [--rounds N]`; minutes a round.
import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureBackupKey } from '../sandbox/backup-key.ts'
import { freshVps, removeVps, sshConfigFor } from '../sandbox/index.ts'
import { startController } from './ansible/index.ts'
import { mainJob } from './ansible/state.ts'
import type { Field } from './field.ts'
import { inventory, zx } from './machines.ts'
import { median } from './rounds.ts'
import { timed } from './timed.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } })
const name = 'bench-install'
const progress = (line: string) => void process.stderr.write(`${line}\n`)
const folder = mkdtempSync(join(tmpdir(), 'botgarden-bench-'))
// Starts what a sandbox needs.
await freshVps(name, { memory: '2g', progress })
const ansible = await startController(folder, progress)
const seconds: Record<string, number[]> = { 'site.ts': [], 'ansible-core': [], 'ansible-core + Mitogen': [] }
try {
  await ensureBackupKey()
  // Counted as well: what a mirror keeps is for whoever comes next.
  const variables = await site()
  for (let round = 1; round <= Number(values.rounds); round++) {
    seconds['ansible-core']?.push(await ansible.install(await bareField(), 'linear', variables))
    seconds['ansible-core + Mitogen']?.push(await ansible.install(await bareField(), 'mitogen_linear', variables))
    await site()
    progress(`round ${round}: ${JSON.stringify(seconds)}, load ${loadavg()[0]?.toFixed(1)}`)
  }
  for (const [program, all] of Object.entries(seconds))
    process.stdout.write(
      `${program}: median ${median(all).toFixed(1)} s of ${all.map((each) => each.toFixed(1)).join(', ')}\n`,
    )
} finally {
  await ansible.stop()
  await removeVps(name)
  rmSync(folder, { recursive: true, force: true })
}

/** Installs a bare VPS; what Ansible needs to bring another one to that state. */
async function site(): Promise<Readonly<Record<string, unknown>>> {
  const field = await bareField()
  const run = await timed([process.execPath, zx, 'playbooks/site.ts', '-i', field.inventory, '--json'])
  seconds['site.ts']?.push(run.seconds)
  const { variables } = await mainJob(field, name, join(folder, 'contents'))
  return { ...variables, authority: 'https://pebble.sandbox:14000/dir' }
}

/** A new VPS under the same name, so that its certificate and files are the same. */
async function bareField(): Promise<Field> {
  await removeVps(name)
  await freshVps(name, { memory: '2g', progress: () => {} })
  const sshConfig = sshConfigFor(name)
  const hosts = { [name]: name }
  const none = async () => {}
  const own = {
    folder,
    hosts,
    names: [name],
    bots: [],
    sshConfig,
    controlPath: '',
    warm: none,
    cool: none,
    close: none,
  }
  return { ...own, inventory: inventory(folder, { sshConfig, hosts, bots: [] }) }
}
