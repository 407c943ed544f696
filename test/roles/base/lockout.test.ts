// What would shut an operator out, or would not be in force: said before anything is touched, in words that help.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parseKeys } from '../../../lib/resources/authorized-keys.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { conflicts } from '../../../roles/base/conflicts.ts'
import { type Login, lockouts } from '../../../roles/base/login.ts'
import { sshd } from '../../../roles/base/sshd.ts'
import { dropInPath, mainConfig, parseEffective } from '../../../roles/base/sshd-config.ts'
import { facts } from '../../support/fake-host.ts'
import { changesOf, planOf } from '../../support/plan-of.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
const open = {
  ...{
    listenaddress: ['0.0.0.0:22', '[::]:22'],
    permitrootlogin: ['prohibit-password'],
    pubkeyauthentication: ['yes'],
  },
  ...{ passwordauthentication: ['no'], kbdinteractiveauthentication: ['no'], authenticationmethods: ['any'] },
}
const keysOf = (text: string, path = '/home/ops/.ssh/authorized_keys') => ({
  path,
  own: true,
  directory: '0700 ops',
  file: '0600 ops',
  keys: parseKeys(text),
})
const ops: Login = {
  user: 'ops',
  groups: ['ops', 'sudo'],
  address: '10.1.2.3',
  port: 22,
  portIsSshds: true,
  keyFiles: [keysOf(key)],
}
const of = (effective: object, more: Partial<Login> = {}) => lockouts({ ...open, ...effective }, { ...ops, ...more })

for (const [what, effective, more, said] of [
  ['nothing', {}, {}, undefined],
  ['no keys', { pubkeyauthentication: ['no'] }, {}, 'PubkeyAuthentication no would lock out every key'],
  [
    'root',
    { permitrootlogin: ['no'] },
    { user: 'root' },
    'PermitRootLogin no would lock out root, who is logged in: log in as another user with sudo first',
  ],
  [
    'root by forced commands',
    { permitrootlogin: ['forced-commands-only'] },
    { user: 'root' },
    'PermitRootLogin forced-commands-only would lock out root, who is logged in: log in as another user with sudo first',
  ],
  ['no root that nobody is', { permitrootlogin: ['no'] }, {}, undefined],
  ['root as ever', { permitrootlogin: ['yes'] }, { user: 'root' }, undefined],
  ['root by key', { permitrootlogin: ['without-password'] }, { user: 'root' }, undefined],
  [
    'another port',
    { listenaddress: ['0.0.0.0:2222'] },
    {},
    'sshd would no longer listen on port 22, the port of this connection',
  ],
  ['another port of systemd’s', { listenaddress: ['0.0.0.0:2222'] }, { portIsSshds: false }, undefined],
  ['one of two ports', { listenaddress: ['0.0.0.0:2222', '0.0.0.0:22'] }, {}, undefined],
  [
    'two proofs',
    { authenticationmethods: ['publickey,password'] },
    {},
    'AuthenticationMethods publickey,password would ask for more than a key',
  ],
  ['one of two ways', { authenticationmethods: ['password publickey'] }, {}, undefined],
  ['a command', { forcecommand: ['/bin/true'] }, {}, 'forcecommand /bin/true would leave no shell to work with'],
  ['a folder', { chrootdirectory: ['/srv'] }, {}, 'chrootdirectory /srv would leave no shell to work with'],
  ['neither', { forcecommand: ['none'], chrootdirectory: ['none'] }, {}, undefined],
  ['a name', { denyusers: ['a', 'ops'] }, {}, 'DenyUsers a ops would lock out ops, who is logged in'],
  ['all but a name', { allowusers: ['a', 'opsy'] }, {}, 'AllowUsers a opsy would lock out ops, who is logged in'],
  ['a group', { denygroups: ['su*'] }, {}, 'DenyGroups su* would lock out ops, who is logged in'],
  ['all but a group', { allowgroups: ['admin'] }, {}, 'AllowGroups admin would lock out ops, who is logged in'],
  ['a pattern with dots', { allowusers: ['o.s'] }, {}, 'AllowUsers o.s would lock out ops, who is logged in'],
  ['a pattern', { allowusers: ['o?s'] }, {}, undefined],
  ['an address', { allowusers: ['ops@10.1.2.3'] }, {}, undefined],
  ['a pattern of addresses', { allowusers: ['ops@10.1.*'] }, {}, undefined],
  [
    'another address',
    { allowusers: ['ops@10.1.2.4'] },
    {},
    'AllowUsers ops@10.1.2.4 would lock out ops, who is logged in',
  ],
  ['a network', { allowusers: ['ops@10.1.2.0/24'] }, {}, undefined],
  [
    'another network',
    { allowusers: ['ops@10.1.3.0/24'] },
    {},
    'AllowUsers ops@10.1.3.0/24 would lock out ops, who is logged in',
  ],
  ['a network of IPv6', { allowusers: ['ops@fd00::/8'] }, { address: 'fd00::1' }, undefined],
  [
    'a network of the other kind',
    { allowusers: ['ops@fd00::/8'] },
    {},
    'AllowUsers ops@fd00::/8 would lock out ops, who is logged in',
  ],
  ['one of several', { allowusers: ['ops@192.0.2.1,10.0.0.0/8'] }, {}, undefined],
  [
    'but for one',
    { allowusers: ['ops@10.0.0.0/8,!10.1.2.3'] },
    {},
    'AllowUsers ops@10.0.0.0/8,!10.1.2.3 would lock out ops, who is logged in',
  ],
  [
    'only what is not',
    { allowusers: ['ops@!10.9.9.9'] },
    {},
    'AllowUsers ops@!10.9.9.9 would lock out ops, who is logged in',
  ],
  ['somebody of that address', { denyusers: ['root@10.1.2.3'] }, {}, undefined],
  ['a name with an at', { allowusers: ['o@ps@10.1.2.3'] }, { user: 'o@ps' }, undefined],
] as const)
  test(`shut out by ${what}: ${said === undefined ? 'nobody is' : 'told'}`, () =>
    assert.equal(of(effective, more), said === undefined ? [] : [said]))

test('several reasons are all told', () =>
  assert.is(
    of({ denyusers: ['ops'], denygroups: ['sudo'], pubkeyauthentication: ['no'], forcecommand: ['x'] }).length,
    4,
  ))

const noKey = (path = '/home/ops/.ssh/authorized_keys') => [keysOf('', path)]
const without =
  'password login would be off, and ops has no key in /home/ops/.ssh/authorized_keys: log in with a key first: ssh-copy-id ops@HOST'
for (const [what, effective, keyFiles, said] of [
  ['no key at all', {}, noKey(), [without]],
  ['a key in a second file', {}, [...noKey('/a'), keysOf(key, '/b')], []],
  [
    'no key in two files',
    {},
    [...noKey('/a'), ...noKey('/b')],
    [without.replace('/home/ops/.ssh/authorized_keys', '/a or /b')],
  ],
  ['a key for one command', {}, [keysOf(`command="x" ${key}`)], [without]],
  ['a key for one command beside one', {}, [keysOf(`command="x" ${key}\n${key}`)], []],
  ['a key for some addresses', {}, [keysOf(`from="10.0.0.0/8" ${key}`)], []],
  ['passwords', { passwordauthentication: ['yes'] }, noKey(), []],
  ['questions', { kbdinteractiveauthentication: ['yes'] }, noKey(), []],
  ['a program that prints keys', { authorizedkeyscommand: ['/bin/keys'] }, noKey(), []],
  ['no program', { authorizedkeyscommand: ['none'] }, noKey(), [without]],
  ['certificates', { trustedusercakeys: ['/etc/ssh/ca'] }, noKey(), []],
  ['Kerberos', { gssapiauthentication: ['yes'] }, noKey(), []],
  ['no Kerberos', { gssapiauthentication: ['no'] }, noKey(), [without]],
] as const)
  test(`who logs in with ${what}`, () => assert.equal(of(effective, { keyFiles }), said))

const settings = [
  { keyword: 'PasswordAuthentication', value: 'no' },
  { keyword: 'AcceptEnv', value: 'A' },
  { keyword: 'AcceptEnv', value: 'B' },
  { keyword: 'ChallengeResponseAuthentication', value: 'no' },
]
const alone = { passwordauthentication: ['no'], acceptenv: ['A', 'B'], kbdinteractiveauthentication: ['no'] }
const main = '# main\nInclude /etc/ssh/sshd_config.d/*.conf\n'
const inWay = (whole: object, files: Record<string, string> = {}) =>
  conflicts(settings, { files: { [mainConfig]: main, ...files }, alone, whole: { ...alone, ...whole } })

test('what is in force is no conflict, also beside more of it', () => {
  assert.equal(inWay({}), [])
  assert.equal(inWay({ acceptenv: ['C', 'B', 'A'] }), [])
})

for (const [what, whole, files, said] of [
  [
    'a drop-in before ours',
    { passwordauthentication: ['yes'] },
    { '/etc/ssh/sshd_config.d/00-a.conf': 'X 1\n PasswordAuthentication yes\n' },
    'PasswordAuthentication would be yes and not no: /etc/ssh/sshd_config.d/00-a.conf:2 overrides it: remove that line',
  ],
  ['one of several values', { acceptenv: ['A'] }, {}, 'AcceptEnv would be A and not A B: see sshd -T'],
  [
    'its other name',
    { kbdinteractiveauthentication: ['yes'] },
    { '/etc/ssh/sshd_config.d/00-a.conf': 'KbdInteractiveAuthentication yes\n' },
    'ChallengeResponseAuthentication would be yes and not no: /etc/ssh/sshd_config.d/00-a.conf:1 overrides it: remove that line',
  ],
  [
    'no include',
    { passwordauthentication: ['yes'] },
    { [mainConfig]: 'Include /etc/other/*\n' },
    `PasswordAuthentication would be yes and not no: ${mainConfig} has no «Include /etc/ssh/sshd_config.d/*.conf»: add that line at its top`,
  ],
  [
    'a relative include, and a line before it',
    { passwordauthentication: ['yes'] },
    { [mainConfig]: 'PasswordAuthentication yes\ninclude "sshd_config.d/*.conf"\n' },
    `PasswordAuthentication would be yes and not no: ${mainConfig}:1 overrides it: remove that line`,
  ],
  [
    'a line after the include, which does not count',
    { passwordauthentication: ['yes'] },
    { [mainConfig]: `${main}PasswordAuthentication yes\n` },
    'PasswordAuthentication would be yes and not no: see sshd -T',
  ],
  [
    'a match in a later drop-in',
    { passwordauthentication: ['yes'] },
    { '/etc/ssh/sshd_config.d/90-z.conf': 'PasswordAuthentication yes\nMatch User ops\nPasswordAuthentication yes\n' },
    'PasswordAuthentication would be yes and not no: /etc/ssh/sshd_config.d/90-z.conf:3 overrides it: remove that line',
  ],
  [
    'our own file, which does not count',
    { passwordauthentication: ['yes'] },
    { [dropInPath]: 'PasswordAuthentication yes\n' },
    'PasswordAuthentication would be yes and not no: see sshd -T',
  ],
  [
    'nothing that is said',
    { passwordauthentication: undefined },
    {},
    'PasswordAuthentication would be  and not no: see sshd -T',
  ],
] as const)
  test(`in the way is ${what}`, () => assert.equal(inWay(whole, files as Record<string, string>), [said]))

test('what sshd -T prints, and what it warns of', () =>
  assert.equal(
    parseEffective('/etc/x line 1: Deprecated option\nport 22\nport 2222\nbanner none\nPort 9\nx11forwarding\n'),
    {
      port: ['22', '2222'],
      banner: ['none'],
      x11forwarding: [''],
    },
  ))

const state = (more: Record<string, unknown> = {}, config: object = {}) => ({
  'file:/etc/ssh/sshd_config.d': { type: 'directory', mode: '0755', owner: 'root', group: 'root' },
  'sshd:config': { files: { [mainConfig]: main }, alone: open, whole: open, ...config },
  'user:root': { uid: 0, home: '/root', homeThere: true, shell: '/bin/bash', password: 'locked', groups: ['root'] },
  'keys:root': [keysOf(key, '/root/.ssh/authorized_keys')],
  'unit:ssh.service': runningUnit,
  'unit:ssh.socket': { ...runningUnit, active: 'inactive' },
  ...more,
})
const role = (vars: Parameters<typeof sshd>[0] = {}) => sshd(vars, facts)

for (const [what, more, config, said] of [
  [
    'an sshd that does not run',
    {},
    { alone: 'Missing privilege separation directory: /run/sshd' },
    /^sshd does not run on this host, and no one could log in again: see systemctl status ssh$/,
  ],
  [
    'settings that it refuses',
    {},
    { alone: '/dev/stdin line 3: Bad\n' },
    new RegExp(`^sshd refuses base.sshd.settings: ${dropInPath} line 3: Bad$`),
  ],
  [
    'what is broken already',
    {},
    { whole: '/dev/stdin line 3: Bad\n' },
    /^sshd's configuration is broken: sshd_config line 3: Bad$/,
  ],
  [
    'an sshd of somebody else’s',
    { 'unit:ssh.service': { ...runningUnit, active: 'failed' } },
    {},
    /^this login came through an sshd that is not that of ssh.service, so no login would prove that one starts with new settings: see systemctl status ssh, and start it$/,
  ],
  [
    'a login that would not come in',
    {},
    { whole: { ...open, denyusers: ['root'], forcecommand: ['x'] } },
    /^sshd: forcecommand x would leave no shell to work with\nsshd: DenyUsers root would lock out root, who is logged in$/,
  ],
] as const)
  test(`refuses ${what}`, () =>
    assert.throws(
      () => planOf(role(), state(more, config)),
      (error: Error) => said.test(error.message) || error.message,
    ))

test('a reload under way is a service that runs; a socket stands for it, but not for another port', () => {
  for (const more of [
    { 'unit:ssh.service': { ...runningUnit, active: 'reloading' } },
    { 'unit:ssh.service': { ...runningUnit, active: 'inactive' }, 'unit:ssh.socket': runningUnit },
  ])
    assert.ok(planOf(role(), state(more)).length > 0)
  for (const vars of [{ Port: 22 }, { listenaddress: '0.0.0.0' }])
    assert.throws(
      () => planOf(role(vars), state({ 'unit:ssh.socket': runningUnit })),
      /^systemd's ssh.socket listens for sshd, and a login would not prove Port and ListenAddress before the next boot: systemctl disable --now ssh.socket && systemctl enable --now ssh.service$/,
    )
})

test('sshd is restarted, not reloaded, and systemd reads its drop-in before', () => {
  const scripts = changesOf(role(), state({ 'unit:ssh.service': { ...runningUnit, needsReload: true } }))
    .filter(({ summary }) => /restart|systemd/.test(summary))
    .map(({ script, guard }) => `${script.text} ${guard?.name}`)
  assert.equal(
    scripts,
    ['systemctl daemon-reload sshd', 'systemctl restart ssh.service sshd'].slice(scripts.length === 1 ? 1 : 0),
  )
})

test.run()
