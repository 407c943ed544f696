// ansible-core of Debian 13, with and without its Mitogen, in a container of Debian 13 on this machine.
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { baseImage } from '../../sandbox/images/debian.ts'
import { docker, logged, tryDocker } from '../../sandbox/machine/docker-cli.ts'
import { containerOf, label } from '../../sandbox/machine/paths.ts'
import type { Field } from '../field.ts'
import type { Program } from '../programs.ts'
import { checkout } from '../timed.ts'
import { mainJob } from './state.ts'

export interface Controller {
  /** Of ansible-core and Mitogen. */
  readonly versions: Readonly<Record<string, string>>
  readonly programs: readonly Program[]
  /** What of site.ts's resources the playbook states in its lists, of all; empty before its first run. */
  readonly stated: { text: string }
  /** Runs a playbook on a host that it may change; seconds. */
  install(field: Field, strategy: string, variables: Readonly<Record<string, unknown>>): Promise<number>
  stop(): Promise<void>
}

/** Starts the container; what is below the folder is there as it is here. */
export async function startController(folder: string, progress: (line: string) => void): Promise<Controller> {
  const container = containerOf('controller')
  const image = await imageOf(progress)
  await tryDocker(['rm', '-f', container])
  const mounts = [`${folder}:${folder}`, `${checkout}:${checkout}:ro`].flatMap((each) => ['-v', each])
  await docker([
    'run',
    '-d',
    '--name',
    container,
    '--label',
    label,
    '--network',
    'host',
    ...mounts,
    image,
    'sleep',
    'inf',
  ])
  const inside = (...argv: string[]) => docker(['exec', container, ...argv], { seconds: 3600 })
  const packages = await inside('dpkg-query', '-W', 'ansible-core', 'python3-mitogen')
  const versions = Object.fromEntries(packages.split('\n').map((line) => line.split(/\t|-[^-]*$/).slice(0, 2)))
  const stated = { text: '' }
  const play = (config: string, playbook: string) => {
    const env = [`ANSIBLE_CONFIG=${config}`, 'ANSIBLE_NOCOLOR=1']
    return inside('env', ...env, 'sh', '-c', timedInside, `${checkout}/bench/ansible/${playbook}`)
  }
  const run = async (field: Field, strategy: string) => ({
    seconds: secondsOf(await play(await prepared(field, strategy, stated), 'main-job.yaml'), field, 'changed=0 +'),
  })
  const install = async (field: Field, strategy: string, variables: Readonly<Record<string, unknown>>) => {
    const hosts = Object.fromEntries(field.names.map((name) => [name, variables]))
    return secondsOf(await play(configured(field, strategy, hosts), 'install.yaml'), field, '')
  }
  const linear = { name: 'ansible-core', isRival: true, run: (field: Field) => run(field, 'linear') }
  const mitogen = { name: 'ansible-core + Mitogen', isRival: true, run: (field: Field) => run(field, 'mitogen_linear') }
  return {
    ...{ versions, stated, install },
    programs: [linear, mitogen],
    stop: async () => void (await tryDocker(['rm', '-f', container])),
  }
}

/** The time of `docker exec` is not Ansible's. */
const timedInside = `start=$(date +%s%N)
ansible-playbook "$0" 2>&1; status=$?
end=$(date +%s%N)
echo "milliseconds $(((end - start) / 1000000))"
[ $status = 0 ] || exit 0`

/** `changes`: what the recap of each host says of them, as a pattern. */
function secondsOf(output: string, { names }: Field, changes: string): number {
  const recap = output.slice(output.indexOf('PLAY RECAP'))
  const wrong = names.filter((name) => !new RegExp(`^${name} .* ${changes}unreachable=0 +failed=0 `, 'm').test(recap))
  const milliseconds = /^milliseconds (\d+)$/m.exec(output)?.[1]
  if (wrong.length > 0 || milliseconds === undefined)
    throw new Error(
      // Without the tasks that have nothing to tell.
      `ansible-playbook changed something, or failed, on ${wrong.join(', ')}:\n${output.replace(/^TASK \[.*\] \*+\n\n/gm, '').slice(-3000)}`,
    )
  return Number(milliseconds) / 1000
}

/** The configuration and the inventory of a field, written when it is met first; the path of the configuration. */
async function prepared(field: Field, strategy: string, stated: { text: string }): Promise<string> {
  const config = join(field.folder, `${strategy}.cfg`)
  if (readyFields.has(config)) return config
  const hosts: Record<string, unknown> = {}
  const jobs = new Map<string, Record<string, unknown>>()
  for (const [name, machine] of Object.entries(field.hosts)) {
    // Hosts of one machine are alike, but for the bots: those are the first one's.
    const same = jobs.get(machine)
    if (same !== undefined) {
      hosts[name] = { ...same, bots: [] }
      continue
    }
    const { variables, stated: counts } = await mainJob(field, name, join(field.folder, machine))
    if (stated.text === '') stated.text = `${counts[0]} of ${counts[1]}`
    jobs.set(machine, { ...variables, key: join(checkout, '.sandbox/id_ed25519.pub') })
    hosts[name] = jobs.get(machine)
  }
  readyFields.add(config)
  return configured(field, strategy, hosts)
}

function configured(field: Field, strategy: string, hosts: Readonly<Record<string, unknown>>): string {
  const config = join(field.folder, `${strategy}.cfg`)
  const inventory = join(field.folder, 'hosts.json')
  writeFileSync(inventory, JSON.stringify({ all: { hosts } }))
  writeFileSync(config, configOf(field, inventory, strategy))
  return config
}

const readyFields = new Set<string>()

/** As its own documentation has it for speed: fewer operations a task, one connection, kept; as many hosts at once as we have. */
function configOf({ folder, sshConfig }: Field, inventory: string, strategy: string): string {
  const plugins = '/usr/share/ansible/plugins/strategy:/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy'
  return `[defaults]
inventory = ${inventory}
strategy = ${strategy}
${strategy === 'linear' ? '' : `strategy_plugins = ${plugins}`}
interpreter_python = /usr/bin/python3
deprecation_warnings = false
forks = 25
[ssh_connection]
pipelining = true
ssh_args = -F ${sshConfig} -o ControlMaster=auto -o ControlPersist=600s
control_path_dir = ${folder}
`
}

async function imageOf(progress: (line: string) => void): Promise<string> {
  const base = await baseImage(progress)
  const dockerfile = join(import.meta.dirname, 'Dockerfile')
  const hash = createHash('sha256').update(base).update(readFileSync(dockerfile)).digest('hex').slice(0, 12)
  const tag = `botgarden-sandbox/controller:${hash}`
  if ((await tryDocker(['image', 'inspect', '--format', 'x', tag])).status === 0) return tag
  progress('building the image in which Ansible runs')
  const options = ['--force-rm', '--build-arg', `FROM=${base}`, '-f', dockerfile, '-t', tag]
  await logged('build-controller', 900, ['docker', 'build', ...options, import.meta.dirname])
  return tag
}
