import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { local } from '../lib/shell/local.ts'

/** One of those that are compared: how it does the work of the bench in this version, or looks what it would do. */
export interface Tool {
  readonly name: string
  readonly command: (version: number, check: boolean) => readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const here = import.meta.dirname
const zx = join(here, '../node_modules/zx/build/cli.js')

/** Those that are on this machine, with what they need in a folder of the bench's own. */
export async function toolsFor(folder: string, sshConfig: string): Promise<{ tools: Tool[]; missing: string[] }> {
  const candidates: [probe: readonly string[], tool: () => Promise<Tool> | Tool][] = [
    [['true'], () => botgarden(folder, sshConfig)],
    [['ansible-playbook', '--version'], () => ansible(folder, sshConfig, 'ansible', 'linear')],
    [['ansible', '-m', 'ping', 'localhost'], () => ansible(folder, sshConfig, 'ansible + mitogen', 'mitogen_linear')],
    [['pyinfra', '--version'], () => pyinfra(folder, sshConfig)],
  ]
  const tools: Tool[] = []
  const missing: string[] = []
  for (const [probe, make] of candidates) {
    const tool = await make()
    const env = { ...process.env, ...tool.env }
    const { exitCode, stdout, stderr } = await local({ nothrow: true, env })`${[...probe]}`
    if (exitCode === 0) tools.push({ ...tool, name: `${tool.name}${versionIn(stdout)}` })
    else missing.push(`${tool.name}: ${stderr.trim().split('\n').at(-1)}`)
  }
  return { tools, missing }
}

function versionIn(text: string): string {
  const version = /\d+\.\d+(?:\.\d+)?(?:\S*\d)?/.exec(text)?.[0]
  return version === undefined || !/ansible|pyinfra/.test(text) ? '' : ` ${version}`
}

function botgarden(folder: string, sshConfig: string): Tool {
  const inventory = (version: number) => {
    const file = join(folder, `garden-${version}.yaml`)
    writeFileSync(file, JSON.stringify({ sshConfig, vars: { workload: { version } }, hosts: { bench: {} } }))
    return file
  }
  return {
    name: 'botgarden',
    command: (version, check) => {
      const flags = ['-i', inventory(version), ...(check ? ['--check'] : [])]
      return [process.execPath, zx, join(here, 'garden.ts'), ...flags]
    },
  }
}

function ansible(folder: string, sshConfig: string, name: string, strategy: string): Tool {
  const config = join(folder, `${strategy}.cfg`)
  writeFileSync(join(folder, 'hosts'), 'bench\n')
  // As its own documentation has it for speed: fewer operations a task, one connection, kept.
  writeFileSync(
    config,
    `[defaults]
inventory = ${folder}/hosts
strategy = ${strategy}
${strategy === 'linear' ? '' : 'strategy_plugins = /usr/share/ansible/plugins/strategy:/usr/lib/python3/dist-packages/ansible_mitogen/plugins/strategy'}
interpreter_python = /usr/bin/python3
deprecation_warnings = false
[ssh_connection]
pipelining = true
ssh_args = -F ${sshConfig} -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = ${folder}
`,
  )
  return {
    name,
    command: (version, check) => {
      const flags = ['-e', `{"version": ${version}}`, ...(check ? ['--check'] : [])]
      return ['ansible-playbook', join(here, 'ansible/site.yaml'), ...flags]
    },
    env: { ANSIBLE_CONFIG: config, ANSIBLE_NOCOLOR: '1' },
  }
}

function pyinfra(folder: string, sshConfig: string): Tool {
  const inventory = join(folder, 'inventory.py')
  writeFileSync(
    inventory,
    `hosts = [("bench", {"ssh_config_file": "${sshConfig}", "ssh_strict_host_key_checking": "off"})]\n`,
  )
  return {
    name: 'pyinfra',
    // Since its version 3 it asks before it begins.
    env: { PYINFRA_YES: '1' },
    command: (version, check) => {
      const flags = ['--data', `version=${version}`, ...(check ? ['--dry'] : [])]
      return ['pyinfra', ...flags, inventory, join(here, 'pyinfra/deploy.py')]
    },
  }
}
