import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { readInventory, selectHosts } from '../../../lib/inventory/inventory.ts'
import { InventoryError, UsageError } from '../../../lib/std/errors.ts'
import { errorOf, thrown } from '../../support/errors.ts'

const roles = [
  {
    name: 'docker',
    vars: v.strictObject({
      mirrors: v.optional(v.array(v.pipe(v.string(), v.url())), []),
      log: v.optional(v.strictObject({ size: v.optional(v.string()), files: v.optional(v.number()) }), {}),
    }),
  },
  {
    name: 'acme',
    vars: v.strictObject({
      account: v.optional(v.strictObject({ email: v.string(), mode: v.optional(v.picklist(['on', 'off'])) })),
    }),
  },
  {
    name: 'limits',
    vars: v.strictObject({
      bots: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 3),
      port: v.optional(
        v.pipe(
          v.number(),
          v.check((port) => port !== 22, 'a port other than 22'),
        ),
      ),
      strict: v.optional(v.boolean()),
      tag: v.optional(v.string()),
      from: v.optional(v.union([v.string(), v.strictObject({ image: v.string() })])),
    }),
  },
]

const folder = mkdtempSync(join(tmpdir(), 'inventory-test-'))
test.after(() => rmSync(folder, { recursive: true }))

test('an inventory of one host is one line, and every role has its defaults', async () => {
  assert.equal(await read('hosts: { vps1: }'), {
    file: 'x.yaml',
    sandbox: false,
    sshConfig: undefined,
    hosts: [
      {
        name: 'vps1',
        bots: [],
        httpsPort: 443,
        ssh: 'vps1',
        groups: [],
        vars: { docker: { mirrors: [], log: {} }, acme: {}, limits: { bots: 3 } },
      },
    ],
  })
})

test('reads sandbox, addresses and the ssh_config beside the file', async () => {
  const inventory = await read('sandbox: true\nsshConfig: ../ssh_config\nhosts: { a: { ssh: "root@[fe80::1]:2222" } }')
  assert.is(inventory.sandbox, true)
  assert.is(inventory.sshConfig, join(folder, '../ssh_config'))
  assert.is(inventory.hosts[0]?.ssh, 'root@[fe80::1]:2222')
  assert.is((await read('sshConfig: ~/c\nhosts: { a: }')).sshConfig, join(homedir(), 'c'))
})

test('a host wins over its group, a group over all; mappings merge, lists are replaced', async () => {
  const inventory = await read(`
vars: { docker: { mirrors: [http://a/, http://b/], log: { size: 1m, files: 1 } }, limits: { bots: 1 } }
groups:
  core: { docker: { log: { files: 2 } }, limits: { bots: 2 } }
hosts:
  one: { groups: [core], docker: { mirrors: [http://c/] }, limits: { bots: 9 } }
  two: { groups: [core] }
  three:`)
  assert.equal(
    inventory.hosts.map((host) => host.vars),
    [
      { docker: { mirrors: ['http://c/'], log: { size: '1m', files: 2 } }, acme: {}, limits: { bots: 9 } },
      {
        docker: { mirrors: ['http://a/', 'http://b/'], log: { size: '1m', files: 2 } },
        acme: {},
        limits: { bots: 2 },
      },
      {
        docker: { mirrors: ['http://a/', 'http://b/'], log: { size: '1m', files: 1 } },
        acme: {},
        limits: { bots: 1 },
      },
    ],
  )
})

const fine: [name: string, text: string][] = [
  ['anchors and aliases', 'vars: &x { limits: { bots: 2 } }\nhosts: { a: *x, b: *x }'],
  ['a role without anything', 'vars: { docker: { mirrors: [] } }\nhosts: { a: { docker: } }'],
  [
    'groups that agree',
    'groups: { x: { limits: { bots: 2 } }, y: { limits: { bots: 2 } } }\nhosts: { a: { groups: [x, y] } }',
  ],
  [
    'groups that the host overrules',
    'groups: { x: { limits: { bots: 1 } }, y: { limits: { bots: 2 } } }\nhosts: { a: { groups: [x, y], limits: { bots: 5 } } }',
  ],
  ['a byte order mark', '\ufeffhosts: { a: }'],
]
for (const [name, text] of fine) test(`takes ${name}`, async () => assert.ok((await read(text)).hosts.length > 0))

const faults: [name: string, text: string | Buffer, ...lines: string[]][] = [
  ['an empty file', '', 'x.yaml: empty'],
  ['comments only', '# nothing\n', 'x.yaml: empty'],
  ['no mapping at the top', '- a', 'x.yaml:1:1: should be a mapping with the key "hosts", found a list'],
  ['no hosts', 'vars:', 'x.yaml:1:1: hosts: missing'],
  ['hosts without one', 'hosts: {}', 'x.yaml:1:8: hosts: no host'],
  ['a syntax error', 'hosts:\n  a: [1', 'x.yaml:2:8: not YAML: flow sequence'],
  ['a tab', 'hosts:\n\ta:', 'x.yaml:2:1: a tab as indentation; use spaces'],
  ['a key twice', 'hosts:\n  a:\n  a:', 'x.yaml:3:3: a: is already at x.yaml:2:3; keep one'],
  ['two documents', 'hosts: { a: }\n---\n', 'x.yaml:2:1: a second document'],
  ['an unknown tag', 'hosts: !vault { a: }', 'x.yaml:1:8: unknown tag !vault'],
  ['an unknown alias', 'vars: &all {}\nhosts: { a: *al }', 'x.yaml:2:13: no anchor "&al" above (did you mean "all"?)'],
  ['an alias of itself', 'hosts: &x { a: *x }', 'x.yaml:1:16: this alias is inside the'],
  ['aliases that unfold without end', bomb(), 'x.yaml:1:28: more than 50000 values'],
  ['a template', 'hosts: {{ x }}', 'x.yaml:1:9: a key must be text'],
  [
    'keys that are not keys',
    'hosts: { __proto__: }\nconstructor: 1',
    'x.yaml:1:10: __proto__: ',
    'x.yaml:2:1: constructor: ',
  ],
  ['a NUL byte', 'hosts:\n  a\0:', 'x.yaml:2:1: not text'],
  ['Latin-1', Buffer.from('hosts:\n  # \xe9', 'latin1'), 'x.yaml:2:1: not UTF-8'],
  ['UTF-16', Buffer.from('\ufeffhosts: { a: }', 'utf16le'), 'x.yaml: UTF-16'],
  ['an unknown key at the top', 'host: { a: }\nhosts: { a: }', 'x.yaml:1:1: host: unknown key (did you mean "hosts"?)'],
  [
    'an unknown role',
    'hosts: { a: { dokcer: {} } }',
    'x.yaml:1:15: hosts.a.dokcer: unknown key (did you mean "docker"?)',
  ],
  [
    'an unknown key of a role',
    one('docker: { mirors: [] }'),
    'x.yaml:3:15: docker.mirors: unknown key (did you mean "mirrors"?)',
  ],
  ['two of them', one('docker: { x: 1, y: 2 }'), 'x.yaml:3:15: docker.x: unknown', 'x.yaml:3:21: docker.y: unknown'],
  [
    'text for a list',
    one('docker: { mirrors: yes }'),
    'x.yaml:3:24: docker.mirrors: should be a list of URLs, found the text "yes"',
  ],
  [
    'one bad item',
    one('docker: { mirrors: [http://a/, b] }'),
    'x.yaml:3:36: docker.mirrors[1]: should be a URL, found the text "b"',
  ],
  ['a list for a mapping', one('docker: []'), 'x.yaml:3:13: docker: should be a mapping, found a list'],
  ['a missing key', one('acme: { account: { mode: on } }'), 'x.yaml:3:13: acme.account.email: missing: should be text'],
  [
    'a word that is not on the list',
    one('acme: { account: { email: a, mode: o } }'),
    'x.yaml:3:40: acme.account.mode: should be "on" or "off", found',
  ],
  [
    'a number as text',
    one('limits: { tag: 1.10 }'),
    'x.yaml:3:20: limits.tag: should be text, found the number 1.10; put it in quotes',
  ],
  [
    'text as a number',
    one('limits: { bots: "5" }'),
    'x.yaml:3:21: limits.bots: should be a whole number of at least 1, found the text "5"; leave',
  ],
  [
    'yes, which is text',
    one('limits: { strict: yes }'),
    'x.yaml:3:23: limits.strict: should be true or false, found the text "yes"',
  ],
  [
    'what a schema says itself',
    one('limits: { port: 22 }'),
    'x.yaml:3:21: limits.port: should be a port other than 22, found the number 22',
  ],
  [
    'a fault inside an alternative',
    one('limits: { from: { imag: x } }'),
    'x.yaml:3:15: limits.from.image: missing',
    'x.yaml:3:23: limits.from.imag: unknown',
  ],
  [
    'neither alternative',
    one('limits: { from: 5 }'),
    'x.yaml:3:21: limits.from: should be text or a mapping, found the number 5',
  ],
  ['a bad name', 'hosts: { Vps_1: }', 'x.yaml:1:10: hosts.Vps_1: the name should be of a-z'],
  [
    'an option for an address',
    'hosts: { a: { ssh: -oX=y } }',
    'x.yaml:1:20: hosts.a.ssh: should be an alias of ssh_config or',
  ],
  ['IPv6 without brackets', 'hosts: { a: { ssh: "root@::1" } }', 'x.yaml:1:20: hosts.a.ssh: '],
  ['a port that is none', 'hosts: { a: { ssh: "a:70000" } }', 'x.yaml:1:20: hosts.a.ssh: '],
  [
    'an unknown group',
    'groups: { core: }\nhosts: { a: { groups: [core, cor] } }',
    'x.yaml:2:30: hosts.a.groups: unknown group "cor" (did you mean "core"?)',
  ],
  ['a group of nobody', 'groups: { core: }\nhosts: { a: }', 'x.yaml:1:11: groups.core: no host is in this group'],
  [
    'groups that disagree',
    'groups:\n  x: { docker: { log: { files: 1 } } }\n  y: { docker: { log: { files: 2 } } }\nhosts: { a: { groups: [x, y] }, b: { groups: [x, y] } }',
    'x.yaml:2:25: docker.log.files: the groups "x" and "y" of one host disagree: the other value is at x.yaml:3:25',
  ],
  [
    'a fault that two hosts share, once',
    'groups: { x: { docker: { mirrors: 1 } } }\nhosts: { a: { groups: [x] }, b: { groups: [x] } }',
    'x.yaml:1:35: docker.mirrors: should be a list of URLs, found the number 1',
  ],
  [
    'all at once, in the order of the file',
    'sandbox: 1\nvars: { docker: { a: 1 } }\nhosts:\n  a: { acme: 5 }\n  b: { ssh: [] }',
    'x.yaml:1:10: sandbox: ',
    'x.yaml:2:19: docker.a: ',
    'x.yaml:4:14: acme: ',
    'x.yaml:5:13: hosts.b.ssh: ',
  ],
]
for (const [name, text, ...lines] of faults) {
  test(`says what is wrong and where: ${name}`, async () => {
    const message = (await errorOf(read(text), InventoryError)).message
    const found = message.split('\n')
    assert.equal(
      found.map((line, i) => line.slice(0, lines[i]?.length)),
      lines,
      message,
    )
  })
}

test('what an absent role misses is missing in the host', async () => {
  const certbot = { name: 'certbot', vars: v.strictObject({ email: v.string() }) }
  writeFileSync(join(folder, 'y.yaml'), 'hosts:\n  a:\n  b: { certbot: { email: x } }')
  const message = (await errorOf(readInventory(join(folder, 'y.yaml'), [certbot]), InventoryError)).message
  assert.is(message, `${join(folder, 'y.yaml')}:2:3: certbot.email: missing: should be text`)
})

test('says what is wrong with the file itself', async () => {
  mkdirSync(join(folder, 'directory.yaml'), { recursive: true })
  assert.match(
    (await errorOf(readInventory(join(folder, 'directory.yaml'), roles), InventoryError)).message,
    'directory.yaml: this is a directory',
  )
  await read('hosts: { a: }')
  const absent = join(folder, 'xx.yaml')
  assert.is(
    (await errorOf(readInventory(absent, roles), InventoryError)).message,
    `${absent}: no such file (did you mean "x.yaml"?); name one with --inventory`,
  )
})

test('--limit takes hosts and groups, in any mix, and keeps the order of the file', async () => {
  const inventory = await read('groups: { core: }\nhosts: { a: { groups: [core] }, b: , c: { groups: [core] } }')
  const named = (...limit: string[]) => selectHosts(inventory, limit).map((host) => host.name)
  assert.equal(named(), ['a', 'b', 'c'])
  assert.equal(named('core'), ['a', 'c'])
  assert.equal(named('c,b', 'core'), ['a', 'b', 'c'])
  const error = thrown(() => named('cor', 'x'))
  assert.instance(error, UsageError)
  assert.is(
    error.message,
    '--limit: unknown host or group "cor" (did you mean "core"?)\n--limit: unknown host or group "x"\nx.yaml has hosts a, b, c and groups core',
  )
})

test.run()

async function read(text: string | Buffer) {
  const file = join(folder, 'x.yaml')
  writeFileSync(file, text)
  const inventory = await readInventory(file, roles).catch((error: Error) => {
    if (error instanceof InventoryError) error.message = error.message.replaceAll(file, 'x.yaml')
    throw error
  })
  return { ...inventory, file: 'x.yaml' }
}

function one(vars: string): string {
  return `hosts:\n  a:\n    ${vars}\n`
}

function bomb(): string {
  const rows = Array.from({ length: 9 }, (_, i) => `a${i + 1}: &a${i + 1} [${Array(9).fill(`*a${i}`).join(', ')}]`)
  return ['a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]', ...rows].join('\n')
}
