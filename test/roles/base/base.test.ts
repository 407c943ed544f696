import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { allChanges, planAll } from '../../../lib/engine/plan.ts'
import { parseKeys } from '../../../lib/resources/authorized-keys.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { type admin, adminUser } from '../../../roles/base/admin.ts'
import { base } from '../../../roles/base/index.ts'
import { lockouts } from '../../../roles/base/login.ts'
import { type Settings, sshdSettings } from '../../../roles/base/settings.ts'
import { sshd } from '../../../roles/base/sshd.ts'
import {
  checksumOf,
  dropInPath,
  mainConfig,
  parseEffective,
  sshdConfig,
  withDropIn,
} from '../../../roles/base/sshd-config.ts'
import { facts } from '../../support/fake-host.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops@example.org'
/** The part of the role that decides who comes in. */
const role = (vars: unknown = {}, more = {}) => {
  const wanted = v.parse(base.vars, vars) as { admin?: v.InferOutput<typeof admin>; sshd: { settings: Settings } }
  const host = { ...facts, ...more }
  return [...(wanted.admin ? adminUser(wanted.admin, host) : []), ...sshd(wanted.sshd.settings, host)]
}
const withAdmin = { admin: { name: 'ops', keys: [key] } }

const files = {
  [mainConfig]: '# main\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n',
  '/etc/ssh/sshd_config.d/50-cloud-init.conf': 'PasswordAuthentication yes\n',
}
/** As `sshd -T` prints it, the lines that matter here. */
const good = parseEffective(`port 22
listenaddress [::]:22
listenaddress 0.0.0.0:22
permitrootlogin without-password
pubkeyauthentication yes
passwordauthentication no
kbdinteractiveauthentication no
authorizedkeyscommand none
trustedusercakeys none
forcecommand none
chrootdirectory none
authenticationmethods any
`)
const folder = { type: 'directory', mode: '0755', owner: 'root', group: 'root' }
const account = { uid: 0, home: '/root', homeThere: true, shell: '/bin/bash', password: 'locked', groups: ['root'] }
const socket = { load: 'loaded', active: 'inactive', enabled: 'disabled', needsReload: false }

function keysIn(home: string, owner: string, text = key) {
  return [
    {
      path: `${home}/.ssh/authorized_keys`,
      own: true,
      directory: `0700 ${owner}`,
      file: `0600 ${owner}`,
      keys: parseKeys(text),
    },
  ]
}

/** A fresh host of a provider's. */
function fresh(config: Record<string, unknown> = {}) {
  return {
    'file:/etc/ssh/sshd_config.d': folder,
    'sshd:config': { files, alone: good, whole: good, ...config },
    'user:root': account,
    'keys:root': keysIn('/root', 'root'),
    'user:ops': 'absent',
    'keys:ops': keysIn('/home/ops', 'ops', '').map((file) => ({ ...file, directory: 'absent', file: 'absent' })),
    'package:sudo': { version: '1.9' },
    'unit:ssh.service': runningUnit,
    'unit:ssh.socket': socket,
  }
}

test('knows all that it will do to a fresh host beforehand', () => {
  assert.equal(planOf(role(withAdmin), fresh()), [
    'user:ops: create',
    'member:sudo/ops: add',
    'keys:ops: add a key',
    'file:/etc/sudoers.d/botgarden-admin: create',
    'directory:/etc/systemd/system/ssh.service.d: create',
    'file:/etc/systemd/system/ssh.service.d/botgarden.conf: create',
    `file:${dropInPath}: create`,
    'sshd:config: restart sshd with its new configuration',
  ])
  assert.equal(planOf(role(withAdmin), { ...fresh(), 'package:sudo': 'absent' })[0], 'package:sudo: install')
})

test('plans nothing where all is as wanted, and wants no user of its own', () => {
  assert.equal(planOf(role(), built()), [])
})

test('restarts an sshd that runs another configuration, and starts none where the socket does', () => {
  const mark = 'text:/run/botgarden/sshd.started-with'
  const restart = ['sshd:config: restart sshd with its new configuration']
  assert.equal(planOf(role(), { ...built(), [mark]: 'other\n' }), restart)
  assert.equal(planOf(role(), { ...built(), [mark]: undefined }), restart)
  const idle = { ...runningUnit, active: 'inactive' }
  const ofSystemd = { 'unit:ssh.service': idle, 'unit:ssh.socket': runningUnit }
  assert.equal(planOf(role(), { ...built(), [mark]: undefined, ...ofSystemd }), [])
  assert.equal(planOf(role(), { ...built(), 'unit:ssh.service': { ...runningUnit, needsReload: true } }), [
    'sshd:config: reload the unit files of systemd',
  ])
})

test('guards what could lock us out, and sudo where it is what we work through', () => {
  const guards = (user: string) =>
    role(withAdmin, { user }).flatMap((resource) =>
      resource
        .plan((reading) => ({ ...fresh(), ...others(user) })[reading.key] as never)
        .map(({ guard }) => guard?.name),
    )
  assert.equal(guards('root').filter(Boolean), ['sshd', 'sshd'])
  assert.equal(guards('debian').filter(Boolean), ['sudo', 'sshd', 'sshd'])
})

test('guards the password and the keys of an admin who is logged in', () => {
  const ops = { ...account, uid: 1000, home: '/home/ops', password: 'set', groups: ['ops', 'sudo'] }
  const state = { ...fresh(), 'user:ops': ops }
  const guardsAs = (user: string) =>
    allChanges(planAll(role(withAdmin, { user }), stateOf(role(withAdmin, { user }), state)))
      .filter(({ id }) => /^(user|keys):/.test(id))
      .map(({ id, change }) => `${id} ${change.guard?.name}`)
  assert.equal(guardsAs('ops'), ['user:ops login', 'keys:ops login'])
  assert.equal(guardsAs('root'), ['user:ops undefined', 'keys:ops undefined'])
})

test('refuses an sshd that no restart of ours would prove', () => {
  const idle = { ...runningUnit, active: 'inactive' }
  assert.throws(() => planOf(role(), { ...fresh(), 'unit:ssh.service': idle }), /not that of ssh.service/)
  const moved = role({ sshd: { settings: { ListenAddress: '192.0.2.1' } } })
  assert.throws(() => planOf(moved, { ...fresh(), 'unit:ssh.socket': runningUnit }), /ssh.socket listens for sshd/)
})

for (const [title, vars, config, error] of [
  [
    'what sshd refuses',
    {},
    { alone: `/dev/stdin line 3: Bad SSH2 cipher spec 'x'.\n` },
    `refuses base.sshd.settings: ${dropInPath} line 3: Bad SSH2 cipher`,
  ],
  [
    'a configuration that is broken already',
    {},
    { whole: '/etc/ssh/sshd_config.d/x.conf: line 1: Bad configuration option: Foo' },
    /broken: .*x.conf: line 1/,
  ],
  ['root locked out', {}, { whole: { ...good, permitrootlogin: ['no'] } }, 'PermitRootLogin no would lock out root'],
  [
    'our port gone',
    { sshd: { settings: { Port: 2222 } } },
    { whole: { ...good, listenaddress: ['0.0.0.0:2222'] } },
    'would no longer listen on port 22',
  ],
  [
    'a list without us',
    {},
    { whole: { ...good, allowusers: ['somebody', 'ro'] } },
    'AllowUsers somebody ro would lock out root',
  ],
  ['keys locked out', {}, { whole: { ...good, pubkeyauthentication: ['no'] } }, 'PubkeyAuthentication no'],
  ['more than a key', {}, { whole: { ...good, authenticationmethods: ['publickey,password'] } }, 'more than a key'],
  ['no shell', {}, { whole: { ...good, forcecommand: ['/bin/false'] } }, 'forcecommand /bin/false'],
] as const) {
  test(`refuses ${title}`, () => {
    const lockedOut = { ...config, ...('alone' in config ? {} : { alone: config.whole }) }
    assert.throws(
      () => planOf(role(vars), fresh(lockedOut)),
      (thrown: Error) => thrown.message.match(error) !== null || thrown.message,
    )
  })
}

test('takes password login away only from who has a key', () => {
  const refused = /root has no key in \/root\/.ssh\/authorized_keys: .*ssh-copy-id root@/
  assert.throws(() => planOf(role(), { ...fresh(), 'keys:root': keysIn('/root', 'root', '') }), refused)
  const elsewhere = `command="echo 'Please login as the user debian'" ${key}`
  assert.throws(() => planOf(role(), { ...fresh(), 'keys:root': keysIn('/root', 'root', elsewhere) }), refused)
  const commands = { ...good, authorizedkeyscommand: ['/usr/bin/sss_ssh_authorizedkeys'] }
  planOf(role(), { ...fresh({ whole: commands }), 'keys:root': keysIn('/root', 'root', '') })
})

test('counts a key that the same run will have brought', () => {
  const state = { ...fresh(), 'user:ops': { ...account, uid: 1000, home: '/home/ops', groups: ['ops'] } }
  assert.ok(planOf(role(withAdmin, { user: 'ops' }), state).includes('keys:ops: add a key'))
})

for (const [title, text, error] of [
  [
    'a drop-in before ours',
    { '/etc/ssh/sshd_config.d/00-a.conf': '# x\n\tpasswordauthentication=yes\n' },
    '00-a.conf:2 overrides it',
  ],
  [
    'a line before the Include',
    { [mainConfig]: `PasswordAuthentication yes\n${files[mainConfig]}` },
    'sshd_config:1 overrides it',
  ],
  [
    'a Match block',
    { [mainConfig]: `${files[mainConfig]}Match User root\n  PasswordAuthentication yes\n` },
    'sshd_config:5 overrides it',
  ],
  ['no Include', { [mainConfig]: 'UsePAM yes\n' }, 'has no «Include'],
  ['nobody knows what', {}, 'see sshd -T'],
] as const) {
  test(`says what is in our way: ${title}`, () => {
    const whole = { ...good, passwordauthentication: ['yes'] }
    const state = fresh({ files: { ...files, ...text }, whole })
    assert.throws(
      () => planOf(role(), state),
      (thrown: Error) => thrown.message.includes(`would be yes and not no: `) && thrown.message.includes(error),
    )
  })
}

const login = {
  user: 'debian',
  groups: ['debian', 'sudo'],
  address: '10.1.2.3',
  port: 22,
  keyFiles: keysIn('/home/debian', 'debian'),
  portIsSshds: true,
}
for (const [keyword, values, open] of [
  ['allowusers', ['deb*'], true],
  ['allowusers', ['d?bian'], true],
  ['allowusers', ['de'], false],
  ['allowusers', ['root', 'debian@10.0.0.0/8'], true],
  ['allowusers', ['debian@10.1.2.?'], true],
  ['allowusers', ['debian@192.168.0.0/16'], false],
  ['allowusers', ['debian@10.0.0.0/8,!10.1.2.3'], false],
  ['denyusers', ['debian'], false],
  ['denyusers', ['debian@fe80::/10'], true],
  ['allowgroups', ['wheel'], false],
  ['allowgroups', ['wheel', 'sud*'], true],
  ['denygroups', ['sudo'], false],
  ['permitrootlogin', ['no'], true],
] as const) {
  test(`${open ? 'lets in' : 'shuts out'} debian, of sudo, from 10.1.2.3: ${keyword} ${values.join(' ')}`, () => {
    assert.is(lockouts({ ...good, [keyword]: values }, login).length, open ? 0 : 1)
  })
}

test("the operator's settings win, whatever their case, and a list is a keyword several times", () => {
  const said = sshdSettings({ passwordauthentication: true, AcceptEnv: ['LANG', 'LC_*'] })
  assert.equal(
    said.filter(({ keyword }) => /^(passwordauth|acceptenv)/i.test(keyword)),
    [
      { keyword: 'passwordauthentication', value: 'yes' },
      { keyword: 'AcceptEnv', value: 'LANG' },
      { keyword: 'AcceptEnv', value: 'LC_*' },
    ],
  )
})

test('refuses vars that could not be right', () => {
  const valid = (vars: unknown) => v.safeParse(base.vars, vars).success
  assert.ok(valid({ sshd: { settings: { MaxSessions: 5, Banner: 'none' } }, ...withAdmin }))
  assert.not(valid({ sshd: { settings: { Match: 'User x' } } }))
  assert.not(valid({ sshd: { settings: { AuthorizedKeysFile: '.ssh/keys' } } }))
  assert.not(valid({ sshd: { settings: { Banner: 'none\nPort 1' } } }))
  assert.not(valid({ admin: { name: 'root', keys: [key] } }))
  assert.not(valid({ admin: { name: 'ops', keys: [] } }))
  assert.not(valid({ admin: { name: 'ops', keys: ['-----BEGIN OPENSSH PRIVATE KEY-----'] } }))
})

test("reads sshd's configuration, and where it complains, the complaint", () => {
  const encoded = (text: string) => Buffer.from(text).toString('base64')
  const output = `alone 255 ${encoded('/dev/stdin line 1: Bad')}
whole 0 ${encoded('/dev/stdin line 5: Deprecated option Protocol\nport 22\nlistenaddress [::]:22\nlistenaddress 0.0.0.0:22\nbanner none\n')}
file ${encoded('# ü\n')} ${mainConfig}
`
  assert.equal(sshdConfig('', facts).kind.parse(output, ['config']).get('config'), {
    files: { [mainConfig]: Buffer.from('# ü\n').toString('latin1') },
    alone: '/dev/stdin line 1: Bad',
    whole: { port: ['22'], listenaddress: ['[::]:22', '0.0.0.0:22'], banner: ['none'] },
  })
})

/** What a login as somebody else than root reads besides. */
function others(user: string): Record<string, unknown> {
  return {
    [`user:${user}`]: { ...account, uid: 1000, groups: [user] },
    [`keys:${user}`]: keysIn(`/home/${user}`, user),
    ...(user === 'root' ? {} : { 'package:sudo': { version: '1.9' } }),
    'user:ops': { ...account, uid: 1001, groups: ['ops', 'sudo'] },
    'file:/etc/sudoers.d/botgarden-admin': 'absent',
    'file:/etc/systemd/system/ssh.service.d': folder,
    'file:/etc/systemd/system/ssh.service.d/botgarden.conf': 'absent',
    [`file:${dropInPath}`]: 'absent',
  }
}

/** A host that is as wanted. */
function built(): Record<string, unknown> {
  const contentOf = (path: string) => {
    const { content } = (role().find(({ id }) => id === `file:${path}`)?.wants ?? {}) as { content: string }
    return content
  }
  const all = withDropIn(files, contentOf(dropInPath))
  const written = (path: string) => [
    `file:${path}`,
    { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: checksumOf({ '': contentOf(path) }) },
  ]
  return {
    ...fresh({ files: all }),
    'file:/etc/systemd/system/ssh.service.d': folder,
    ...Object.fromEntries([written('/etc/systemd/system/ssh.service.d/botgarden.conf'), written(dropInPath)]),
    'text:/run/botgarden/sshd.started-with': `${checksumOf(all)}\n`,
  }
}

test.run()
