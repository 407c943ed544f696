import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { allowed, shapeOf } from '../../../lib/inventory/describe-schema.ts'
import { explainedText } from '../../../lib/inventory/explain.ts'
import { readInventory } from '../../../lib/inventory/inventory.ts'
import { checked } from '../../../lib/inventory/validate.ts'
import { readYaml } from '../../../lib/inventory/yaml.ts'
import { InventoryError } from '../../../lib/std/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'fault-text-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const wanted: [schema: v.GenericSchema, words: string][] = [
  [v.string(), 'text'],
  [v.number(), 'a number'],
  [v.boolean(), 'true or false'],
  [v.null(), 'nothing'],
  [v.pipe(v.string(), v.url()), 'a URL'],
  [v.pipe(v.string(), v.email()), 'an email address'],
  [v.pipe(v.string(), v.ipv4()), 'an IPv4 address'],
  [v.pipe(v.string(), v.ipv6()), 'an IPv6 address'],
  [v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5)), 'a whole number of at least 1 of at most 5'],
  [v.strictObject({}), 'a mapping'],
  [v.record(v.string(), v.string()), 'a mapping'],
  [v.array(v.pipe(v.string(), v.ipv4())), 'a list of IPv4 addresses'],
  [v.array(v.string()), 'a list of text'],
  [v.array(v.pipe(v.string(), v.description('a name of a host'))), 'a list of names of a host'],
  [v.picklist(['a', 'b']), '"a" or "b"'],
  [v.literal(5), '5'],
  [v.union([v.string(), v.pipe(v.number(), v.minValue(2))]), 'text or a number of at least 2'],
  [v.pipe(v.string(), v.regex(/^a$/)), 'text like /^a$/'],
  [v.pipe(v.string(), v.nonEmpty()), 'text that is not empty'],
  [v.pipe(v.string(), v.minLength(3), v.maxLength(9)), 'text with at least 3 with at most 9'],
  [v.optional(v.nullish(v.number())), 'a number'],
  [v.bigint(), 'something else'],
]
for (const [schema, words] of wanted)
  test(`a schema in words: ${words}`, () => assert.is(allowed(shapeOf(schema)), words))

const values = v.strictObject({
  text: v.optional(v.string()),
  number: v.optional(v.number()),
  own: v.optional(
    v.pipe(
      v.string(),
      v.check((text) => text === 'x', 'must be x'),
    ),
  ),
  keys: v.optional(v.record(v.pipe(v.string(), v.regex(/^[a-z]+$/, 'of letters')), v.number())),
  list: v.optional(v.array(v.strictObject({ a: v.string() }))),
  either: v.optional(
    v.variant('kind', [v.strictObject({ kind: v.literal('a') }), v.strictObject({ kind: v.literal('b') })]),
  ),
  whole: v.optional(
    v.pipe(
      v.strictObject({}),
      v.check(() => false, 'these do not fit'),
    ),
  ),
})
for (const [text, ...expected] of [
  ['text: 1', '1:7: text: should be text, found the number 1; put it in quotes'],
  ['text: true', '1:7: text: should be text, found true; put it in quotes'],
  ['text: []', '1:7: text: should be text, found a list'],
  ['text: {}', '1:7: text: should be text, found a mapping'],
  ['text:', '1:6: text: should be text, found nothing'],
  ['number: "-1.5"', '1:9: number: should be a number, found the text "-1.5"; leave out the quotes'],
  ['number: "1x"', '1:9: number: should be a number, found the text "1x"'],
  [`number: ${'y'.repeat(61)}`, `1:9: number: should be a number, found the text "${'y'.repeat(60)}…"`],
  [`number: ${'y'.repeat(60)}`, `1:9: number: should be a number, found the text "${'y'.repeat(60)}"`],
  ['own: y', '1:6: own: must be x, found the text "y"'],
  ['keys: { A: 1 }', '1:9: keys.A: the name should be of letters'],
  ['list: [{ a: x }, { b: 1 }]', '1:18: list[1].a: missing: should be text', '1:20: list[1].b: unknown key (known: a)'],
  ['either: { kind: c }', '1:17: either.kind: should be "a" or "b", found the text "c"'],
  ['either: { kind: a, more: 1 }', '1:20: either.more: unknown key'],
  ['whole: {}', '1:8: whole: these do not fit'],
  ['quite: 1', '1:1: quite: unknown key (known: text, number, own, keys, list, either, whole)'],
  ['whole: { x: 1 }', '1:10: whole.x: unknown key'],
] as const)
  test(`a fault in words: ${text}`, async () => {
    const file = join(folder, 'x.yaml')
    writeFileSync(file, text)
    const { faults } = checked(await readYaml(file), values)
    assert.equal(faults.map((line) => line.replace(`${file}:`, '')).sort(), [...expected].sort())
  })

const bots = v.strictObject({ mode: v.optional(v.string(), 'polling') })
const known = [{ name: 'docker', vars: v.optional(v.strictObject({ log: v.optional(v.string()) }), {}), bots }]
for (const [text, ...expected] of [
  ['', 'FILE: empty; it must name at least one host'],
  ['hosts: {}', 'FILE:1:8: hosts: no host; name at least one'],
  ['hosts: [a]', 'FILE:1:8: hosts: should be a mapping of host names to hosts, found a list'],
  ['hosts: { a: }\n---\n', 'FILE:2:1: a second document starts here; keep one'],
  ['hosts: !v { a: }', 'FILE:1:8: unknown tag !v; tags are not used here'],
  ['hosts: { a: *b }', 'FILE:1:13: no anchor "&b" above'],
  ['hosts: &x { a: *x }', 'FILE:1:16: this alias is inside the value that it repeats'],
  ['hosts: {{ x }}', 'FILE:1:9: a key must be text; templates like {{ x }} are not filled in here'],
  ['__proto__: 1\nhosts: { a: }', 'FILE:1:1: __proto__: this name cannot be a key'],
  ['hosts:\n  a\0:', 'FILE:2:1: not text: it holds a NUL byte; is this the right file?'],
  [Buffer.from('hosts: { a: } # \xe9', 'latin1'), 'FILE:1:1: not UTF-8 text on this line; save the file as UTF-8'],
  [Buffer.from('\ufeffhosts: { a: }', 'utf16le'), 'FILE: UTF-16 text; save it as UTF-8'],
  [Buffer.from([0xfe, 0xff, 0, 97]), 'FILE: UTF-16 text; save it as UTF-8'],
  ['hosts: { A: }', 'FILE:1:10: hosts.A: the name should be of a-z, 0-9, "." and "-", starting with a letter or digit'],
  [
    'hosts: { a: { ssh: -x } }',
    'FILE:1:20: hosts.a.ssh: should be an alias of ssh_config or user@host:port (IPv6 in brackets), found the text "-x"',
  ],
  [
    'hosts: { a: { domain: A } }',
    'FILE:1:23: hosts.a.domain: should be a domain name in lower case, or an IPv4 address, found the text "A"',
  ],
  [
    'hosts: { a: { httpsPort: 8080 } }',
    'FILE:1:26: hosts.a.httpsPort: should be 443, 8443, 88 or 80, where Telegram delivers, found the number 8080',
  ],
  ['hosts: { a: { groups: [b] } }', 'FILE:1:24: hosts.a.groups: unknown group "b"'],
  ['groups: { b: }\nhosts: { a: }', 'FILE:1:11: groups.b: no host is in this group'],
  [
    'groups: { x: { docker: { log: a } }, y: { docker: { log: b } } }\nhosts: { a: { groups: [x, y] } }',
    'FILE:1:26: docker.log: the groups "x" and "y" of one host disagree: the other value is at FILE:1:53; set it in one of them, or in the host',
  ],
  ['hosts: { a: , b: }\nbots: { c: }', 'FILE:2:9: bots.c: missing: host, one of a, b'],
  ['hosts: { a1: , b: }\nbots: { c: { host: a2 } }', 'FILE:2:20: bots.c.host: unknown host "a2" (did you mean "a1"?)'],
  [
    'hosts: { a: }\nbots: { C: }',
    'FILE:2:9: bots.C: the name should be of a-z, 0-9 and single "-", starting with a letter',
  ],
  [
    `hosts: { a: }\nbots: { ${'c'.repeat(33)}: }`,
    `FILE:2:9: bots.${'c'.repeat(33)}: the name should be of at most 32 characters`,
  ],
  ['hosts: { a: }\nbots: { nginx: }', 'FILE:2:9: bots.nginx: the name should be not a name of the core'],
  ['- a', 'FILE:1:1: should be a mapping with the key "hosts", found a list'],
] as const)
  test(`an inventory in words: ${JSON.stringify(String(text).slice(0, 60))}`, async () => {
    const file = join(folder, 'hosts.yaml')
    writeFileSync(file, text)
    const error = await readInventory(file, known).then(
      () => new Error('it was taken'),
      (reason) => reason,
    )
    assert.instance(error, InventoryError, error.message)
    assert.equal(error.message.replaceAll(file, 'FILE').split('\n'), expected)
  })

test('an inventory’s hosts have their bots, names and ports', async () => {
  const file = join(folder, 'hosts.yaml')
  writeFileSync(
    file,
    'hosts:\n  a: { domain: a.example.org, httpsPort: 8443, ssh: root@a }\n  b: { domain: 192.0.2.1, groups: [g, g] }\ngroups: { g: }\nbots:\n  one: { host: a, mode: webhook }\n  two: { host: b }\n',
  )
  const { hosts } = await readInventory(file, known)
  assert.equal(
    hosts.map(({ bots, domain, httpsPort, ssh, groups, name }) => ({ bots, domain, httpsPort, ssh, groups, name })),
    [
      {
        bots: [{ name: 'one', where: `${file}:6:3`, settings: { mode: 'webhook' } }],
        ...{ domain: 'a.example.org', httpsPort: 8443, ssh: 'root@a', groups: [], name: 'a' },
      },
      {
        bots: [{ name: 'two', where: `${file}:7:3`, settings: { mode: 'polling' } }],
        ...{ domain: '192.0.2.1', httpsPort: 443, ssh: 'b', groups: ['g'], name: 'b' },
      },
    ],
  )
  writeFileSync(file, 'hosts: { a: }\nbots: { one: }')
  const [only] = (await readInventory(file, known)).hosts
  assert.equal(
    only?.bots.map(({ name }) => name),
    ['one'],
  )
})

test('what two values of a host have against each other is said of the host', async () => {
  const file = join(folder, 'hosts.yaml')
  writeFileSync(file, 'hosts: { a: }')
  const misfit = {
    ...known[0],
    name: 'docker',
    vars: v.optional(v.strictObject({}), {}),
    faults: () => ['x and y do not fit'],
  }
  const error = await readInventory(file, [misfit]).catch((reason) => reason)
  assert.is(error.message, `${file}:1:10: hosts.a: x and y do not fit`)
})

test('an explanation of a variable that nobody set', () => {
  const explained = [
    { host: 'a', key: 'x.y', value: [1], over: [] },
    { host: 'long', key: 'x.y', over: [] },
  ]
  assert.is(explainedText(explained), "x.y\n  a     [1]  (the role's default)\n  long  not set")
})

test.run()
