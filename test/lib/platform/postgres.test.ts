import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { database, databaseRole, ident, literal } from '../../../lib/platform/postgres.ts'
import { freshCatalog, postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import type { PasswordState } from '../../../lib/platform/role-password.ts'
import { planOf, scriptsOf } from '../../support/plan-of.ts'

const options = { passwordFile: '/etc/x', connectionLimit: 8, settings: { lock_timeout: '5s' } }
const both = [databaseRole('hello', options), database('hello', { owner: 'hello' })]
const right = { attributes: ['LOGIN'], connectionLimit: 8, settings: { lock_timeout: '5s' }, memberOf: [] }
const password = 'postgres:hello /etc/x'

function state(role: object | undefined, more: object = {}, kept: PasswordState = 'proved') {
  const roles = { ...freshCatalog.roles, ...(role && { hello: { ...right, ...role } }) }
  const databases = { ...freshCatalog.databases, hello: { owner: 'hello', grantees: ['hello'], ...more } }
  return { [postgresCatalog.key]: { ...freshCatalog, roles, databases }, [password]: kept }
}

test('makes a role with the password of the host, and a database that only it enters', () => {
  const fresh = { [postgresCatalog.key]: freshCatalog }
  assert.equal(planOf(both, fresh), ['postgres-role:hello: create', 'postgres-database:hello: create'])
  const [role = '', base = ''] = scriptsOf(both, fresh)
  assert.match(
    role,
    'create role "hello" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN connection limit 8;',
  )
  assert.match(role, `\\password hello`)
  assert.match(base, 'revoke all on database "hello" from public;')
})

test('leaves alone what is as wanted, and settings that somebody else gave', () => {
  assert.equal(planOf(both, state({})), [])
  assert.equal(planOf(both, state({ settings: { lock_timeout: '5s', work_mem: '8MB' } })), [])
})

for (const [drift, lines] of [
  [state({ attributes: ['LOGIN', 'SUPERUSER'] }), ['postgres-role:hello: NOSUPERUSER']],
  [state({ attributes: [] }), ['postgres-role:hello: LOGIN']],
  [state({ connectionLimit: -1 }), ['postgres-role:hello: connection limit -1 → 8']],
  [state({ settings: {} }), ['postgres-role:hello: lock_timeout unset → 5s']],
  [state({ memberOf: ['pg_read_all_data'] }), ['postgres-role:hello: no member of pg_read_all_data']],
  [state({}, {}, 'wrong'), ['postgres-role:hello: set its password, as the host keeps it']],
  [state({}, {}, 'right'), ['postgres-role:hello: mark its password as verified']],
  [state({}, { owner: 'postgres', grantees: ['postgres'] }), ['postgres-database:hello: owner postgres → hello']],
  [state({}, { grantees: ['PUBLIC', 'hello', 'other'] }), ['postgres-database:hello: shut to PUBLIC, other']],
] as const)
  test(`mends just this: ${lines}`, () => assert.equal(planOf(both, drift), lines))

test('says what is missing where no server runs', () => {
  assert.throws(() => planOf(both, {}), /the database server does not run/)
})

test('quotes for SQL', () => {
  assert.is(ident('a"b'), '"a""b"')
  assert.is(literal("it's"), "'it''s'")
  assert.is(literal("a\\b'"), " E'a\\\\b'''")
})

test.run()
