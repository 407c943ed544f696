// What the roles take in an inventory, each value beside the nearest that they do not take.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { base, certbot, docker, nginx, postgres, ufw } from '../../roles/index.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC ops'
const admin = (name: string, keys: readonly string[] = [key]) => ({ admin: { name, keys } })
const sshd = (settings: object) => ({ sshd: { settings } })
const journal = (maxUse: string) => ({ journal: { maxUse } })
const hold = (name: string) => ({ upgrades: { hold: [name] } })

for (const [role, what, good, bad] of [
  [
    base,
    'an admin',
    [admin('ops'), admin('_a-b_1'), admin('a'.repeat(32)), admin('ops', [key, key])],
    [
      admin('root'),
      admin('Ops'),
      admin('1a'),
      admin('a b'),
      admin('xA'),
      admin('a'.repeat(33)),
      admin('ops', []),
      admin('ops', ['x']),
      admin('ops', [`${key}\n${key}`]),
    ],
  ],
  [
    base,
    'settings of sshd',
    [sshd({ MaxSessions: 3 }), sshd({ AllowUsers: ['a', 'b'] }), sshd({ X11Forwarding: false })],
    [
      sshd({ 'A B': 1 }),
      sshd({ '1A': 1 }),
      sshd({ Match: 'x' }),
      sshd({ include: 'x' }),
      sshd({ AuthorizedKeysFile: 'x' }),
      sshd({ A: 'x\ny' }),
      sshd({ A: '' }),
    ],
  ],
  [base, 'keywords that only look like those', [sshd({ Matches: 1 }), sshd({ MyInclude: 1 })], [sshd({ A1_: 1 })]],
  [
    base,
    'packages',
    [{ packages: ['g++', 'a.b-c', '7zip'] }, hold('nginx')],
    [{ packages: ['A'] }, { packages: ['a b'] }, { packages: ['a'] }, { packages: ['-a'] }, hold('A b')],
  ],
  [base, 'a time zone', [{ timezone: 'Europe/Berlin' }, { timezone: 'UTC' }], [{ timezone: 'Berlin' }]],
  [base, 'swap', [{ swap: 0 }, { swap: 65_536 }], [{ swap: -1 }, { swap: 65_537 }, { swap: 1.5 }]],
  [
    base,
    'sysctls',
    [{ sysctls: { 'vm.swappiness': 1, 'net.ipv4.conf.a/b.x': 'y z' } }],
    [
      { sysctls: { swappiness: 1 } },
      { sysctls: { 'vm. x': 1 } },
      { sysctls: { 'vm.x': 'a\nb' } },
      { sysctls: { ' vm.x': 1 } },
      { sysctls: { 'vm.x': '' } },
    ],
  ],
  [
    base,
    'the size of the journal',
    [journal('1K'), journal('200M'), journal('1G')],
    [journal('0M'), journal('1'), journal('x1M'), journal('1MB')],
  ],
  [
    ufw,
    'ports of the web',
    [{ web: [1, 65_535] }, { web: [] }, { web: Array(15).fill(80) }],
    [{ web: [0] }, { web: [65_536] }, { web: [1.5] }, { web: Array(16).fill(80) }],
  ],
  [
    ufw,
    'who may log in',
    [{ sshFrom: ['192.0.2.1', '192.0.2.0/24', '2001:db8::/32'] }],
    [{ sshFrom: [] }, { sshFrom: ['x'] }, { sshFrom: ['192.0.2.0/33'] }],
  ],
  [
    ufw,
    'rules',
    [{ allow: ['22', '80/tcp', '1000:2000/udp', '22/tcp from 192.0.2.1'] }],
    [{ allow: ['x'] }, { allow: ['0'] }, { allow: ['80/icmp'] }, { allow: ['1000:2000'] }, { allow: ['22 from x'] }],
  ],
  [
    docker,
    'mirrors',
    [{ registryMirrors: ['http://a:5000', 'https://a/'] }],
    [
      { registryMirrors: ['a'] },
      { registryMirrors: ['http://a/b'] },
      { registryMirrors: ['x http://a'] },
      { registryMirrors: ['http://'] },
    ],
  ],
  [docker, 'settings of its daemon', [{ daemon: { debug: true } }], [{ daemon: { hosts: [] } }]],
  [
    postgres,
    'an image',
    [{ image: 'postgres:18' }, { image: `a/b@sha256:0` }],
    [{ image: 'postgres' }, { image: 'a b:1' }, { image: ':1' }],
  ],
  [
    postgres,
    'settings',
    [{ settings: { work_mem: '8MB', 'a.b_c': 1, x: true, y: '' } }],
    [
      { settings: { A: 1 } },
      { settings: { 'a.b.c': 1 } },
      { settings: { 'a b': 1 } },
      { settings: { a: "'" } },
      { settings: { a: 'x\ny' } },
    ],
  ],
  [nginx, 'an image', [{ image: 'nginx:1' }], [{ image: 'nginx' }, { image: 'a b:1' }]],
  [
    nginx,
    'networks',
    [{ telegram: ['192.0.2.0/24', '2001:db8::/32'] }, { telegram: [] }],
    [{ telegram: ['192.0.2.0'] }, { telegram: ['x/1'] }, { telegram: ['192.0.2.0/24 '] }, { telegram: ['192.0.2.0/'] }],
  ],
  [
    certbot,
    'where certificates are from',
    [{ certificate: 'letsencrypt' }, { certificate: 'self-signed' }, { certificate: 'files' }],
    [{ certificate: 'none' }],
  ],
  [
    certbot,
    'an authority',
    [{ server: 'production' }, { server: 'staging' }, { server: 'https://a/b' }],
    [{ server: 'other' }, { server: 'http://a' }, { server: 'https://a b' }, { server: 'x https://a' }],
  ],
  [
    certbot,
    'files and an address',
    [{ files: { fullchain: 'a', privkey: 'b' } }, { authority: 'a' }, { email: 'a@b.org' }, { preflight: false }],
    [{ files: { fullchain: 'a' } }, { authority: '' }, { email: 'a' }, { files: { fullchain: '', privkey: 'b' } }],
  ],
] as const)
  test(`${role.name} takes ${what}`, () => {
    for (const value of good) assert.ok(v.is(role.vars, value), JSON.stringify(value))
    for (const value of bad) assert.not(v.is(role.vars, value), JSON.stringify(value))
  })

test('what is left out', () => {
  const of = (role: typeof base | typeof ufw) => v.parse(role.vars as v.GenericSchema, {})
  assert.equal(of(base), {
    ...{ sshd: { settings: {} }, packages: [], upgrades: { hold: [] }, sysctls: {}, journal: { maxUse: '200M' } },
  })
  assert.equal(
    [of(ufw), of(certbot)],
    [
      { exclusive: true, allow: [] },
      { server: 'production', preflight: true },
    ],
  )
  assert.equal(of(docker), { daemon: {} })
})

test('what is wrong is said in words', () => {
  const said = (value: object, role = base) =>
    v
      .safeParse(role.vars, value)
      .issues?.map(({ message }) => message)
      .join('; ') ?? ''
  for (const [value, message] of [
    [admin('A'), 'a name of a user: lower-case letters, digits, - and _'],
    [admin('root'), 'a user other than root, who needs no sudo'],
    [admin('a', ['x']), 'a public key in one line, as in ~/.ssh/id_ed25519.pub'],
    [admin('a', []), 'at least one key: without one this user cannot log in'],
    [sshd({ '1': 1 }), 'a keyword of sshd_config(5)'],
    [sshd({ Match: 1 }), 'not Match, Include or AuthorizedKeysFile: a drop-in of your own can say that'],
    [{ timezone: 'x' }, 'a name like Europe/Berlin or UTC'],
    [{ sysctls: { x: 1 } }, 'a name of sysctl(8), like vm.swappiness'],
    [{ packages: ['A'] }, 'a name of a package'],
  ] as const)
    assert.match(said(value), message)
  assert.match(said({ allow: ['x'] }, ufw), 'PORT, PORT/tcp or FIRST:LAST/udp')
  assert.match(said({ sshFrom: ['x'] }, ufw), 'an address or NETWORK/BITS')
  assert.match(said({ daemon: { hosts: 1 } }, docker), 'settings without "hosts", which the unit of the daemon sets')
  assert.match(said({ settings: { A: 1 } }, postgres), 'a setting of postgresql.conf')
})

test.run()
