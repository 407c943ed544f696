// What `base` writes on a host, read as the programs read it that it is for; and its scripts, run in a real sh.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Resource } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { adminUser } from '../../../roles/base/admin.ts'
import { changeReport } from '../../../roles/base/aide-report.ts'
import { clock } from '../../../roles/base/clock.ts'
import { hardening } from '../../../roles/base/hardening.ts'
import { base } from '../../../roles/base/index.ts'
import { journal } from '../../../roles/base/journal.ts'
import { kernel } from '../../../roles/base/kernel.ts'
import { swap } from '../../../roles/base/memory.ts'
import { packages } from '../../../roles/base/packages.ts'
import { sshdSettings } from '../../../roles/base/settings.ts'
import { guard, sshd } from '../../../roles/base/sshd.ts'
import {
  acceptScript,
  dropInPath,
  mainConfig,
  type SshdConfig,
  sshdConfig,
  withDropIn,
} from '../../../roles/base/sshd-config.ts'
import { upgrades } from '../../../roles/base/upgrades.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, contentOf, idsOf, planOf, wantsOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const ubuntu = { ...facts, os: 'ubuntu' as const }
/** The lines that say something, as most of these files have them. */
const lines = (text: string) =>
  text.split('\n').filter((line) => line.trim() !== '' && !/^\s*(#(?!clear)|\/\/)/.test(line))
const isOurs = (text: string) => assert.match(text, /Written by botgarden; changes made here are overwritten/)

test('sshd: keys only, root by key only, nothing forwarded but a tunnel to the host', () => {
  const content = contentOf(sshd({}, facts), '00-botgarden.conf')
  isOurs(content)
  assert.equal(Object.fromEntries(lines(content).map((line) => line.split(/ (.*)/).slice(0, 2))), {
    PermitRootLogin: 'prohibit-password',
    PubkeyAuthentication: 'yes',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    MaxAuthTries: '6',
    LoginGraceTime: '30',
    MaxStartups: '10:30:60',
    MaxSessions: '4',
    ClientAliveInterval: '15',
    ClientAliveCountMax: '2',
    TCPKeepAlive: 'no',
    LogLevel: 'VERBOSE',
    X11Forwarding: 'no',
    AllowAgentForwarding: 'no',
    AllowTcpForwarding: 'local',
    KexAlgorithms: '-ecdh-*,diffie-hellman-*',
    HostKeyAlgorithms: '-ecdsa-*,sk-ecdsa-*',
    Ciphers: '-*-cbc',
    MACs: '-*sha1*,*md5*,umac-64*,umac-128@openssh.com,hmac-sha2-256,hmac-sha2-512',
  })
})

test('sshd: numbers and lists of the operator’s stand as he said them', () => {
  const said = sshdSettings({ MaxSessions: 9, AcceptEnv: ['A', 'B'], X11Forwarding: true })
  assert.equal(
    said
      .filter(({ keyword }) => /^(MaxSessions|AcceptEnv|X11Forwarding)$/.test(keyword))
      .map(({ keyword, value }) => `${keyword} ${value}`),
    ['MaxSessions 9', 'AcceptEnv A', 'AcceptEnv B', 'X11Forwarding yes'],
  )
})

test('sshd’s unit notes what it was started with, at reloads too, and goes on trying', () => {
  const content = contentOf(sshd({}, facts), 'ssh.service.d/botgarden.conf')
  const note = `-/bin/sh -c 'mkdir -p -m 0700 /run/botgarden && cat /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf 2>/dev/null | sha256sum | cut -c 1-64 >/run/botgarden/sshd.started-with'`
  assert.equal(lines(content), [
    '[Service]',
    `ExecStartPre=${note}`,
    `ExecReload=${note}`,
    'RestartSec=3',
    'RestartPreventExitStatus=',
    '[Unit]',
    'StartLimitIntervalSec=0',
  ])
})

for (const [what, failed, active, calls] of [
  ['runs', false, 'active', ['reset-failed ssh.service', 'restart ssh.service']],
  ['has failed', false, 'failed', ['reset-failed ssh.service', 'restart ssh.service']],
  ['is started by a socket that failed', true, 'inactive', ['restart ssh.socket']],
  ['is started by a socket', false, 'inactive', []],
] as const)
  test(`taken back, an sshd that ${what} is told: ${calls.join(', ') || 'nothing'}`, async () => {
    const host = scratchHost({
      systemctl: `case $1 in is-failed) ${failed ? ':' : 'exit 1'} ;; is-active) echo ${active} ;; esac`,
    })
    const ran = await host.run(guard.restore)
    assert.is(ran.code, 0)
    assert.equal(
      ran.calls.filter((call) => !/is-(failed|active)/.test(call)),
      calls.map((each) => `systemctl ${each}`),
    )
    assert.equal(guard.paths, ['/etc/ssh'])
  })

const noSshd = '/usr/sbin/sshd'
/** What our reading makes of a host's sshd, whose `sshd -T` prints what it was given, as far as that is a setting. */
async function readSshd(files: Record<string, string>, candidate: string, options = '') {
  const host = scratchHost({
    sshd: `echo "$*" >>"$STATE/sshd"; text=$(cat); case $text in *Bad*) echo "/dev/stdin line 1: Bad"; exit 255 ;; esac; printf '%s\\n' "$text" | sed -n 's/^Port /port /p; s/^Banner /banner /p; s/^Include /include /p'`,
  })
  for (const [path, text] of Object.entries(files)) host.write(path, text)
  if (options) host.write('/etc/default/ssh', options)
  const { kind } = sshdConfig(candidate, { ...facts, user: 'ops', sshPort: 2222, addresses: ['192.0.2.9', '10.0.0.1'] })
  const { stdout } = await host.run(kind.script(['config']).text.replaceAll(noSshd, 'sshd'), { args: [] })
  const state = kind.parse(stdout, ['config']).get('config') as SshdConfig
  return { ...state, calls: host.noted('sshd').trim().split('\n'), root: host.root }
}

test('sshd is asked about this very login, with our text where our file will be, and writes nothing', async () => {
  const files = {
    [mainConfig]: '# main\nInclude sshd_config.d/*.conf\nPort 22\n',
    '/etc/ssh/sshd_config.d/50-cloud.conf': 'Banner cloud\n',
    [dropInPath]: 'Banner old\n',
  }
  const {
    alone,
    whole,
    calls,
    files: found,
  } = await readSshd(files, 'Banner ours\nPort 2222\n', `SSHD_OPTS="-o Port=9"\n`)
  assert.equal(alone, { banner: ['ours'], port: ['2222'] })
  const login = '-T -C user=ops,host=198.51.100.7,addr=198.51.100.7,laddr=192.0.2.9,lport=2222,rdomain= -f /dev/stdin'
  assert.equal(calls, [login, `-o Port=9 ${login}`])
  assert.equal(typeof whole === 'object' && [whole.banner, whole.port], [['ours'], ['2222', '22']])
  assert.match(JSON.stringify(whole), /"include":\["\S*\/etc\/ssh\/sshd_config.d\/50-cloud.conf"\]/)
  assert.equal(Object.entries(found), [
    [mainConfig, files[mainConfig]],
    [dropInPath, 'Banner old\n'],
    ['/etc/ssh/sshd_config.d/50-cloud.conf', 'Banner cloud\n'],
  ])
})

test('what sshd complains of is kept, of our text and of all', async () => {
  const main = { [mainConfig]: 'Include sshd_config.d/*.conf\n' }
  const ours = await readSshd(main, 'Bad yes\n')
  assert.equal([ours.alone, ours.whole], ['/dev/stdin line 1: Bad', '/dev/stdin line 1: Bad'])
  const theirs = await readSshd({ [mainConfig]: 'Bad\n' }, 'Port 1\n')
  assert.equal([theirs.alone, theirs.whole], [{ port: ['1'] }, '/dev/stdin line 1: Bad'])
})

test('a candidate is tried before all that is there', async () => {
  const host = scratchHost({ sshd: 'cat >"$STATE/tried"' })
  host.write(mainConfig, 'Port 22\n')
  host.write('/etc/candidate', 'Port 1\n')
  const { code, calls } = await host.run(acceptScript(sh`/etc/candidate`).text.replaceAll(noSshd, 'sshd'))
  assert.equal([code, calls, host.noted('tried')], [0, ['sshd -t -f /dev/stdin'], 'Port 1\nPort 22\n'])
})

test('our drop-in stands in its order among the others', () => {
  const files = { [mainConfig]: 'm', '/etc/ssh/sshd_config.d/50-b.conf': 'b', '/etc/ssh/sshd_config.d/00-a.conf': 'a' }
  assert.equal(Object.keys(withDropIn(files, 'x')), [
    mainConfig,
    '/etc/ssh/sshd_config.d/00-a.conf',
    dropInPath,
    '/etc/ssh/sshd_config.d/50-b.conf',
  ])
})

test('updates: security alone, by night, but for the engine and what is held; nothing reboots', () => {
  const of = (host: typeof facts, hold: string[] = []) => lines(contentOf(upgrades(hold, host), '52botgarden'))
  const held = ['docker\\\\.io', 'docker-ce', 'docker-ce-cli', 'containerd', 'containerd\\\\.io', 'runc', 'g\\\\+\\\\+']
  const rest = (origins: string[]) => [
    'APT::Periodic::Update-Package-Lists "1";',
    'APT::Periodic::Unattended-Upgrade "1";',
    'APT::Periodic::AutocleanInterval "7";',
    '#clear Unattended-Upgrade::Allowed-Origins;',
    '#clear Unattended-Upgrade::Origins-Pattern;',
    'Unattended-Upgrade::Origins-Pattern {',
    ...origins.map((each) => `    "${each}";`),
    '};',
    'Unattended-Upgrade::Package-Blacklist {',
    ...held.map((each) => `    "^${each.replaceAll('\\\\', '\\')}$";`),
    '};',
    'Unattended-Upgrade::Automatic-Reboot "false";',
    'Unattended-Upgrade::Remove-Unused-Kernel-Packages "true";',
  ]
  assert.equal(
    of(facts, ['g++']),
    rest([
      'origin=Debian,codename=$' + '{distro_codename},label=Debian-Security',
      'origin=Debian,codename=$' + '{distro_codename}-security,label=Debian-Security',
    ]),
  )
  assert.equal(
    of(ubuntu, ['g++']),
    rest([
      'origin=Ubuntu,archive=$' + '{distro_codename}-security,label=Ubuntu',
      'origin=UbuntuESMApps,archive=$' + '{distro_codename}-apps-security',
      'origin=UbuntuESM,archive=$' + '{distro_codename}-infra-security',
    ]),
  )
})

test('services that run an old library are restarted, but for the engine and a run of ours', () => {
  assert.equal(lines(contentOf(upgrades([], facts), 'needrestart/conf.d/botgarden.conf')), [
    `$nrconf{restart} = 'a';`,
    '$nrconf{kernelhints} = 0;',
    '$nrconf{override_rc}{qr(^(docker|containerd))} = 0;',
    '$nrconf{override_rc}{qr(^botgarden-)} = 0;',
  ])
  assert.equal(idsOf(upgrades([], facts)), [
    'package:unattended-upgrades',
    'package:needrestart',
    'file:/etc/apt/apt.conf.d/52botgarden',
    'file:/etc/needrestart/conf.d/botgarden.conf',
    'directory:/etc/systemd/system/apt-daily-upgrade.service.d',
    'file:/etc/systemd/system/apt-daily-upgrade.service.d/botgarden.conf',
    'unit:apt-daily.timer',
    'unit:apt-daily-upgrade.timer',
    'updates:waiting',
  ])
})

const waitingOf = () => {
  const reading = upgrades([], facts).at(-1)?.reads[0]
  if (reading === undefined) throw new Error('nothing is read')
  return reading
}

test('after the night’s updates the list of what is held is made anew, of security updates alone', async () => {
  const content = contentOf(upgrades([], facts), 'apt-daily-upgrade.service.d/botgarden.conf')
  const [, command = ''] = /^ExecStartPost=-\/bin\/sh -c "(.*)"$/m.exec(content) ?? []
  assert.match(content, /^\[Service\]$/m)
  const host = scratchHost({
    apt: `printf '%s\\n' 'Listing...' 'docker.io/stable-security 26.2 amd64 [upgradable from: 26.1]' 'vim/stable 9.2 amd64 [upgradable from: 9.1]'`,
  })
  // As systemd reads it: two dollar signs are one.
  const { code } = await host.run(command.replaceAll('$$', '$'))
  assert.is(code, 0)
  assert.is(host.read('/var/lib/botgarden/held-updates'), 'docker.io 26.2\n')
  assert.equal(host.list('/var/lib/botgarden'), ['held-updates'])
})

test('told is what is held still, and who asks for a reboot', async () => {
  const host = scratchHost({
    'dpkg-query': `case $4 in --) shift 4 ;; esac; case $1 in docker.io) printf 26.1 ;; runc) printf 2 ;; *) exit 1 ;; esac`,
    dpkg: '[ "$2 $3 $4" = "26.1 lt 26.2" ]',
  })
  assert.equal(await host.reads(waitingOf()), { held: [], reboot: [] })
  host.write('/var/lib/botgarden/held-updates', 'docker.io 26.2\nrunc 2\ngone 1\n')
  host.write('/run/reboot-required', '')
  assert.equal(await host.reads(waitingOf()), { held: ['docker.io 26.2'], reboot: ['unnamed'] })
  host.write('/run/reboot-required.pkgs', 'linux-base\nlinux-image\nlinux-base\n')
  assert.equal(((await host.reads(waitingOf())) as { reboot: string[] }).reboot, ['linux-base', 'linux-image'])
})

test('the kernel’s settings', () => {
  const all = kernel({}, facts)
  const content = contentOf(all, '99-botgarden.conf')
  isOurs(content)
  const settings = Object.fromEntries(lines(content).map((line) => line.replace(/^-/, '').split(' = ')))
  const both = (name: string, value: string) =>
    Object.fromEntries(['all', 'default'].map((each) => [name.replace('*', each), value]))
  assert.equal(settings, {
    'vm.swappiness': '10',
    ...both('net.ipv4.conf.*.send_redirects', '0'),
    ...both('net.ipv4.conf.*.accept_redirects', '0'),
    ...both('net.ipv6.conf.*.accept_redirects', '0'),
    ...both('net.ipv4.conf.*.accept_source_route', '0'),
    ...both('net.ipv4.conf.*.rp_filter', '1'),
    'net.core.bpf_jit_harden': '2',
    'kernel.kptr_restrict': '2',
    'kernel.dmesg_restrict': '1',
    'kernel.unprivileged_bpf_disabled': '1',
    'kernel.yama.ptrace_scope': '1',
    'kernel.sysrq': '0',
    'dev.tty.ldisc_autoload': '0',
    'fs.protected_fifos': '2',
    'fs.protected_regular': '2',
    'fs.protected_hardlinks': '1',
    'fs.protected_symlinks': '1',
    'fs.suid_dumpable': '0',
  })
  // One of ours that a kernel lacks is no matter, at a boot and now.
  assert.ok(lines(content).every((line) => line.startsWith('-')))
  assert.equal(planOf(all.slice(1), {}), [])
  assert.equal(planOf(all, { 'sysctl:kernel.sysrq': '438' }).slice(1), ['sysctl:kernel.sysrq: 438 → 0'])
  assert.match(contentOf(kernel({ 'vm.swappiness': ' 1   2 ' }, facts), '99-botgarden.conf'), /^vm.swappiness = 1 2$/m)
})

test('no core dumps, no drivers that nobody needs, and no shell that was forgotten', async () => {
  const all = hardening()
  assert.equal(lines(contentOf(all, 'limits.d/botgarden.conf')), ['* - core 0', 'root - core 0'])
  assert.equal(lines(contentOf(all, 'coredump.conf.d/botgarden.conf')), [
    '[Coredump]',
    'Storage=none',
    'ProcessSizeMax=0',
  ])
  const modules = ['dccp', 'sctp', 'rds', 'tipc', 'usb-storage', 'firewire-ohci']
  assert.equal(
    lines(contentOf(all, 'modprobe.d/botgarden.conf')),
    modules.map((name) => `install ${name} /bin/false`),
  )
  assert.equal(lines(contentOf(all, '/etc/default/debsums')), ['CRON_CHECK=weekly'])
  const profile = contentOf(all, '/etc/profile.d/botgarden.sh')
  for (const [env, left] of [
    ['', '14400 0'],
    ['TMUX=x', ' 0'],
    ['STY=x', ' 0'],
  ] as const)
    assert.is((await scratchHost().run(`${env}\n${profile}\necho "$TMOUT $(ulimit -c)"`)).stdout.trim(), left.trim())
  for (const path of ['/etc/issue', '/etc/issue.net'])
    assert.match(contentOf(all, path), /^This system is private: .* logged\.\n$/)
  assert.equal(
    idsOf(all).filter((id) => id.startsWith('package:')),
    ['package:apt-listchanges', 'package:libpam-pwquality', 'package:libpam-tmpdir', 'package:debsums', 'package:aide'],
  )
  assert.equal(wantsOf(all, 'file:/etc/login.defs'), {
    mode: '0644',
    owner: 'root',
    group: 'root',
    content: { SHA_CRYPT_MIN_ROUNDS: '65536' },
  })
})

test('aide looks at what starts or lets in, and at its own database', () => {
  const all = changeReport()
  assert.equal(lines(contentOf(all, 'aide.conf')), [
    'database_in=file:/var/lib/aide/aide.db',
    'database_out=file:/var/lib/aide/aide.db.new',
    'report_quiet=yes',
    'report_level=list_entries',
    'database_attrs=sha256',
    'Content = ftype+p+u+g+s+l+sha256',
    '/etc Content',
    '/boot Content',
    '/usr/local Content',
    '/root/\\.ssh Content',
    '/home/[^/]+/\\.ssh Content',
    '/var/spool/cron Content',
  ])
  assert.equal(wantsOf(all, 'file:/etc/aide/aide.conf'), {
    mode: '0600',
    owner: 'root',
    group: 'root',
    content: contentOf(all, 'aide.conf'),
  })
  assert.equal(lines(contentOf(all, 'botgarden-changes.timer')), [
    '[Unit]',
    'Description=Daily report of what changed in the configuration of this host',
    '[Timer]',
    'OnActiveSec=1s',
    'OnCalendar=*-*-* 05:17',
    'AccuracySec=1s',
    '[Install]',
    'WantedBy=timers.target',
  ])
})

for (const [what, before, aide, code, left] of [
  ['makes its first database', undefined, 0, 0, 'new --init'],
  ['compares, and nothing changed', 'old', 0, 0, 'new --update'],
  ['compares, and something changed', 'old', 7, 0, 'new --update'],
  ['fails, and keeps what it had', 'old', 8, 8, 'old'],
  ['begins anew with an empty one', '', 0, 0, 'new --init'],
] as const)
  test(`the report of a day ${what}`, async () => {
    const service = contentOf(changeReport(), 'botgarden-changes.service')
    const [, command = ''] = /^ExecStart=\/bin\/sh -c '(.*)'$/m.exec(service) ?? []
    assert.equal(
      lines(service).filter((line) => !/^(Description|ExecStart)/.test(line)),
      [
        ...[
          '[Unit]',
          '[Service]',
          'Type=oneshot',
          'StateDirectory=aide',
          'StateDirectoryMode=0700',
          'Nice=19',
          'IOSchedulingClass=idle',
        ],
      ],
    )
    const host = scratchHost({
      aide: `printf 'new %s' "$2" >/var/lib/aide/aide.db.new; [ "$1" = --config=/etc/aide/aide.conf ] || exit 99; exit ${aide}`,
    })
    host.folder('/var/lib/aide')
    if (before !== undefined) host.write('/var/lib/aide/aide.db', before)
    assert.is((await host.run(command.replaceAll('$$', '$'), { args: [] })).code, code)
    assert.is(host.read('/var/lib/aide/aide.db'), left)
  })

test('a limit of the journal’s, in force by a restart, and no daemon is restarted for nothing', () => {
  const all = journal('300M')
  assert.equal(lines(contentOf(all, 'journald.conf.d/botgarden.conf')), [
    '[Journal]',
    'SystemMaxUse=300M',
    'RuntimeMaxUse=300M',
  ])
  assert.match(
    contentOf(all, 'systemd-journald.service.d/botgarden.conf'),
    /cat \/etc\/systemd\/journald.conf.d\/botgarden.conf .*>\/run\/botgarden\/journald.started-with'\n$/,
  )
  const [last] = all.slice(-1) as [Resource]
  const running = { load: 'loaded', active: 'active', enabled: 'static', needsReload: false }
  const state = (mark: string | undefined, more = {}) => ({
    'unit:systemd-journald.service': { ...running, ...more },
    'file:/etc/systemd/journald.conf.d/botgarden.conf': { type: 'file', sha256: 'aa' },
    'text:/run/botgarden/journald.started-with': mark,
  })
  assert.equal(planOf([last], state('aa\n')), [])
  assert.equal(planOf([last], state('bb\n')), ['journald:config: restart journald with its new limits'])
  assert.equal(planOf([last], state(undefined)), ['journald:config: restart journald with its new limits'])
  assert.equal(planOf([last], state('bb\n', { active: 'inactive' })), [])
  assert.equal(
    changesOf([last], state('bb')).map(({ script }) => script.shown),
    ['systemctl restart systemd-journald.service'],
  )
})

test('a swap file is a unit of its own', () => {
  assert.equal(lines(contentOf(swap(1024, facts), 'swapfile.swap')), [
    ...['[Unit]', 'Description=Swap file', '[Swap]', 'What=/swapfile', '[Install]', 'WantedBy=swap.target'],
  ])
  assert.ok(swap(1024, { ...facts, container: 'docker' }).every(({ unmanageable }) => unmanageable !== undefined))
})

test('an admin: a user with a key, in sudo, who is asked for no password', () => {
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
  const all = adminUser({ name: 'ops', keys: [` ${key} `] }, facts)
  assert.equal(idsOf(all), [
    'package:sudo',
    'user:ops',
    'member:sudo/ops',
    'keys:ops',
    'file:/etc/sudoers.d/botgarden-admin',
  ])
  assert.equal(lines(contentOf(all, 'botgarden-admin')), ['ops ALL=(ALL:ALL) NOPASSWD: ALL'])
  assert.is((wantsOf(all, 'file:/etc/sudoers.d/botgarden-admin') as { mode: string }).mode, '0440')
  assert.match(JSON.stringify(wantsOf(all, 'keys:ops')), key)
})

test('packages: what we need, and what is asked for, once', () => {
  assert.equal(
    idsOf(packages(['htop', 'curl'])),
    ['ca-certificates', 'cron', 'curl', 'tzdata', 'htop'].map((each) => `package:${each}`),
  )
})

test('the time of Ubuntu stands in a file as well', () => {
  assert.equal(idsOf(clock('UTC', ubuntu)).slice(0, 2), ['symlink:/etc/localtime', 'file:/etc/timezone'])
  assert.is(contentOf(clock('Asia/Tokyo', ubuntu), '/etc/timezone'), 'Asia/Tokyo\n')
  assert.not.ok(idsOf(clock('UTC', facts)).includes('file:/etc/timezone'))
  assert.equal(idsOf(clock(undefined, ubuntu)), ['package:systemd-timesyncd', 'unit:systemd-timesyncd.service'])
  for (const name of ['chrony', 'ntpsec', 'openntpd'])
    assert.equal(planOf(clock(undefined, facts), { [`package:${name}`]: { version: '1' } }), [], name)
})

test('the whole of it, in an order in which each finds what it needs', () => {
  const all = idsOf(base.resources(v.parse(base.vars, { timezone: 'UTC', packages: ['htop'] }), facts, entry))
  const at = (id: string) => all.indexOf(id)
  assert.is(at('directory:/var/lib/botgarden'), 0)
  const order = [
    // Before packages that make an interface, which takes its settings from those of that moment.
    'file:/etc/sysctl.d/99-botgarden.conf',
    ...['package:htop', 'package:aide', 'package:unattended-upgrades', 'symlink:/etc/localtime', 'swap:/swapfile'],
    ...['journald:config', 'sshd:config', 'sshd:login'],
  ]
  assert.equal(
    [...order].sort((one, other) => at(one) - at(other)),
    order,
  )
  assert.ok(order.every((id) => at(id) > 0))
})

for (const [vars, fine] of [
  [{}, true],
  [{ swap: 0 }, true],
  [{ swap: -1 }, false],
  [{ swap: 65_536 }, true],
  [{ swap: 65_537 }, false],
  [{ swap: 1.5 }, false],
  [{ journal: { maxUse: '1G' } }, true],
  [{ journal: { maxUse: '0M' } }, false],
  [{ journal: { maxUse: '10' } }, false],
  [{ journal: { maxUse: '10MB' } }, false],
  [{ journal: { maxUse: 'x10M' } }, false],
  [{ packages: ['libc6', 'g++'] }, true],
  [{ packages: ['x'] }, false],
  [{ packages: ['Vim'] }, false],
  [{ packages: ['-y'] }, false],
  [{ upgrades: { hold: ['nginx'] } }, true],
  [{ upgrades: { hold: ['a b'] } }, false],
  [{ sysctls: { 'vm.swappiness': 1, 'net.ipv4.conf.eth0/1.rp_filter': '1 2' } }, true],
  [{ sysctls: { swappiness: 1 } }, false],
  [{ sysctls: { 'vm.x': '1\n2' } }, false],
  [{ timezone: 'UTC' }, true],
  [{ timezone: 'utc+1' }, false],
  [{ sshd: { settings: { Port: [22, 2222] } } }, true],
  [{ sshd: { settings: { include: 'x' } } }, false],
  [{ sshd: { settings: { 'Port 1\nX': 1 } } }, false],
  [{ admin: { name: 'ops', keys: ['two\nlines'] } }, false],
  [{ admin: { name: 'Ops', keys: ['x'] } }, false],
  [{ nonsense: 1 }, false],
] as const)
  test(`${fine ? 'takes' : 'refuses'} ${JSON.stringify(vars)}`, () => assert.is(v.is(base.vars, vars), fine))

test.run()
