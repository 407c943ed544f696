import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { rolesIn } from '../../../commands/restore/whole-host.ts'
import { run } from '../../support/runner.ts'

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
