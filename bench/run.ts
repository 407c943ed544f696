// botgarden beside those that people would take instead, doing the same work on the same host in turns: `npm run bench`.
// It needs `ansible-core`, `ansible-mitogen` (Debian's packages) and `pyinfra`; what is missing is left out, and said.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { local } from '../lib/shell/local.ts'
import { freshVps, inVps, removeVps, sshConfigFor } from '../sandbox/index.ts'
import { far } from './far.ts'
import { type Tool, toolsFor } from './tools.ts'

const host = 'bench'
const rounds = Number(process.argv[2] ?? 5)
/** One way, in milliseconds: a host on this machine, and one in another country. */
const distances = [0, 20]

const situations: readonly { name: string; check?: boolean; before?: string; version?: () => number }[] = [
  { name: 'nothing to change' },
  { name: 'a check, nothing to change', check: true },
  { name: 'one of 40 files differs', before: 'echo spoilt >/opt/bench/7/17.conf' },
  { name: 'all 40 files change', version: () => (next += 1) },
]
let next = 1

const folder = mkdtempSync(join(tmpdir(), 'botgarden-bench-'))
try {
  await freshVps(host, { progress: (line) => process.stderr.write(`${line}\n`) })
  // What the modules of Ansible run on.
  await inVps(host, 'apt-get update -q && apt-get install -qy --no-install-recommends python3 python3-apt', {
    seconds: 180,
  })
  for (const distance of distances) process.stdout.write(`${(await tableAt(distance)).join('\n')}\n`)
} finally {
  rmSync(folder, { recursive: true, force: true })
  await removeVps(host)
}

async function tableAt(distance: number): Promise<string[]> {
  const lines: string[] = []
  const config = readFileSync(sshConfigFor(host), 'utf8')
  const port = Number(/Port (\d+)/.exec(config.slice(config.indexOf(`Host ${host}\n`)))?.[1])
  const way = await far(port, distance)
  const sshConfig = join(folder, `ssh_config_${distance}`)
  writeFileSync(sshConfig, config.replaceAll(`Port ${port}`, `Port ${way.port}\n  HostKeyAlias [127.0.0.1]:${port}`))
  try {
    const { tools, missing } = await toolsFor(folder, sshConfig)
    lines.push(...missing.map((each) => `left out: ${each}`))
    lines.push('', `${2 * distance} ms there and back`, `| | ${tools.map(({ name }) => name).join(' | ')} |`)
    lines.push(`|---|${tools.map(() => '---|').join('')}`)
    for (const tool of tools) await timed(tool, next, false)
    for (const situation of situations) lines.push(await row(situation, tools))
    return lines
  } finally {
    way.close()
  }
}

/** The medians, and how many times botgarden's that is. Every round has each tool once, so that all meet the same machine. */
async function row({ name, check = false, before, version }: (typeof situations)[number], tools: readonly Tool[]) {
  const seconds = new Map<Tool, number[]>(tools.map((tool) => [tool, []]))
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      if (before !== undefined) await inVps(host, before)
      const wanted = version?.() ?? next
      seconds.get(tool)?.push(await timed(tool, wanted, check))
      process.stderr.write(`${name}: ${tool.name}: ${seconds.get(tool)?.at(-1)?.toFixed(2)} s\n`)
    }
  }
  const medians = tools.map((tool) => median(seconds.get(tool) ?? []))
  const [own = 1] = medians
  const cells = medians.map((each, i) => `${each.toFixed(2)} s${i === 0 ? '' : `, ${(each / own).toFixed(1)} ×`}`)
  return `| ${name} | ${cells.join(' | ')} |`
}

async function timed(tool: Tool, version: number, check: boolean): Promise<number> {
  const started = performance.now()
  const env = { ...process.env, NO_COLOR: '1', ...tool.env }
  const { exitCode, stdout, stderr } = await local({ nothrow: true, env })`${[...tool.command(version, check)]}`
  const seconds = (performance.now() - started) / 1000
  if (exitCode !== 0) throw new Error(`${tool.name} ended with ${exitCode}:\n${stdout}${stderr}`)
  // A tool that is fast because it does not do the work is not in the table.
  const right = await inVps(host, `cat /opt/bench/?/*.conf | grep -c '^version = ${version}$'`)
  if (right.stdout.trim() !== '40') throw new Error(`${tool.name} left ${right.stdout.trim()} files right of 40`)
  return seconds
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}
