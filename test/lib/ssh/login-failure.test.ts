// Why a login failed and what the next step is, with stand-ins for ssh and ssh-keygen.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connectFailure } from '../../../lib/ssh/login-failure.ts'
import { scratchHost, withPrograms } from '../../support/scratch-host.ts'

const target = { name: 'vps1', ssh: 'root@192.0.2.1:2222', sshConfig: '/none', acceptNew: false }
const shownKey = 'SHA256:abc (ED25519)'
// Two keys, of which the first one is told.
const keygen = `for file; do :; done; [ ! -e "$file" ] || printf '256 SHA256:abc root@vps1 (ED25519)\\n3072 SHA256:def x (RSA)\\n'`

/** `settings`: what ssh -G prints. */
async function failure(stdout: string, stderr: string, { settings = '', answers = true, more = {} } = {}) {
  const host = scratchHost({
    ssh: `case " $* " in *' -G '*) printf '${settings}' ;; *)
      for word; do case $word in UserKnownHostsFile=*) file=\${word#*=} ;; esac; done
      ${answers ? ': >"$file"' : 'exit 255'} ;; esac`,
    'ssh-keygen': keygen,
  })
  const { message } = await withPrograms(host, () => connectFailure({ ...target, ...more }, stdout, stderr))
  return { lines: message.split('\n'), calls: host.noted('calls').split('\n').filter(Boolean) }
}

test('a user who may not use sudo is told the line that lets it', async () => {
  const { lines } = await failure(
    'botgarden login 1.2.3.4 5 6.7.8.9 22 ops\nbotgarden no-sudo\n',
    'sudo: a password is required\n',
  )
  assert.equal(lines, [
    'vps1: ops may not use sudo without a password: sudo: a password is required',
    'log in as root, or put this line into a file of /etc/sudoers.d on the host: ops ALL=(ALL) NOPASSWD: ALL',
  ])
  assert.match(
    (await failure('botgarden no-sudo', '')).lines[0] ?? '',
    'the login user may not use sudo without a password: botgarden no-sudo',
  )
})

test('an unknown host key is shown, asked for in a login that cannot succeed', async () => {
  for (const said of ['Host key verification failed.', 'No ED25519 host key is known for x']) {
    const { lines, calls } = await failure('', said)
    assert.equal(lines, [
      `vps1: its host key is not known yet: ${shownKey}`,
      "compare it with what the provider shows, or with the host's own console: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
      'if it is the same, run again with --accept-new',
    ])
    const [asked = ''] = calls
    assert.match(asked, /^ssh -T .* true$/)
    for (const option of [
      ...['StrictHostKeyChecking=accept-new', 'PreferredAuthentications=none', 'GlobalKnownHostsFile=/dev/null'],
      ...['ControlPath=none', 'ConnectTimeout=15', 'BatchMode=yes'],
    ])
      assert.match(asked, option)
  }
  const { lines } = await failure('', 'Host key verification failed.', { answers: false })
  assert.is(lines[0], 'vps1: its host key is not known yet: and it could not be read')
})

test('where the key of the host by which it is reached is not known, that one is named', async () => {
  const settings = 'hostname x\\nproxyjump jump.example.org\\n'
  const { lines } = await failure('', 'Host key verification failed.', { settings, answers: false })
  assert.equal(lines, [
    'vps1: the host key of jump.example.org, by which it is reached, is not known yet: log in there once: ssh jump.example.org',
  ])
  assert.match((await failure('', 'Host key verification failed.', { settings })).lines[0] ?? '', shownKey)
})

for (const [settings, more, forget] of [
  ['', {}, `ssh-keygen -R 'root@192.0.2.1:2222' -f ~/.ssh/known_hosts`],
  ['hostname 192.0.2.1\\nport 22\\nuserknownhostsfile /a b\\n', {}, `ssh-keygen -R '192.0.2.1' -f /a`],
  ['hostname 192.0.2.1\\nport 2222\\n', {}, `ssh-keygen -R '[192.0.2.1]:2222' -f ~/.ssh/known_hosts`],
  ['hostname 192.0.2.1\\nhostkeyalias vps\\n', {}, `ssh-keygen -R 'vps' -f ~/.ssh/known_hosts`],
] as const)
  test(`a changed key is forgotten by ${forget}`, async () => {
    const { lines } = await failure('', '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @', { settings, more })
    assert.equal(lines, [
      'vps1: its host key has CHANGED: the host was reinstalled, or the connection is intercepted',
      `it now shows ${shownKey}`,
      `if the host was reinstalled: ${forget}, then run again, and compare the new one when it is shown`,
    ])
  })

test('a key that has changed and cannot be read', async () => {
  const { lines } = await failure('', 'HOST IDENTIFICATION HAS CHANGED', { answers: false })
  assert.is(lines[1], 'it now shows a key that could not be read')
})

test('a login that is refused, and a host that is not reached, come with the command to try', async () => {
  const tried = async (stdout: string, stderr: string) => (await failure(stdout, stderr)).lines
  const [refused, way] = await tried('', 'root@192.0.2.1: Permission denied (publickey).\n')
  assert.is(refused, 'vps1: the login was refused: root@192.0.2.1: Permission denied (publickey).')
  assert.is(way, 'try: ssh -F /none -l root -p 2222 192.0.2.1')
  assert.equal(await tried('', 'Connection timed out'), [
    'vps1: cannot be reached: Connection timed out',
    'see that the address and the port are right, and that no firewall is in the way',
    way,
  ])
  assert.equal(await tried('banner', ''), ['vps1: cannot be reached: banner', way])
  assert.equal(await tried('', ''), ['vps1: cannot be reached: ssh ended without a word', way])
})

test('a name that ssh does not know may be an alias that is missing', async () => {
  const stderr = 'ssh: Could not resolve hostname VPS: Name or service not known'
  const { lines } = await failure('', stderr, { more: { ssh: 'vps' } })
  assert.match(lines[1] ?? '', '"vps" is not an alias either: /none has none')
  assert.match(
    lines[2] ?? '',
    'use an alias, or an address, as in root@192.0.2.1:22 (in the inventory: "ssh" of this host)',
  )
  const full = await failure('', 'Could not resolve hostname a.example.org: x', { more: { ssh: 'a.example.org' } })
  assert.match(full.lines[1] ?? '', /^no address is known for a\.example\.org: see that it is spelled right/)
  // Another name, as that of a jump, is none of the inventory's.
  const other = await failure('', 'Could not resolve hostname jump: x', { more: { ssh: 'vps' } })
  assert.match(other.lines[1] ?? '', /^try: ssh /)
})

test.run()
