// Needs a bare VPS of its own, `based`.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, restartVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, scratchFile } from '../support/runner.ts'
import { outputIn } from '../support/vps/inside.ts'
import { difference, snapshot } from '../support/vps/snapshot.ts'
import { overSsh, sshWith } from '../support/vps/ssh.ts'

const host = 'based'
const dropIn = '/etc/ssh/sshd_config.d/00-botgarden.conf'
const identity = scratchFile('ops', '')
execFileSync('sh', ['-c', `rm "$1" && ssh-keygen -q -t ed25519 -N "" -C ops@example.org -f "$1"`, 'sh', identity])
const admin = { name: 'ops', keys: [readFileSync(`${identity}.pub`, 'utf8').trim()] }
const inventory = inventoryOf(host, { base: { admin } })
const site = (...args: string[]) => run(['playbooks/site.ts', '-i', inventory, '--tags', 'base', '--json', ...args])
const inside = outputIn(host)

test.before(async () => {
  await freshVps(host)
  // As cloud-init writes it where the provider gave a password.
  await inside(
    `echo 'PasswordAuthentication yes' >/etc/ssh/sshd_config.d/50-cloud-init.conf && systemctl restart ssh && echo debian:secret | chpasswd`,
  )
})
test.after(() => removeVps(host))

test('a check of a bare host says what a run then does, and writes nothing', async () => {
  assert.match((await passwordLogin()).stderr, /Permission denied \(publickey,password\)/)
  const before = await snapshot(host)
  const check = await site('--check')
  const checked = resultOf(check, host)
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(check.code, 2, checked.error)
  assert.is(checked.unknown, 0)

  const apply = await site()
  const applied = resultOf(apply, host)
  assert.is(apply.code, 0, apply.stderr)
  assert.equal(applied.ids, checked.ids)
})

test('a second run changes nothing, in one round trip', async () => {
  const { changed, unknown, failed, roundTrips, error } = resultOf(await site(), host)
  assert.equal({ changed, unknown, failed, roundTrips }, { changed: 0, unknown: 0, failed: 0, roundTrips: 1 }, error)
})

test('keys only, as seen from outside of our code, and by what sshd itself says', async () => {
  assert.match((await passwordLogin()).stderr, /Permission denied \(publickey\)/)
  const effective = await inside('sshd -T')
  for (const line of [
    'passwordauthentication no',
    'kbdinteractiveauthentication no',
    'permitrootlogin without-password',
  ])
    assert.match(effective, new RegExp(`^${line}$`, 'm'))
  assert.is((await overSsh(host, 'id -un')).stdout, 'root\n')
})

test('the admin logs in with his key and has sudo', async () => {
  const { code, stdout, stderr } = await sshWith(['-l', 'ops', '-i', identity], host, 'sudo -n id -un && id -nG')
  assert.equal({ code, stdout }, { code: 0, stdout: 'root\nops sudo\n' }, stderr)
})

test('ssh-audit finds no failure', async () => {
  await inside('apt-get update -qq && apt-get install -y -qq --no-install-recommends ssh-audit >/dev/null 2>&1')
  const audit = await inVps(host, 'ssh-audit --no-colors localhost')
  assert.match(audit.stdout, /\(kex\) .*\n.*\(mac\) /s)
  assert.not.match(audit.stdout, /\[(fail|warn)\]/)
  assert.is(audit.status, 0)
})

for (const [how, command, id, summary] of [
  ['a shell', 'usermod -s /bin/sh ops', 'user:ops', 'shell /bin/sh → /bin/bash'],
  ['a locked password', 'echo ops:secret | chpasswd', 'user:ops', 'lock the password'],
  ['a membership', 'gpasswd -d ops sudo', 'member:sudo/ops', 'add'],
  ['a key', 'echo "# none" >/home/ops/.ssh/authorized_keys', 'keys:ops', 'add a key'],
  ['the file of keys', 'rm -r /home/ops/.ssh', 'keys:ops', 'add a key'],
  [
    'its mode',
    'chmod 664 /home/ops/.ssh/authorized_keys',
    'keys:ops',
    '/home/ops/.ssh/authorized_keys: 0664 ops → 0600 ops',
  ],
  ["its directory's owner", 'chown root /home/ops/.ssh', 'keys:ops', '/home/ops/.ssh: 0700 root → 0700 ops'],
  ['sudo', 'SUDO_FORCE_REMOVE=yes dpkg --remove sudo', 'package:sudo', 'install'],
  ['the right to it', 'rm /etc/sudoers.d/botgarden-admin', 'file:/etc/sudoers.d/botgarden-admin', 'create'],
  [
    "the right's mode",
    'chmod 444 /etc/sudoers.d/botgarden-admin',
    'file:/etc/sudoers.d/botgarden-admin',
    'mode 0444 → 0440',
  ],
  ['a directory', 'chmod 700 /etc/ssh/sshd_config.d', 'directory:/etc/ssh/sshd_config.d', 'mode 0700 → 0755'],
  ["the settings' mode", `chmod 600 ${dropIn}`, `file:${dropIn}`, 'mode 0600 → 0644'],
  ["the settings' owner", `chown debian ${dropIn}`, `file:${dropIn}`, 'owner debian:root → root:root'],
  ['the settings', `echo PasswordAuthentication yes >${dropIn}`, `file:${dropIn}`, 'content'],
  ['all of them', `rm ${dropIn}`, `file:${dropIn}`, 'create'],
  [
    "the unit's drop-in",
    'echo >>/etc/systemd/system/ssh.service.d/botgarden.conf',
    'file:/etc/systemd/system/ssh.service.d/botgarden.conf',
    'content',
  ],
  [
    'what systemd has read of it',
    'touch /etc/systemd/system/ssh.service.d/botgarden.conf',
    'sshd:config',
    'reload the unit files of systemd',
  ],
  [
    'what sshd runs with',
    'echo other >/run/botgarden/sshd.started-with',
    'sshd:config',
    'restart sshd with its new configuration',
  ],
  [
    'what else it should run with',
    'echo "PrintLastLog no" >/etc/ssh/sshd_config.d/60-own.conf',
    'sshd:config',
    'restart sshd with its new configuration',
  ],
] as const) {
  test(`spoilt by hand, ${how} is the one change that a check sees and a run makes`, async () => {
    await inside(command)
    const expected = [{ id, summary, role: 'base' }]
    const checked = resultOf(await site('--check'), host)
    assert.equal(checked.changes, expected, checked.error)
    const mended = resultOf(await site(), host)
    assert.equal(mended.changes, expected, mended.error)
    assert.is(resultOf(await site(), host).changed, 0)
  })
}

for (const [what, settings, error] of [
  ['a list without the login user', { AllowUsers: 'somebody' }, /AllowUsers somebody would lock out root/],
  ['another port', { Port: 2222 }, /no longer listen on port 22/],
  ['no root login for root', { PermitRootLogin: false }, /PermitRootLogin no would lock out root/],
  ['no keys', { PubkeyAuthentication: false }, /PubkeyAuthentication no/],
  ['what is no setting', { PermitRotLogin: 'no' }, /refuses base.sshd.settings: .*00-botgarden.conf.*PermitRotLogin/],
] as const) {
  test(`refuses ${what} before anything is touched`, async () => {
    const file = inventoryOf(host, { base: { admin: { ...admin, name: 'other' }, sshd: { settings } } })
    await refused(file, error)
  })
}

test('shuts root out for whoever logs in as somebody else', async () => {
  const vars = { base: { sshd: { settings: { PermitRootLogin: 'no' } } } }
  const asDebian = inventoryOf(host, vars, { hosts: { [host]: { ssh: `debian@${host}` } } })
  const checked = resultOf(
    await run(['playbooks/site.ts', '-i', asDebian, '--tags', 'base', '--json', '--check']),
    host,
  )
  assert.equal(checked.ids, [`file:${dropIn}`, 'sshd:config'], checked.error)
})

test('refuses to leave password login off where the key is gone', async () => {
  // The connection of this one serves the next.
  assert.is((await site('--check')).code, 0)
  await inside('mv /root/.ssh/authorized_keys /root/kept')
  try {
    await refused(inventory, /root has no key in .*authorized_keys.*ssh-copy-id/)
  } finally {
    await inside('mv /root/kept /root/.ssh/authorized_keys')
  }
})

test('refuses to go on where an earlier drop-in wins, and says which line', async () => {
  await inside('printf "# mine\\nPasswordAuthentication yes\\n" >/etc/ssh/sshd_config.d/00-a.conf')
  await refused(inventory, /PasswordAuthentication would be yes and not no: .*00-a.conf:2 overrides it/)
  await inside('rm /etc/ssh/sshd_config.d/00-a.conf')
  assert.is(resultOf(await site(), host).changed, 0)
})

test('whoever gives away the sudo that he works through has it back', async () => {
  await inside('mv /etc/sudoers.d/90-cloud-init-users /root/kept')
  const asDebian = { hosts: { [host]: { ssh: `debian@${host}` } } }
  const runAs = (name: string, more = {}) =>
    run(['playbooks/site.ts', '-i', inventoryOf(host, { base: { admin: { ...admin, name } } }, more), '--tags', 'base'])
  const given = await runAs('debian')
  assert.is(given.code, 0, given.stderr)
  const away = await runAs('ops', asDebian)
  assert.is(away.code, 5, away.stderr)
  assert.match(await inside('cat /etc/sudoers.d/botgarden-admin'), /^debian ALL/m)
  await inside('mv /root/kept /etc/sudoers.d/90-cloud-init-users')
  assert.is((await runAs('ops', asDebian)).code, 0)
})

test('refuses a port that is not the one of the options that the service starts sshd with', async () => {
  await inside(`echo 'SSHD_OPTS="-p 2222"' >/etc/default/ssh`)
  await refused(inventory, /no longer listen on port 22/)
  await inside(`echo 'SSHD_OPTS=' >/etc/default/ssh`)
})

test('after a boot nothing is left to do, and an sshd whose address comes late is there', async () => {
  const [, , , address = ''] = (await overSsh(host, 'echo $SSH_CONNECTION')).stdout.match(/(\S+) (\S+) (\S+)/) ?? []
  const oneAddress = inventoryOf(host, { base: { admin, sshd: { settings: { ListenAddress: address } } } })
  const listening = () => run(['playbooks/site.ts', '-i', oneAddress, '--tags', 'base', '--json'])
  assert.is(resultOf(await listening(), host).error, undefined)
  await inside(lateAddress)
  await restartVps(host)
  assert.is(resultOf(await listening(), host).changed, 0)
  await inside('systemctl disable early late')
  assert.equal(resultOf(await site(), host).ids, [`file:${dropIn}`, 'sshd:config'])
})

test("where the port is that of systemd's socket it stays so, and sshd gets its new configuration all the same", async () => {
  await inside('systemctl disable --now ssh.service && systemctl enable --now ssh.socket')
  await inside(`echo 'PrintLastLog yes' >/etc/ssh/sshd_config.d/60-own.conf`)
  assert.is((await overSsh(host, 'id -un')).stdout, 'root\n')
  await inside('echo other >/run/botgarden/sshd.started-with')
  const applied = resultOf(await site(), host)
  assert.equal(applied.ids, ['sshd:config'], applied.error)
  assert.is((await inside('systemctl is-enabled ssh.service ssh.socket || :')).trim(), 'disabled\nenabled')
  assert.is(resultOf(await site(), host).changed, 0)
})

/** Like a tunnel's: away when sshd is started, and there some seconds later. */
const lateAddress = `
  unit() { printf '%s\\n' '[Unit]' "$2" '[Service]' Type=oneshot "ExecStart=/bin/sh /root/$1" '[Install]' WantedBy=multi-user.target >/etc/systemd/system/$1.service; }
  echo 'ip -4 -o address show eth0 | grep -o "inet [^ ]*" >/run/own; ip address flush dev eth0' >/root/early
  echo 'read inet own </run/own; sleep 4; ip address add $own dev eth0; ip route add default via \${own%.*}.1' >/root/late
  unit early Before=ssh.service
  unit late After=ssh.service
  systemctl enable early late`

/** Says no in a check and in a run, and leaves all as it is. */
async function refused(file: string, error: RegExp): Promise<void> {
  const listing = 'find /etc /home /root -newer /run/refused; ls -l /etc/ssh/sshd_config.d /etc/sudoers.d'
  await inside('touch /run/refused')
  const before = await inside(listing)
  for (const flags of [['--check'], []]) {
    const result = await run(['playbooks/site.ts', '-i', file, '--tags', 'base', '--json', ...flags])
    assert.is(result.code, 3, result.stdout)
    assert.match(resultOf(result, host).error, error)
    assert.is(await inside(listing), before)
  }
}

/** A login that offers no key: what is denied says which ways there are. */
function passwordLogin() {
  return sshWith(['-l', 'debian', '-o', 'PubkeyAuthentication=no', '-o', 'BatchMode=yes'], host, 'true')
}

test.run()
