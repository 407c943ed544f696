import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { cronLine, withEntry, withoutEntry } from '../../../commands/backup/crontab.ts'
import { ageFaults } from '../../../commands/backup/freshness.ts'
import { selectBackup } from '../../../commands/restore/select-backup.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { formatAge, parseBackupName, timestampOf } from '../../../roles/backups/backup-name.ts'
import { databasesOf, parseManifest } from '../../../roles/backups/manifest.ts'
import { signingKey } from '../../../roles/backups/paths.ts'
import { parseStatus } from '../../../roles/backups/run-status.ts'
import { backups } from '../../../roles/index.ts'
import { knownSigner, signingKey as newKey, place, scratchFolder, whole, writeCopy } from '../../support/copies.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'
import { scratchFile } from '../../support/runner.ts'
import { sha256 } from '../../support/sha256.ts'
import { shell } from '../../support/shell.ts'

const recipient = await identityToRecipient(await generateX25519Identity())
const other = await identityToRecipient(await generateX25519Identity())
const role = (vars: unknown) => backups.resources(v.parse(backups.vars, vars), facts, entry)
const faults = (vars: unknown) => backups.faults(v.parse(backups.vars, vars), entry)
const wants = (vars: unknown, id: string) =>
  (role(vars).find((each) => each.id === id)?.wants as { content?: string } | undefined)?.content ?? ''
const told = (vars: unknown, state: unknown) => {
  const resources = role(vars)
  const all = stateOf(resources, { 'backups:last': state })
  return resources.find(({ id }) => id === 'backups:last')?.outputs?.((reading) => all.get(reading.key) as never)
}
const home = '/opt/botgarden/backups'

test('without a word in the inventory there are no backups, which is told, and no cron entry either', () => {
  assert.equal(planOf(role({}), {}), [])
  assert.equal(planOf(role({}), { 'file:/etc/cron.d/botgarden-backups': { type: 'file' } }), [
    'file:/etc/cron.d/botgarden-backups: remove',
  ])
  assert.equal(told({}, undefined), { backups: 'none: backups.recipients is not set' })
  assert.equal(faults({}), [])
})

for (const vars of [{ schedule: '1 2 * * *' }, { keep: {} }, { alert: {} }])
  test(`whoever configures backups names who can open them: ${JSON.stringify(vars)}`, () => {
    assert.match(faults(vars)[0] ?? '', /^backups\.recipients: missing: .* encrypted/)
    assert.equal(faults({ ...vars, recipients: [recipient] }), [])
  })

test('a bare host gets the program, its tools and an entry of cron', () => {
  const folder = { type: 'directory', mode: '0755', owner: 'root', group: 'root' }
  assert.equal(planOf(role({ recipients: [recipient] }), { 'file:/opt/botgarden': folder }), [
    'package:age: install',
    'package:jq: install',
    'package:cron: install',
    'unit:cron.service: comes-with package:cron',
    `directory:${home}: create`,
    'directory:/var/lib/botgarden: create',
    'directory:/var/lib/botgarden/backups: create',
    'directory:/etc/botgarden: create',
    'directory:/etc/botgarden/secrets: create',
    `secret:${signingKey}: generate`,
    `file:${home}/recipients: create`,
    `file:${home}/settings: create`,
    `file:${home}/rows.awk: create`,
    `file:${home}/retention.awk: create`,
    `file:${home}/data.py: create`,
    `file:${home}/parts.sh: create`,
    `file:${home}/backup: create`,
    'file:/etc/cron.d/botgarden-backups: create',
  ])
})

/** A host on which everything was applied, with these vars. */
function built(vars: unknown): Record<string, unknown> {
  const resources = role(vars)
  const attributes = (wanted: object) => ({ owner: 'root', group: 'root', mode: '0644', ...wanted })
  return Object.fromEntries([
    ...['age', 'jq', 'cron'].map((name) => [`package:${name}`, { version: '1' }]),
    ['unit:cron.service', runningUnit],
    [`file:${signingKey}`, { type: 'file', mode: '0400', owner: 'root', group: 'root' }],
    ...resources.flatMap(({ id, wants }) => {
      const { content, ...rest } = wants as { content?: string }
      if (id.startsWith('directory:'))
        return [[id.replace('directory', 'file'), { type: 'directory', ...attributes(rest) }]]
      if (content === undefined) return []
      return [[id, { type: 'file', ...attributes(rest), sha256: sha256(content) }]]
    }),
  ])
}

test('a drift is one change', () => {
  const vars = { recipients: [recipient] }
  assert.equal(planOf(role(vars), built(vars)), [])
  assert.equal(planOf(role({ recipients: [recipient, other] }), built(vars)), [`file:${home}/recipients: content`])
  assert.equal(planOf(role({ ...vars, keep: { daily: 3 } }), built(vars)), [`file:${home}/settings: content`])
  assert.equal(planOf(role({ ...vars, schedule: '@hourly' }), built(vars)), [
    'file:/etc/cron.d/botgarden-backups: content',
  ])
  assert.equal(planOf(role(vars), { ...built(vars), [`file:${signingKey}`]: 'absent' }), [
    `secret:${signingKey}: generate`,
  ])
  const open = { type: 'directory', mode: '0755', owner: 'root', group: 'root' }
  assert.equal(planOf(role(vars), { ...built(vars), 'file:/var/lib/botgarden/backups': open }), [
    'directory:/var/lib/botgarden/backups: mode 0755 → 0700',
  ])
})

test('a recipient with a wrong letter is refused, and a secret key above all', () => {
  const wrong = `${recipient.slice(0, -1)}${recipient.endsWith('q') ? 'p' : 'q'}`
  const secret = `AGE-SECRET-KEY-1${'Q'.repeat(58)}`
  for (const each of [wrong, 'age1', secret, '']) assert.not(v.is(backups.vars, { recipients: [each] }), each)
  assert.not(v.is(backups.vars, { recipients: [] }))
})

test('recipients may stand in a file, whose lines are checked as well', () => {
  const content = (text: string) => wants({ recipients: [scratchFile('recipients', text)] }, `file:${home}/recipients`)
  assert.match(content(`# mine\n${recipient}\n\n${other}\n`), `\n${[recipient, other].sort().join('\n')}\n`)
  for (const text of ['', '# nobody\n', `${recipient}x\n`]) assert.throws(() => content(text), /lines with age1/)
  assert.throws(() => wants({ recipients: ['/no/such/file'] }, 'x'), /cannot be read/)
})

test('the settings survive the shell that reads them, whatever stands in them', async () => {
  const command = `mail -s "it's $HOME" \`x\` 100%`
  const text = wants(
    { recipients: [recipient], alert: { command, url: 'https://a.example/$x' } },
    `file:${home}/settings`,
  )
  const script = `${text}\nprintf '%s|' "$host" "$daily" "$weekly" "$monthly" "$min_free" "$limit" "$alert_command" "$alert_url"`
  assert.is(await shell(script), `vps1|7|5|6|15|7200|${command}|https://a.example/$x|`)
})

const status = { format: 1, result: 'ok', at: '2026-11-24T03:18:00Z', seconds: 3, reason: '', warnings: [] }
const now = Date.parse('2026-11-24T06:17:00Z')
for (const [title, last, expected] of [
  ['no run yet', undefined, ['none yet: cron takes one at "17 3 * * *"; to take one now: npx zx playbooks/backup.ts']],
  [
    'a good one',
    { ...status, lastGood: '2026-11-24T031700Z', bytes: 5e6 },
    ['last good one 3 h old (2026-11-24T031700Z, 5.0 MB)'],
  ],
  [
    'a failure after a good one',
    { ...status, result: 'failed', reason: 'disk full', lastGood: '2026-11-23T031700Z', bytes: 900 },
    ['last good one 27 h old (2026-11-23T031700Z, 1 kB)', 'FAILED at 2026-11-24T03:18:00Z: disk full'],
  ],
  [
    'only failures',
    { ...status, result: 'failed', reason: 'x', lastGood: null },
    ['no good one yet', `FAILED at ${status.at}: x`],
  ],
] as const)
  test(`a run tells of ${title}`, () => {
    const parsed = last && parseStatus(JSON.stringify(last))
    assert.equal(told({ recipients: [recipient] }, { now, status: parsed }), { backups: expected })
  })

test('a name is a time, and nothing else is a name', () => {
  const { time, only } = parseBackupName('2026-11-24T031700Z-hello_bot') ?? {}
  assert.equal([time, only], [Date.parse('2026-11-24T03:17:00Z'), 'hello_bot'])
  assert.is(timestampOf(Date.parse('2026-11-24T03:17:00.500Z')), '2026-11-24T031700Z')
  for (const name of ['2026-13-24T031700Z', '2026-11-24', '.partial-2026-11-24T031700Z', '2026-11-24T031700Z-../x'])
    assert.is(parseBackupName(name), undefined, name)
})

const sum = 'a'.repeat(64)
const part = (file: string, more: object) => ({
  file,
  size: 1,
  sha256: sum,
  encrypted: { size: 2, sha256: sum },
  ...more,
})
const manifest = {
  ...{ format: 1, host: 'vps1', time: '2026-11-24T03:17:00Z', only: null, server: '18.6', recipients: [recipient] },
  warnings: [],
  parts: [
    part('database-one.dump.age', { kind: 'database', database: 'one', owner: 'one', tables: { 'public.users': 3 } }),
    part('globals.sql.age', { kind: 'globals' }),
    part('files.tar.age', { kind: 'files', entries: 7 }),
  ],
}

test('a manifest says what is in a backup', () => {
  assert.equal(databasesOf(parseManifest(JSON.stringify(manifest))), ['one'])
})

for (const [title, broken] of [
  ['of another version', { format: 3 }],
  ['that lacks something and does not say what', { format: 2 }],
  ['without its globals', { parts: manifest.parts.filter(({ file }) => !file.startsWith('globals')) }],
  ['without parts', { parts: [] }],
  ['with a path for a file', { parts: [part('../../x.age', { kind: 'globals' })] }],
  ['with a hidden file', { parts: [part('.x.age', { kind: 'globals' })] }],
  ['with a file that another part is called by', { parts: [manifest.parts[0], ...manifest.parts] }],
  [
    'with a part under a name of its own',
    { parts: [{ ...manifest.parts[0], file: 'x.age' }, ...manifest.parts.slice(1)] },
  ],
  ...['pg_execute_server_program', 'PG_monitor', 'public', '', 'a\x1b[2J'].map(
    (owner) =>
      [
        `with the owner ${JSON.stringify(owner)}`,
        { parts: [{ ...manifest.parts[0], owner }, ...manifest.parts.slice(1)] },
      ] as const,
  ),
  ['of one database that holds another', { only: 'two', parts: manifest.parts.slice(0, 1) }],
  ['of one database that holds more', { only: 'one' }],
  ['with a checksum that is none', { parts: [part('x.age', { kind: 'globals', sha256: 'short' })] }],
] as const)
  test(`a manifest ${title} is refused`, () =>
    assert.throws(() => parseManifest(JSON.stringify({ ...manifest, ...broken }))))

test('the age of each database is that of the newest backup that holds it, and 26 hours is too old', () => {
  const seen = (name: string, only: string | null = null) => {
    const parts = only === null ? manifest.parts : manifest.parts.slice(0, 1)
    return {
      ...(parseBackupName(name) as NonNullable<ReturnType<typeof parseBackupName>>),
      manifest: JSON.stringify({ ...manifest, only, parts }),
    }
  }
  const at = (time: string) => Date.parse(time)
  const there = [seen('2026-11-24T120000Z-one', 'one'), seen('2026-11-24T031700Z')]
  const here = [seen('2026-11-23T031700Z')]
  assert.equal(
    ageFaults(here, there, at('2026-11-24T05:16:00Z')).flatMap(({ faults }) => faults),
    [],
  )
  const lines = ageFaults(here, there, at('2026-11-24T13:00:00Z'))
  assert.equal(
    lines.map(({ text }) => text),
    ['all: on the host 10 h old, here 34 h old', 'one: on the host 60 min old, here 34 h old'],
  )
  assert.is(lines.flatMap(({ faults }) => faults).length, 2)
  assert.equal(
    ageFaults([], [], 0).flatMap(({ faults }) => faults),
    ['all: there is no good backup on the host', 'all: there is no good backup here'],
  )
  assert.is(formatAge(-7_200_000), '2 h from the future')
})

test('a backup of this very moment counts, and one of 26 hours is not too old yet', () => {
  const name = parseBackupName('2026-11-24T031700Z') as NonNullable<ReturnType<typeof parseBackupName>>
  const all = [{ ...name, manifest: JSON.stringify(manifest) }]
  const of = (later: number) => ageFaults(all, all, name.time + later)
  assert.equal(of(0), [
    { text: 'all: on the host 0 min old, here 0 min old', faults: [] },
    { text: 'one: on the host 0 min old, here 0 min old', faults: [] },
  ])
  assert.equal(
    of(26 * 3_600_000).flatMap(({ faults }) => faults),
    [],
  )
  assert.is(of(26 * 3_600_000 + 1).flatMap(({ faults }) => faults).length, 4)
  // One from the future is none.
  assert.equal(of(-1), [
    {
      text: 'all: on the host none, here none',
      faults: ['all: there is no good backup on the host', 'all: there is no good backup here'],
    },
  ])
  const [line] = ageFaults(all, undefined, name.time)
  assert.is(line?.text, 'all: here 0 min old')
})

test('the age of a database that is missing from the newest is that of the last one that has it', () => {
  const failed = [{ kind: 'database', database: 'one', file: 'database-one.dump.age', reason: 'locked' }]
  const lacking = { ...manifest, format: 2, parts: manifest.parts.slice(1), failed }
  const seen = (name: string, text: object) => ({
    ...(parseBackupName(name) as NonNullable<ReturnType<typeof parseBackupName>>),
    manifest: JSON.stringify(text),
  })
  const all = [seen('2026-11-24T031700Z', lacking), seen('2026-11-22T031700Z', manifest)]
  const lines = ageFaults(all, all, Date.parse('2026-11-24T05:17:00Z'))
  assert.equal(
    lines.map(({ text }) => text),
    ['all: on the host 50 h old, here 50 h old', 'one: on the host 50 h old, here 50 h old'],
  )
  assert.is(lines.flatMap(({ faults }) => faults).length, 4)
  assert.throws(
    () => parseManifest(JSON.stringify({ ...lacking, format: 1, failed: [], parts: lacking.parts.slice(1) })),
    /globals/,
  )
})

test('a whole host is brought back with each database from the newest copy that has it', async () => {
  const folder = scratchFolder()
  const [key, stranger] = [await newKey(folder, 'key'), await newKey(folder, 'stranger')]
  const { copies } = place(knownSigner(key))
  const named = (name: string) => ({ file: `database-${name}.dump.age`, kind: 'database' as const, database: name })
  const lay = (name: string, databases: readonly string[], failed: readonly string[], by = key) =>
    writeCopy(copies, {
      ...{ name, key: by },
      parts: [...databases.map((each) => ({ ...named(each), owner: each, tables: {} })), ...whole.slice(1)],
      manifest:
        failed.length === 0 ? {} : { format: 2, failed: failed.map((each) => ({ ...named(each), reason: 'x' })) },
    })
  await lay('2026-11-22T031700Z', ['one', 'two'], [])
  await lay('2026-11-23T031700Z', ['one'], ['two'])
  await lay('2026-11-24T031700Z', ['one'], ['two', 'three'])
  const lines: string[] = []
  const session = { report: { line: (line: string) => lines.push(line) } } as unknown as Session
  const vars = { backups: { recipients: [recipient], local: dirname(copies) } }
  const there = { ...entry, ssh: 'x', groups: [], vars }
  const wish = { from: 'copy', until: undefined, unsigned: false, whole: true } as const
  const choose = () => selectBackup(session, there, wish, async (each) => each)
  const chosen = await choose()
  assert.is(chosen.name, '2026-11-24T031700Z')
  assert.equal(databasesOf(chosen.manifest), ['one', 'two'])
  const two = chosen.manifest.parts.find((each) => each.kind === 'database' && each.database === 'two')
  assert.ok(existsSync(join(chosen.folder, two?.file ?? 'none')), two?.file)
  assert.match(two?.file ?? '', '2026-11-22T031700Z/')
  assert.equal(chosen.lost, ['three'])
  assert.match(lines.join('\n'), /lacks two: .* 2026-11-22T031700Z\n.*lacks three, .* NOT/)

  await lay('2026-11-22T031700Z', ['one', 'two'], [], stranger)
  const error = await choose().catch((reason: Error) => reason)
  assert.match(String(error), /2026-11-22T031700Z: .*/)
})

const file = '/home/ops/garden 100%/production.yaml'
test('the line of the operator’s cron knows its folder, its programs and its inventory by absolute paths', () => {
  const line = cronLine('17 3 * * *', { file, log: '/var/log/x.log', limit: ['vps1'], node: '/opt/node/bin/node' })
  assert.match(
    line,
    /^17 3 \* \* \* cd \/\S+ && PATH=\/\S+\/node_modules\/\.bin:\/opt\/node\/bin:\S+ zx playbooks\/backup\.ts /,
  )
  assert.match(
    line,
    String.raw`-i '/home/ops/garden 100\%/production.yaml' --quiet --limit vps1 2>&1 | tee -a /var/log/x.log`,
  )
})

test('only the marked lines of a crontab are ever touched', () => {
  const theirs = 'MAILTO=ops@example.org\n# botgarden is nice\n0 0 * * * true'
  const once = withEntry(theirs, file, 'one')
  assert.is(withEntry(once, file, 'one'), once)
  assert.is(withEntry(once, file, 'two'), once.replace('one\n', 'two\n'))
  const both = withEntry(once, '/other.yaml', 'three')
  assert.is(withoutEntry(both, '/other.yaml'), once)
  assert.is(withoutEntry(once, file), `${theirs}\n`)
  assert.is(withoutEntry(theirs, file), theirs)
  assert.throws(() => withoutEntry(`${once}`.replace(/^# botgarden: end.*$/m, ''), file), /only one of the two markers/)
})

test.run()
