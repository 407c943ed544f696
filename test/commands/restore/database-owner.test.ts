// What a manifest says of an owner decides nothing: hostile ones, through each way that a database is restored.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { checkOwner, refuseOwner } from '../../../commands/restore/database-owner.ts'
import type { DatabasePart } from '../../../commands/restore/restore-task.ts'
import { restoreTasks } from '../../../commands/restore/whole-host.ts'
import { local } from '../../../lib/shell/local.ts'
import { HostError } from '../../../lib/std/errors.ts'

const part = (database: string, owner: string): DatabasePart => ({
  ...{ kind: 'database', file: 'x.age', size: 1, sha256: '', encrypted: { size: 1, sha256: '' } },
  ...{ database, owner, tables: {} },
})
const order = (ofBot: boolean, target: string | undefined = 'hello') => ({
  database: 'hello',
  ofBot,
  target,
  bot: undefined,
})

const hostile = [
  ...['pg_execute_server_program', 'pg_write_server_files', 'pg_read_all_data', 'pg_database_owner', 'PG_MONITOR'],
  ...['postgres', 'botgarden-reader', 'botgarden_x', 'public', 'none', 'template1'],
  ...['', 'a"b', "a'b", 'a;b', 'a\0b', 'a\nb', 'a\\b', '-x', 'ünïx', `x${'y'.repeat(63)}`, '__proto__/x', '$(id)'],
]

for (const owner of hostile)
  test(`no database is ever given to ${JSON.stringify(owner)}`, () => {
    for (const each of [order(true), order(true, 'hello_old'), order(false), order(false, 'hello_old')])
      assert.throws(() => refuseOwner('copy', each, part('hello', owner)), isHostError)
    // Of a bot's it is not what its host wrote, in a drill as well; else it does not matter there, where all is thrown away.
    assert.throws(() => refuseOwner('copy', { ...order(true), target: undefined }, part('hello', owner)), isHostError)
    refuseOwner('copy', { ...order(false), target: undefined }, part('hello', owner))
  })

test('a bot’s database belongs to the role of its own name, and to no other bot’s', () => {
  refuseOwner('copy', order(true), part('hello', 'hello'))
  for (const owner of ['other_bot', 'hello_', 'Hello'])
    for (const target of ['hello', 'hello_old', undefined])
      assert.throws(() => refuseOwner('copy', { ...order(true), target }, part('hello', owner)), isHostError)
})

for (const [what, owner, held, verdict, ended] of [
  ['its own role', 'hello', '', 'plain', 0],
  ['the role that owns it on the host', 'analyst', 'analyst', 'plain', 0],
  ['another than the one that owns it on the host', 'other_bot', 'analyst', 'plain', 1],
  ['another, and the host has no such database', 'analyst', '', 'plain', 1],
  ['a role that may do more', 'hello', '', 'may do more than own a database', 1],
  ['a role that the host does not know', 'hello', '', '', 1],
] as const)
  test(`a database that is no bot’s, of ${what}: ${ended === 0 ? 'is restored' : 'is not'}`, async () => {
    const { exitCode, stdout } = await asked(owner, held, verdict)
    assert.is(exitCode, ended, stdout)
  })

test('on a bare host only those come back whose owner is certain; the others are told', () => {
  const host = {
    ...{ name: 'vps1', ssh: 'vps1', groups: [], httpsPort: 443, vars: {} },
    bots: [{ name: 'hello-bot', where: '', settings: {} }],
  }
  const parts = [
    part('hello_bot', 'pg_execute_server_program'),
    part('postgres', 'postgres'),
    part('own', 'own'),
    part('reports', 'analyst'),
    part('pg_x', 'pg_x'),
    part('botgarden-before', 'botgarden-before'),
  ]
  const manifest = {
    ...{ format: 1 as const, host: 'vps1', time: '', only: null, server: '', recipients: [], warnings: [] },

    parts,
    failed: [] as never[],
  } as const
  const { tasks, others } = restoreTasks(host, { name: 'copy', folder: '', manifest, lost: [] })
  assert.equal(
    tasks.map(({ database, ofBot }) => [database, ofBot]),
    [
      ['hello_bot', true],
      ['own', false],
    ],
  )
  assert.equal(
    others.map(({ database }) => database),
    ['reports', 'pg_x', 'botgarden-before'],
  )
})

/** The questions to the host, in a real sh: `sql` is a stand-in that knows who owns it and what the role may do. */
async function asked(owner: string, held: string, verdict: string) {
  const folder = mkdtempSync(join(tmpdir(), 'owner-test-'))
  writeFileSync(join(folder, 'held'), held)
  const sql = `sql() { case $1 in *datdba*) cat ${folder}/held ;; *rolsuper*) printf %s '${verdict}' ;; esac; }`
  const text = `set -e\n${sql}\n${checkOwner(order(false), part('hello', owner)).text}`
  const result = await local({ nothrow: true, quiet: true })`sh -c ${text}`
  rmSync(folder, { recursive: true })
  return result
}

function isHostError(error: Error): boolean {
  return error instanceof HostError
}

test.run()
