import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restoreScript } from '../../../commands/restore/database-script.ts'
import type { DatabasePart } from '../../../commands/restore/restore-task.ts'
import { rolesIn } from '../../../commands/restore/whole-host.ts'
import { local } from '../../../lib/shell/local.ts'
import { run } from '../../support/runner.ts'

const part: DatabasePart = {
  ...{
    kind: 'database',
    file: 'x.age',
    size: 1,
    sha256: '0'.repeat(64),
    encrypted: { size: 1, sha256: '0'.repeat(64) },
  },
  ...{ database: 'hello', owner: 'hello', tables: { 'public.users': 2, 'public."Odd name"': 1 } },
}
const script = (order: { target: string | undefined; bot?: string }, more: Partial<DatabasePart> = {}) =>
  restoreScript({ database: 'hello', ofBot: false, bot: undefined, ...order }, { ...part, ...more }, '/in/hello.dump')
    .text

test('of all roles only those of databases come back, each with its password and nothing else', () => {
  const globals = [
    'CREATE ROLE hello;',
    "ALTER ROLE hello WITH SUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$x';",
    "ALTER ROLE hello SET lock_timeout TO '10s';",
    'CREATE ROLE hello2;',
    "ALTER ROLE postgres WITH SUPERUSER PASSWORD 'x';",
    'CREATE ROLE "odd one";',
    "ALTER ROLE \"odd one\" WITH LOGIN PASSWORD 'x'; alter role evil superuser; --'",
    'GRANT hello TO evil;',
  ].join('\n')
  const sql = rolesIn(globals, ['hello', 'odd one'])
  assert.equal(sql.trim().split('\n'), [
    `select 'create role "hello"' where not exists (select from pg_roles where rolname = 'hello') \\gexec`,
    `alter role "hello" login password 'SCRAM-SHA-256$x';`,
    `select 'create role "odd one"' where not exists (select from pg_roles where rolname = 'odd one') \\gexec`,
  ])
})

for (const [what, current, dockerStart, code, started] of [
  ['the bot that is recorded runs in the end, though this one has stopped nothing', 'green', ':', 1, true],
  ['one that does not start is told', 'green', 'exit 1', 1, true],
  ['a bot that was never released is not started', undefined, ':', 1, false],
] as const)
  test(`whatever a cut restore has left: ${what}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'restore-test-'))
    for (const each of ['bots/hello-bot', 'postgres']) mkdirSync(join(folder, each), { recursive: true })
    const release = { id: '1', spec: { environment: { X: '"colour":"blue"' } }, colour: current, by: 'me' }
    if (current) writeFileSync(join(folder, 'bots/hello-bot/current.json'), `${JSON.stringify(release)}\n`)
    const docker = `#!/bin/sh\necho "$*" >>${folder}/calls\ncase "$1 $2" in "exec -i") case "$(cat)" in *rolsuper*) echo plain ;; *) echo 1 ;; esac ;; start*) ${dockerStart} ;; esac\n`
    writeFileSync(join(folder, 'docker'), docker, { mode: 0o755 })
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
    const here = `set -e\n${script({ target: 'hello', bot: 'hello-bot' })}`.replaceAll('/var/lib/botgarden', folder)
    const text = here.replaceAll('/in/hello.dump', `${folder}/dump`)
    writeFileSync(join(folder, 'dump'), '')
    // The stand-in counts other rows than were wanted, so it ends before it stops anything.
    const { exitCode, stdout } = await local({ env, nothrow: true })`sh -c ${text}`
    const calls = readFileSync(join(folder, 'calls'), 'utf8')
    assert.is(exitCode, code)
    assert.match(stdout, 'the restored row counts (+) differ')
    assert.not.match(calls, /^stop/m)
    assert.is(/^start botgarden-hello-bot-green$/m.test(calls), started)
    assert.is(stdout.includes('its container does not start'), dockerStart !== ':')
    rmSync(folder, { recursive: true })
  })

test('a dump that unfolds to more than the disk holds ends before that is full, and says why', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'restore-test-'))
  mkdirSync(join(folder, 'postgres'))
  writeFileSync(join(folder, 'dump'), '')
  const stand = (name: string, text: string) =>
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })
  // The disk has room when that is asked first; pg_restore goes on until its session is ended.
  stand('df', `echo Avail; cat ${folder}/free; [ "$(cat ${folder}/free)" != 300 ] || echo 200 >${folder}/free`)
  writeFileSync(join(folder, 'free'), '300')
  stand(
    'docker',
    `echo "$*" >>${folder}/calls
    case $* in
    *pg_restore*) until [ -e ${folder}/ended ]; do sleep 0.05; done; exit 1 ;;
    *psql*) case "$(cat)" in *rolsuper*) echo plain ;; *pg_terminate*) : >${folder}/ended ;; *) echo 0 ;; esac ;;
    esac`,
  )
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  const text = `set -e\n${script({ target: 'hello' })}`
    .replaceAll('/var/lib/botgarden', folder)
    .replaceAll('/in/hello.dump', `${folder}/dump`)
  const { exitCode, stdout } = await local({ env, nothrow: true })`sh -c ${text}`
  assert.is(exitCode, 1)
  assert.match(stdout, 'the disk would be full')
  assert.match(readFileSync(join(folder, 'calls'), 'utf8'), 'pg_restore')
  assert.equal(
    readdirSync(folder).filter((name) => name.startsWith('dump')),
    [],
  )
  rmSync(folder, { recursive: true })
})

test('a reboot that ends a restore in order has the bot start before', () => {
  const text = script({ target: 'hello', bot: 'hello-bot' })
  assert.match(text, "trap 'exit 143' TERM")
  assert.match(text.slice(text.indexOf('cleanup() {'), text.indexOf('trap cleanup EXIT')), /docker start "\$bot"/)
  assert.not.match(script({ target: 'hello_old' }), /current\.json/)
})

test('a database without tables is compared as well, and is as empty as it was', () => {
  assert.match(script({ target: 'hello' }, { tables: {} }), /^ *compare_rows '?[^']*'? ''$/m)
})

test('a table that cannot be one comes from a manifest that nobody should follow', () => {
  assert.throws(
    () => script({ target: 'hello' }, { tables: { 'users; drop table users': 1 } }),
    /has an invalid table name/,
  )
})

const file = join(mkdtempSync(join(tmpdir(), 'restore-test-')), 'key.txt')
writeFileSync(file, 'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ\n')
test.after(() => rmSync(join(file, '..'), { recursive: true }))
for (const [args, said] of [
  [[], 'what to restore: --name BOT, --drill, or --host HOST'],
  [['--drill', '--host', 'a'], '--drill and --host cannot be combined'],
  [['--drill'], '--identity FILE'],
  [['--drill', '--identity', '/none'], '--identity /none: cannot be read'],
  [['--drill', '--identity', file, '--check'], 'restore.ts has no --check'],
  [['--name', 'a', '--identity', file, '--at', 'noon'], '--at noon: a time like'],
  [['--name', 'a', '--identity', file, '--from', 'there'], '--from there: should be copy, host or restic'],
  [['--drill', '--as', 'x', '--identity', file], '--as needs --name'],
  [['--host', 'vps2', '--identity', file], '--host: unknown host "vps2" (did you mean "vps1"?)'],
  [['--name', 'hello-bto', '--as', 'A-B', '--identity', file], '--as A-B: should be a name of'],
] as const)
  test(`refuses ${args.map((each) => (each === file ? 'key.txt' : each)).join(' ') || 'to guess'}`, async () => {
    const inventory = join(file, '../x.yaml')
    writeFileSync(inventory, 'hosts: { vps1: }\n')
    const { code, stderr } = await run(['playbooks/restore.ts', '-i', inventory, ...args])
    assert.is(code, 1)
    assert.ok(stderr.includes(said), stderr)
  })

test.run()
