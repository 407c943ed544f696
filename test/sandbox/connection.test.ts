// Needs a bare VPS of its own, `reached`: it changes how that is reached.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { freshVps, inVps, removeVps, sshConfigFor } from '../../sandbox/index.ts'
import { waitUntil } from '../../sandbox/machine/process.ts'
import { inventoryOf, resultOf, run, scratchFile } from '../support/runner.ts'
import { overSsh, portOf } from '../support/vps/ssh.ts'

const host = 'reached'
// A kept connection would hide what a new login meets.
const cold = { BOTGARDEN_CONTROL_PERSIST: '0' }
const check = (more: Record<string, unknown> = {}, ...flags: string[]) =>
  run(['playbooks/site.ts', '-i', inventoryOf(host, {}, more), '--check', '--json', ...flags], cold)

test.before(async () => {
  await freshVps(host)
})
test.after(() => removeVps(host))

test('an unknown host key is shown with its fingerprint and the next step, and taken only when told', async () => {
  const sshConfig = configWith('UserKnownHostsFile', scratchFile('known_hosts', ''))
  const refused = await check({ sshConfig })
  assert.is(refused.code, 4)
  const { error, status } = resultOf(refused, host)
  assert.is(status, 'unreachable')
  const { stdout } = await overSsh(host, 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub')
  assert.match(error, stdout.split(' ')[1] ?? '?')
  assert.match(error, '--accept-new')

  assert.is(resultOf(await check({ sshConfig }, '--accept-new'), host).status, 'ok')
  assert.is(resultOf(await check({ sshConfig }), host).status, 'ok')
})

test('a changed host key is refused in any case, and said to be changed', async () => {
  const other = `${(await overSsh(host, 'ssh-keygen -q -t ed25519 -N "" -f /tmp/other && cat /tmp/other.pub && rm /tmp/other*')).stdout}`
  const knownHosts = scratchFile('changed_hosts', `[127.0.0.1]:${portOf(host)} ${other}`)
  for (const flags of [[], ['--accept-new']]) {
    const refused = await check({ sshConfig: configWith('UserKnownHostsFile', knownHosts) }, ...flags)
    assert.is(refused.code, 4)
    assert.match(resultOf(refused, host).error, /CHANGED.*ssh-keygen -R/s)
  }
})

test('a host that is down is told from one that refuses the login', async () => {
  const down = await check({ sshConfig: configWith('Port', '1') })
  assert.is(down.code, 4)
  assert.match(resultOf(down, host).error, /cannot be reached: .*Connection refused/)
  const refused = await check({ hosts: { [host]: { ssh: `nobody@${host}` } } })
  assert.is(refused.code, 4)
  assert.match(resultOf(refused, host).error, /the login was refused: .*Permission denied/)
  const missing = await check({ sshConfig: undefined, hosts: { nowhere: { ssh: 'root@nowhere.invalid' } } })
  assert.is(missing.code, 4)
  assert.match(resultOf(missing, 'nowhere').error, /cannot be reached: .*resolve/)
})

test('a user with sudo does as well as root, whatever his login shell prints', async () => {
  await inVps(host, `echo 'echo hello from bashrc; echo "state x" >&2' >/home/debian/.bashrc`)
  const asRoot = resultOf(await check(), host)
  const asUser = resultOf(await check({ hosts: { [host]: { ssh: `debian@${host}` } } }), host)
  assert.equal(asUser.ids, asRoot.ids)
  assert.is(asUser.error, undefined)
  await inVps(host, 'rm /home/debian/.bashrc')
})

test('no host gets hold of the agent of whoever comes, whatever his ssh_config says', async () => {
  const socket = scratchFile('agent', '')
  rmSync(socket)
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' })
  assert.ok(await waitUntil(20, async () => existsSync(socket)))
  try {
    // What a login finds there, run by the login's own shell.
    await inVps(host, `echo 'echo "agent=$SSH_AUTH_SOCK" >>/tmp/agents' >/home/debian/.bashrc`)
    const ssh = `debian@${host}`
    const sshConfig = configWith('Port', `${portOf(host)}\n  ForwardAgent yes`)
    const args = ['playbooks/site.ts', '-i', inventoryOf(host, {}, { sshConfig, hosts: { [host]: { ssh } } })]
    const result = await run([...args, '--check', '--json'], { ...cold, SSH_AUTH_SOCK: socket })
    assert.is(resultOf(result, host).status, 'ok')
    // The same login as the operator makes it by hand, to see that there is something to be found.
    await local({ env: { ...process.env, SSH_AUTH_SOCK: socket } })`ssh -F ${sshConfig} ${ssh} true`
    const { stdout } = await inVps(host, 'cat /tmp/agents; rm /tmp/agents /home/debian/.bashrc')
    const found = stdout.trim().split('\n')
    assert.match(found.pop() ?? '', /^agent=\/tmp\//)
    assert.equal([...new Set(found)], ['agent='])
  } finally {
    agent.kill()
  }
})

test('a user without sudo is told so, with the line that is missing', async () => {
  await inVps(host, 'mkdir -p /root/kept && mv /etc/sudoers.d/* /root/kept/; gpasswd -d debian sudo')
  const refused = await check({ hosts: { [host]: { ssh: `debian@${host}` } } })
  await inVps(host, 'mv /root/kept/* /etc/sudoers.d/')
  assert.is(refused.code, 4)
  assert.match(resultOf(refused, host).error, 'debian ALL=(ALL) NOPASSWD: ALL')
})

test('an operating system that is not supported is refused by name, and nothing is touched', async () => {
  await inVps(host, 'cp -P /etc/os-release /root/os-release.kept && rm /etc/os-release')
  for (const [id, version, name] of [
    ['debian', '12', 'Debian GNU/Linux 12 (bookworm)'],
    ['fedora', '44', 'Fedora Linux 44'],
  ]) {
    await inVps(host, `printf '%s\\n' ID=${id} VERSION_ID=${version} 'PRETTY_NAME="${name}"' >/etc/os-release`)
    const refused = await check()
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, `${name} is not supported`)
  }
  await inVps(host, 'rm /etc/os-release')
  const unnamed = await check()
  assert.is(unnamed.code, 3)
  assert.match(resultOf(unnamed, host).error, /the facts of this host cannot be read/)
  await inVps(host, 'rm -f /etc/os-release && cp -P /root/os-release.kept /etc/os-release')
  assert.is(resultOf(await check(), host).status, 'ok')
})

test('a kept connection serves the next run, and a run can do without', async () => {
  for (const seconds of ['60', '0']) {
    const result = await run(['playbooks/site.ts', '-i', inventoryOf(host), '--check', '--json'], {
      BOTGARDEN_CONTROL_PERSIST: seconds,
    })
    assert.is(resultOf(result, host).status, 'ok')
  }
})

/** The sandbox's ssh_config with one setting of our host replaced. */
function configWith(name: string, value: string): string {
  const blocks = readFileSync(sshConfigFor(host), 'utf8').split(/^(?=Host )/m)
  const block = blocks.find((each) => each.startsWith(`Host ${host}\n`)) ?? ''
  return scratchFile(`ssh_config-${name}`, block.replace(new RegExp(`${name} .*`), `${name} ${value}`))
}

test.run()
