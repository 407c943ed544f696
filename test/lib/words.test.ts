// What people and programs are told, word by word.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { flags, givenFlags, spellingOf } from '../../lib/cli/flags.ts'
import { usage } from '../../lib/cli/options.ts'
import { changeDiff } from '../../lib/engine/change-diff.ts'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import { heldBy, lockRequestOf } from '../../lib/engine/host-lock.ts'
import { stepsOf } from '../../lib/engine/step.ts'
import { allowed, shapeOf } from '../../lib/inventory/describe-schema.ts'
import { explainedText } from '../../lib/inventory/explain.ts'
import { readInventory } from '../../lib/inventory/inventory.ts'
import { checked } from '../../lib/inventory/validate.ts'
import { readYaml } from '../../lib/inventory/yaml.ts'
import { role } from '../../lib/model/role.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { failureJson, failureLines, meaningOf } from '../../lib/report/failure.ts'
import { reporterOn } from '../../lib/report/progress.ts'
import {
  exitCodeOf,
  type HostResult,
  outputsJson,
  resultJson,
  resultText,
  rounded,
  statusOf,
  together,
} from '../../lib/report/result.ts'
import { sh } from '../../lib/shell/sh.ts'
import { parseFacts, refuseUnsupported } from '../../lib/ssh/read-facts.ts'
import { type Paint, plain } from '../../lib/std/colour.ts'
import { envSeconds } from '../../lib/std/env-seconds.ts'
import {
  Bug,
  CommandFailed,
  ConnectError,
  HostError,
  InventoryError,
  Reverted,
  UsageError,
} from '../../lib/std/errors.ts'
import { withLock } from '../../lib/std/file-lock.ts'
import { fileDiff } from '../../lib/std/unified-diff.ts'
import { entry, facts, wants } from '../support/fake-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'words-test-'))
test.after(() => rmSync(folder, { recursive: true }))
const marked: Paint = (style, text) => `<${style} ${text}>`

const result = (more: Partial<HostResult> = {}): HostResult => ({
  ...{ host: 'vps1', changes: [], unknowns: [], outputs: {}, resources: 10, unmanageable: [], roundTrips: 1 },
  ...{ seconds: 0.944, roleOf: (id) => `role of ${id}`, sourceOf: () => 'roles/base/index.ts:7' },
  ...more,
})
const full = result({
  changes: [
    { id: 'file:/x', summary: 'content', diff: '@@ 1 @@\n-old\n+new\n same' },
    { id: 'unit:y', summary: 'start', diff: '' },
  ],
  unknowns: [{ id: 'a', cause: 'b' }],
  unmanageable: [
    { id: 'swap', reason: 'belongs elsewhere' },
    { id: 'clock', reason: 'is not ours' },
    { id: 'sysctl', reason: 'belongs elsewhere' },
  ],
  outputs: { https: 'https://x', held: ['a', 'b'] },
  roundTrips: 2,
})

test('a report of a check says what would change and how, what is not known, and what waits', () => {
  assert.equal(resultText([full], { check: true, diff: true }, marked).split('\n'), [
    'vps1  <yellow would change > file:/x: content',
    '    <cyan @@ 1 @@>',
    '    <red -old>',
    '    <green +new>',
    '     same',
    'vps1  <yellow would change > unit:y: start',
    'vps1  <magenta unknown      > a: only known after b',
    'vps1  not manageable here, since it belongs elsewhere: swap, sysctl',
    'vps1  not manageable here, since it is not ours: clock',
    'vps1  https: https://x',
    'vps1  held: a, b',
    'vps1  <green ok>  <green ok 4>  <yellow would change 2>  <magenta unknown 1>  failed 0  (0.9 s, 2 round trips)',
  ])
  assert.equal(resultText([full], { check: true, diff: false }).split('\n').slice(0, 2), [
    'vps1  would change  file:/x: content',
    'vps1  would change  unit:y: start',
  ])
})

test('a report of a run has its changes only with --diff', () => {
  const lines = (options: { check: boolean; diff: boolean }) => resultText([full], options).split('\n')
  assert.is(lines({ check: false, diff: true })[0], 'vps1  changed       file:/x: content')
  assert.match(lines({ check: false, diff: false })[0] ?? '', /^vps1 {2}unknown/)
  const failed = result({ error: new HostError('no'), resources: 3 })
  assert.equal(resultText([failed], { check: false, diff: false }, marked).split('\n'), [
    'vps1  <red failed>: no',
    'vps1  <red failed>  ok 0  changed 0  unknown 0  <red failed 1>  (0.9 s, 1 round trip)',
  ])
})

test('hosts stand under each other, each with the word of its end', () => {
  const ends = [
    result({ host: 'a', resources: 9 }),
    result({ host: 'long', error: new ConnectError('gone'), resources: 0 }),
    result({ host: 'b', error: new Reverted('back'), changes: full.changes }),
  ]
  assert.equal(resultText(ends, { check: false, diff: false }).split('\n').slice(-3), [
    'a     ok           ok 9  changed 0  unknown 0  failed 0  (0.9 s, 1 round trip)',
    'long  unreachable  ok 0  changed 0  unknown 0  failed 0  (0.9 s, 1 round trip)',
    'b     reverted     ok 0  changed 2  unknown 0  failed 1  (0.9 s, 1 round trip)',
  ])
  assert.equal(ends.map(statusOf), ['ok', 'unreachable', 'reverted'])
})

test('the exit code is that of the worst host', () => {
  const bug = new Bug(new Error('x'))
  const errors = [bug, new UsageError(''), new HostError(''), new Reverted(''), new ConnectError('')]
  const codes = [70, 1, 3, 5, 4]
  for (const [i, code] of codes.entries()) {
    const some = errors.slice(i).map((error) => result({ error }))
    assert.is(exitCodeOf(some.reverse(), false), code)
  }
  assert.equal(
    [exitCodeOf([full], true), exitCodeOf([full], false), exitCodeOf([result()], true), exitCodeOf([], true)],
    [2, 0, 0, 0],
  )
  assert.is(exitCodeOf([result({ unknowns: full.unknowns })], true), 2)
  assert.is(exitCodeOf([result({ error: new ConnectError('') }), full], true), 4)
})

test('programs are told everything about a host', () => {
  const failing = { ...full, error: new CommandFailed('x: y', 9, 'cmd', 'out\n', ['x']) }
  const changes = [
    { id: 'file:/x', summary: 'content', role: 'role of file:/x' },
    { id: 'unit:y', summary: 'start', role: 'role of unit:y' },
  ]
  const common = {
    ...{ changed: 2, unknown: 1, roundTrips: 2, seconds: 0.94 },
    unknowns: [{ id: 'a', cause: 'b', role: 'role of a' }],
    unmanageable: full.unmanageable.map((each) => ({ ...each, role: `role of ${each.id}` })),
  }
  assert.equal(resultJson([full], { diff: false }), {
    vps1: { status: 'ok', ok: 4, failed: 0, ...common, changes },
  })
  assert.equal(resultJson([failing], { diff: true }), {
    vps1: {
      ...{ status: 'failed', ok: 0, failed: 1 },
      ...common,
      changes: changes.map((change, i) => ({ ...change, diff: full.changes[i]?.diff })),
      error: 'x: y: exit code 9: cmd\nout',
      failure: {
        ...{ id: 'x', ids: ['x'], role: 'role of x', source: 'roles/base/index.ts:7', command: 'cmd', exitCode: 9 },
        output: 'out',
      },
    },
  })
  assert.equal(outputsJson([full, result({ host: 'b' })]), { vps1: { https: 'https://x', held: ['a', 'b'] } })
  assert.equal([rounded(1.239), rounded(0.001)], [1.24, 0])
  assert.is(failureJson(new UsageError('x'), full), undefined)
})

test('stages of a run add up', () => {
  const [sum] = together([full, { ...full, seconds: 1, roundTrips: 5, resources: 4, roleOf: () => '' }])
  assert.equal(
    [
      sum?.changes.length,
      sum?.unknowns.length,
      sum?.unmanageable.length,
      sum?.seconds,
      sum?.roundTrips,
      sum?.resources,
    ],
    [4, 2, 6, 1.944, 7, 14],
  )
  assert.equal(together([]), [])
})

const sources = { roleOf: () => 'base', sourceOf: (id: string) => (id === 'x' ? undefined : `at ${id}`) }
for (const [code, output, words] of [
  [1, 'No space left on device', 'the disk of the host is full: see df -h and df -i there, and make room'],
  [1, 'x\n/run, which is memory, has no room', 'make room in /run on the host: see df -h /run and df -i /run there'],
  [
    1,
    'Failed to start transient service unit: No space left on device',
    'make room in /run on the host: see df -h /run and df -i /run there',
  ],
  [1, 'Temporary failure resolving x', 'the host resolves no names: see /etc/resolv.conf there'],
  [1, 'Could not resolve host', 'the host resolves no names: see /etc/resolv.conf there'],
  [1, 'E: Failed to fetch', 'see /etc/apt/sources.list and sources.list.d on the host, and its way out'],
  [1, 'x does not have a Release file', 'see /etc/apt/sources.list and sources.list.d on the host, and its way out'],
  [1, 'after 600 s still: process 12 holds', 'another apt or dpkg is at work on the host: run again when it is done'],
  [137, 'whatever', 'out of memory is the usual reason: see journalctl -k on the host'],
  [1, 'x', 'run again when the reason is gone: what is as wanted already is left alone; -v shows all output'],
] as const)
  test(`a step that ends with ${code} and "${output}" has a next step`, () => {
    const error = new CommandFailed('a: b', code, 'cmd', output, ['x', 'y'])
    const lines = failureLines('vps1', 'failed', error, sources, plain)
    assert.is(lines.at(-1), `    next       ${words}`)
    assert.equal(lines.slice(1, 4), ['    role       base', '               base, at y', '    command    cmd'])
  })

test('an error without a step is a line, with its resource where there is one', () => {
  assert.equal(failureLines('h', 'failed', new UsageError('no'), sources, marked), ['h  <red failed>: no'])
  const error = Object.assign(new HostError('no'), { id: 'x' })
  assert.equal(failureLines('h', 'failed', error, sources, plain), ['h  failed: no', '    resource   x, base'])
  assert.equal(
    [meaningOf(126, ''), meaningOf(143, ''), meaningOf(100, 'apt-get -q'), meaningOf(129, '')],
    ['found, but cannot be run', 'killed by SIGTERM', 'apt failed', 'killed by SIGHUP'],
  )
})

test('errors have the exit codes that the help tells, and names', () => {
  const errors = [
    new UsageError('m'),
    new InventoryError('m'),
    new HostError('m'),
    new ConnectError('m'),
    new Reverted('m'),
  ]
  assert.equal(
    errors.map(({ exitCode, name, message }) => [exitCode, name, message]),
    [
      [1, 'UsageError', 'm'],
      [1, 'InventoryError', 'm'],
      [3, 'HostError', 'm'],
      [4, 'ConnectError', 'm'],
      [5, 'Reverted', 'm'],
    ],
  )
  const bug = new Bug(new TypeError('oops'))
  assert.match(bug.message, /^this is a bug of botgarden:\nTypeError: oops\n +at /)
  assert.instance(bug.cause, TypeError)
  const silent = new CommandFailed('a', 1, 'cmd', ' \n').with('more')
  assert.equal(
    [silent.message, silent.notes, silent.step],
    ['a: exit code 1: cmd\nmore', ['more'], { ids: [], command: 'cmd', output: '' }],
  )
})

test('the help says what each option does, and shows how they are used', () => {
  const text = usage('site', 'converges', {
    examples: [
      ['--x', 'why'],
      ['--longer', 'why not'],
    ],
  })
  for (const [name, flag] of Object.entries(flags)) {
    const line = text.split('\n').find((each) => each.includes(spellingOf(name, flag)))
    assert.match(line ?? name, / {2}[a-z]\S* .{4,}/)
    assert.ok(line?.endsWith(`  ${flag.help}`))
  }
  assert.match(text, /^site: converges\n\nusage: npx zx playbooks\/site\.ts \[options\]\n\noptions:\n/)
  assert.ok(
    text.endsWith('  npx zx playbooks/site.ts --x       # why\n  npx zx playbooks/site.ts --longer  # why not\n'),
  )
  assert.equal(
    ['inventory', 'limit', 'tags', 'forks', 'verbose', 'json', 'explain'].map((name) =>
      spellingOf(name, flags[name] ?? { help: '' }),
    ),
    [
      '-i, --inventory FILE',
      '-l, --limit HOST,GROUP',
      '    --tags ROLE,…',
      '    --forks N',
      '-v, --verbose',
      '    --json',
      '    --explain KEY',
    ],
  )
  for (const line of usage('site', '').split('\n').slice(-6, -1))
    assert.match(line, /^ {2}npx zx playbooks\/site\.ts -\S+ .* # .{15,}/)
  const own = usage('bot', '', { flags: { name: { value: 'BOT', help: 'which bot' } } })
  assert.match(own, /options:\n {6}--name BOT +which bot\n/)
})

test('an unknown option of one letter is near to one of one letter', () => {
  const said = (word: string) => {
    try {
      givenFlags([word])
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  assert.is(said('-V'), 'unknown option "-V" (did you mean "-v"?)')
  assert.is(said('-lx='), '')
  assert.is(said('-verbos'), 'unknown option "-verbos" (did you mean "--verbose"?)')
})

test('diffs', () => {
  const patch = fileDiff('/x', 'a\nb\nc\nd\ne\n', 'a\nb\nc\nd\nE\n')
  assert.is(patch, '--- /x\n+++ /x\n@@ -2,4 +2,4 @@\n b\n c\n d\n-e\n+E')
  assert.match(fileDiff('/x', undefined, 'a\n'), /^--- \/dev\/null\n\+\+\+ \/x\n/)
  assert.match(fileDiff('/x', 'a\n', undefined), /^--- \/x\n\+\+\+ \/dev\/null\n/)
  const told = (summary: string, diff?: string) =>
    changeDiff({ summary, ...(diff !== undefined && { diff: () => diff }) })
  assert.is(told('mode 0600 → 0644, create'), '- mode 0600\n+ mode 0644\n+ create')
  assert.is(told('x', '-a\n+b\n c\n@@\n\\ no'), '-a\n+b\n c\n@@\n\\ no')
  assert.is(told('x', '\ninstall'), '\n+ install')
  assert.is(told('a → b → c'), '+ a → b → c')
  assert.is(told('one → two words'), '- one\n+ two words')
})

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

test('facts that are missing, and systems that are not supported', () => {
  const login = { user: 'root', sshPort: 22, clientAddress: '1' }
  assert.throws(
    () => parseFacts('os=debian\n', login),
    /^HostError: |the facts of this host cannot be read: no version among its facts\nos=debian/,
  )
  const { osName } = facts
  assert.not.throws(() => refuseUnsupported(facts))
  assert.throws(
    () => refuseUnsupported({ ...facts, version: '12' }),
    new RegExp(
      `${osName.replace(/[()/]/g, '.')} is not supported: it has no Compose v2\\. Debian 13 is, and Ubuntu 24\\.04, which is untried: upgrade the host, or take a new one$`,
    ),
  )
  assert.throws(() => refuseUnsupported({ ...facts, os: 'ubuntu', version: '22.04' }), /is not supported\. Debian 13/)
})

test('two roles that want one thing differently are both named', () => {
  const one = role('one', v.any(), () => [
    { ...wants('a', 'on'), declared: 'roles/one/index.ts:5', wants: { mode: 1, content: 's3cret' } },
  ])
  const two = role('two', v.any(), () => [{ ...wants('a', 'on'), wants: { mode: 2, content: 'other' } }])
  assert.throws(
    () => resourcesOf([one, two], {}, facts, entry),
    (error: Error) =>
      error.message ===
      'a is wanted twice, differently: one (roles/one/index.ts:5) wants {"mode":1,"content":"other content"}; two wants {"mode":2,"content":"other content"}',
  )
  const late = role('late', v.any(), () => [{ ...wants('z', 'on'), runsLast: true }])
  const owned = resourcesOf([late, role('x', v.any(), () => [wants('b', 'on')]), late], {}, facts, entry)
  assert.equal(
    owned.resources.map(({ id }) => id),
    ['b', 'z'],
  )
  assert.equal([owned.roleOf('z'), owned.roleOf('none'), owned.sourceOf('none')], ['late', '', undefined])
})

test('seconds, names and holders', () => {
  process.env.WORDS_SECONDS = '7'
  assert.is(envSeconds('WORDS_SECONDS', 3), 7)
  for (const text of ['x', '7s', ' 7', '1234567', '-1']) {
    process.env.WORDS_SECONDS = text
    assert.throws(
      () => envSeconds('WORDS_SECONDS', 3),
      (error: Error) => error.message === `$WORDS_SECONDS: should be a whole number of seconds, found "${text}"`,
    )
  }
  process.env.WORDS_SECONDS = ''
  assert.is(envSeconds('WORDS_SECONDS', 3), 3)
  delete process.env.WORDS_SECONDS
  assert.is(envSeconds('WORDS_SECONDS', 3), 3)
  assert.equal(
    [publicName({ ...entry, domain: 'a.b' }, facts), publicName(entry, facts), publicName(entry, { address: '' })],
    ['a.b', facts.address, 'localhost'],
  )
  assert.match(lockRequestOf('bot', true).holder, /^\S+@\S+, bot\.ts$/)
  assert.is(lockRequestOf('bot', true).wait, true)
  assert.equal([heldBy(' x \n'), heldBy('\n')], ['x', 'a run that has just begun'])
})

test('neighbours of one batch are one step, others are not', () => {
  const change = (item: string, name?: string) => ({
    summary: 'install',
    script: sh`one ${item}`,
    ...(name !== undefined && { batch: { name, item, script: (items: string[]) => sh`all ${items}` } }),
  })
  const guard = { name: 'g', paths: [], restore: sh`:` }
  const steps = stepsOf([
    { id: 'a', change: change('a', 'apt') },
    { id: 'b', change: { ...change('b', 'apt'), guard } },
    { id: 'c', change: { ...change('c'), long: true } },
    { id: 'd', change: change('d') },
    { id: 'e', change: change('e', 'apt') },
    { id: 'f', change: change('f', 'other') },
  ])
  assert.equal(
    steps.map(({ title, script, long, guards, changes }) => [title, script.text, long, guards, changes.length]),
    [
      ['a, b: install', 'all a b', false, [guard], 2],
      ['c: install', 'one c', true, [], 1],
      ['d: install', 'one d', false, [], 1],
      ['e: install', 'all e', false, [], 1],
      ['f: install', 'all f', false, [], 1],
    ],
  )
})

test('a reporter on a terminal says when another host has ended, and -v what a step prints', () => {
  const lines: string[] = []
  let shown: readonly { host: string; title: string; said: string }[] = []
  const screen = {
    line: (text: string) => void lines.push(text),
    show: (now: typeof shown) => {
      shown = now
    },
    close: () => void lines.push('closed'),
  }
  const report = reporterOn(screen, { verbose: false, live: true, paint: marked })
  report.connected('a', facts)
  report.connected('b', { ...facts, container: 'lxc' })
  assert.equal(lines, [
    `a  connected: ${facts.osName}, amd64, 1024 MiB`,
    `b  connected: ${facts.osName}, amd64, 1024 MiB, a lxc container`,
  ])
  report.progress('a').waiting('waiting for\tx')
  assert.equal([lines.at(-1), shown[0]?.title], ['a  waiting for\tx', 'waiting for    x'])
  report.ended(result({ host: 'a', error: new HostError('no'), seconds: 2 }))
  assert.is(lines.at(-1), 'a  <dim ended: failed, 2.0 s>')
  assert.equal(
    shown.map(({ host }) => host),
    ['b'],
  )
  report.ended(result({ host: 'b' }))
  assert.is(lines.at(-1), 'a  <dim ended: failed, 2.0 s>')
  report.close()
  assert.is(lines.at(-1), 'closed')
  assert.is(report.underWay(), '')
})

test('a reporter has a colour for what begins, ends well and fails', () => {
  const lines: string[] = []
  const screen = { line: (text: string) => void lines.push(text), show: () => {}, close: () => {} }
  const progress = reporterOn(screen, { verbose: true, live: false, paint: marked }).progress('a')
  const step = { changes: [], title: 'x: y', script: sh`one`, long: false, guards: [] }
  progress.begin(step)
  progress.output('1 %\r2 %')
  progress.end(step, 1)
  progress.failed?.(step, 1.25)
  assert.equal(lines, [
    ...['a  <dim ▸> x: y', '<dim a    $ one>', 'a    2 %', 'a  <green ✓> x: y (1.0 s)', 'a  <red ✗> x: y (1.3 s)'],
  ])
})

test('a lock of this machine is held by one at a time, and named when it is not to be had', async () => {
  const file = join(folder, 'deep/lock')
  const order: string[] = []
  const first = withLock(file, 5, async () => {
    order.push('first')
    const error = await withLock(file, 0, async () => {}).catch((reason) => reason)
    assert.instance(error, HostError)
    assert.is(error.message, `this machine: another run holds ${file}`)
    order.push('first ends')
    return 7
  })
  assert.is(await first, 7)
  await withLock(file, 5, async () => void order.push('second'))
  assert.equal(order, ['first', 'first ends', 'second'])
  const failing = await withLock(file, 5, async () => {
    throw new Error('mine')
  }).catch((reason) => reason)
  assert.is(failing.message, 'mine')
  assert.is(await withLock(file, 5, async () => 'free'), 'free')
})

test.run()
