import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { authorizedKeys, type KeyFile, keyFiles, parseKeys } from '../../../lib/resources/authorized-keys.ts'
import { member, user, userState } from '../../../lib/resources/user.ts'
import { planOf, scriptsOf } from '../../support/plan-of.ts'

const ops = {
  uid: 1001,
  home: '/home/ops',
  homeThere: true,
  shell: '/bin/bash',
  password: 'locked',
  groups: ['ops', 'sudo'],
} as const

for (const [title, resource, state, expected] of [
  ['plans nothing for a user who is as wanted', user('ops'), ops, []],
  ['creates a user who is not there', user('ops'), 'absent', ['user:ops: create']],
  ['gives him his shell', user('ops'), { ...ops, shell: '/bin/sh' }, ['user:ops: shell /bin/sh → /bin/bash']],
  ['locks a password', user('ops'), { ...ops, password: 'set' }, ['user:ops: lock the password']],
  ['locks one that is empty', user('ops'), { ...ops, password: 'none' }, ['user:ops: lock the password']],
  ['creates a home that is gone', user('ops'), { ...ops, homeThere: false }, ['user:ops: create the home']],
  ['plans nothing for a member', member('ops', 'sudo'), ops, []],
  ['adds who is no member', member('ops', 'sudo'), { ...ops, groups: ['ops'] }, ['member:sudo/ops: add']],
] as const) {
  test(title, () => assert.equal(planOf([resource], { 'user:ops': state }), expected))
}

test('sees the group of a user who is only about to be made', () => {
  assert.equal(planOf([user('ops'), member('ops', 'ops'), member('ops', 'sudo')], { 'user:ops': 'absent' }), [
    'user:ops: create',
    'member:ops/ops: comes-with user:ops',
    'member:sudo/ops: add',
  ])
})

test('leaves accounts of the system alone', () => {
  assert.throws(() => planOf([user('ops')], { 'user:ops': { ...ops, uid: 13 } }), /is a system account/)
  assert.throws(() => planOf([member('ops', 'sudo')], { 'user:ops': 'absent' }), /does not exist/)
})

test('reads what the host says of users', () => {
  const output = `absent
ops sudo|L|yes|ops:x:1001:1001:One | Two,,,:/home/ops:/bin/bash
odd|NP|no|odd:x:1002:1002::/nowhere:
set|P|yes|set:x:1003:1003::/home/set:/bin/zsh
`
  const odd = { ...ops, uid: 1002, home: '/nowhere', homeThere: false, shell: '/bin/sh', password: 'none' }
  assert.equal(
    [...userState('').kind.parse(output, ['nobody', 'ops', 'odd', 'set']).values()],
    [
      'absent',
      ops,
      { ...odd, groups: ['odd'] },
      { ...ops, uid: 1003, home: '/home/set', shell: '/bin/zsh', password: 'set', groups: ['set'] },
    ],
  )
})

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC'
const other = 'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC'
const right: KeyFile = {
  path: '/home/ops/.ssh/authorized_keys',
  own: true,
  directory: '0700 ops',
  file: '0600 ops',
  keys: [{ key, options: '' }],
}
const second = { ...right, path: '/home/ops/.ssh/authorized_keys2', file: 'absent', keys: [] }
const missing = { ...right, directory: 'absent', file: 'absent', keys: [] }

for (const [title, files, expected] of [
  ['plans nothing where the key is there', [right, second], []],
  ['whatever its comment', [{ ...right, keys: parseKeys(`${key} somebody@else`) }, second], []],
  ['in whichever file', [missing, { ...second, file: '0600 ops', keys: right.keys }], []],
  ['adds what is missing', [{ ...right, keys: parseKeys(other) }, second], ['add a key']],
  ['where there is nothing yet', [missing, second], ['add a key']],
  [
    'mends what sshd would not trust',
    [{ ...right, file: '0664 ops' }, second],
    ['/home/ops/.ssh/authorized_keys: 0664 ops → 0600 ops'],
  ],
  ['and the directory', [{ ...right, directory: '0700 root' }], ['/home/ops/.ssh: 0700 root → 0700 ops']],
  [
    'all at once',
    [{ ...right, directory: '0777 ops', keys: [] }],
    ['add a key', '/home/ops/.ssh: 0777 ops → 0700 ops'],
  ],
  ["but not outside of the user's home", [{ ...right, own: false, directory: '0755 root', file: '0644 root' }], []],
] as const) {
  test(`keys: ${title}`, () => {
    const planned = planOf([authorizedKeys('ops', [`${key} ops@example.org`])], { 'keys:ops': files })
    assert.equal(
      planned,
      expected.map((summary) => `keys:ops: ${summary}`),
    )
  })
}

test('keeps the keys of others when it adds one', () => {
  const [script = ''] = scriptsOf([authorizedKeys('ops', [key])], { 'keys:ops': [{ ...right, keys: [] }, second] })
  assert.match(script, /sed -e '\$a\\' \/home\/ops\/.ssh\/authorized_keys; fi; printf '%s\\n' 'ssh-ed25519 AAAA/)
})

test('says where sshd reads no keys at all', () => {
  assert.throws(() => planOf([authorizedKeys('ops', [key])], { 'keys:ops': [] }), /AuthorizedKeysFile is none/)
})

test('tells keys from comments, and from what restricts them', () => {
  const text = `# ${key} not this\n\nfrom="10.0.0.0/8",command="echo a b" ${key} ops\n  ${other}\nnonsense\n`
  assert.equal(parseKeys(text), [
    { key, options: 'from="10.0.0.0/8",command="echo a b"' },
    { key: other, options: '' },
  ])
})

test('reads where sshd looks for keys', () => {
  const text = Buffer.from(`${key} ops\n`).toString('base64')
  const output = `ops|yes|0700 ops|0600 ops|${text}|/home/ops/.ssh/authorized_keys
ops|yes|0700 ops|absent||/home/ops/.ssh/authorized_keys2
root|no|0755 root|absent||/etc/ssh/keys/root
`
  assert.equal(
    keyFiles('').kind.parse(output, ['ops', 'root', 'none']),
    new Map<string, unknown>([
      ['ops', [right, second]],
      ['root', [{ path: '/etc/ssh/keys/root', own: false, directory: '0755 root', file: 'absent', keys: [] }]],
      ['none', []],
    ]),
  )
})

test.run()
