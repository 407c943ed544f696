import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { freshCatalog, postgresCatalog, refused } from '../../../lib/platform/postgres-catalog.ts'
import { postgres } from '../../../roles/index.ts'
import { sizeFor } from '../../../roles/postgres/sizes.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, planOf, stateOf } from '../../support/plan-of.ts'
import { sha256 } from '../../support/sha256.ts'

const role = (vars: unknown = {}) => postgres.resources(v.parse(postgres.vars, vars), facts, entry)
const cluster = 'file:/var/lib/botgarden/postgres/18/docker/PG_VERSION'
const password = 'file:/etc/botgarden/secrets/postgres/superuser'
const running = { status: 'running', health: 'healthy', config: '' }
const later = ['container:', 'postgres:', 'postgres-']
const plan = (vars: unknown, state: Record<string, unknown>) =>
  planOf(role(vars), { 'image:postgres:18.6': true, ...state }).filter((line) =>
    later.some((prefix) => line.startsWith(prefix)),
  )

/** The server as it is when everything was applied; `config` stands for the checksum that it was started with. */
function built(vars: unknown = {}) {
  const config = /botgarden\.config = '(\w+)'/.exec(confOf(vars))?.[1]
  const container = role(vars).find(({ id }) => id === 'container:botgarden-postgres')?.wants
  const shut = { owner: 'postgres', grantees: ['postgres'] }
  const databases = { postgres: shut, template1: shut }
  const access = '/opt/botgarden/postgres/conf/pg_hba.conf'
  const owned = { type: 'file', mode: '0644', owner: 'root', group: 'root' }
  return {
    [cluster]: { type: 'file' },
    [`file:${access}`]: { ...owned, sha256: sha256(contentOf(role(vars), access)) },
    [password]: { type: 'file', mode: '0400', owner: '999', group: '999', uid: 999, gid: 999 },
    'container:botgarden-postgres': { ...running, config: container },
    [postgresCatalog.key]: { ...freshCatalog, databases, config, extensions: ['pg_stat_statements', 'plpgsql'] },
  }
}

function confOf(vars: unknown): string {
  const file = role(vars).find(({ id }) => id.endsWith('postgresql.conf'))
  return (file?.wants as { content: string } | undefined)?.content ?? ''
}

test('a server that is made now is known to the last detail, before it is there', () => {
  assert.equal(plan({}, {}), [
    'container:botgarden-postgres: create',
    'postgres:config: comes-with container:botgarden-postgres',
    'postgres-extension:pg_stat_statements: create',
    'postgres-database:postgres: shut to PUBLIC',
    'postgres-database:template1: shut to PUBLIC',
  ])
})

test('what an older cluster holds is unknown until its server runs', () => {
  assert.equal(plan({}, { [cluster]: { type: 'file' } }), [
    'container:botgarden-postgres: create',
    'postgres:config: unknown container:botgarden-postgres',
    'postgres-extension:pg_stat_statements: unknown container:botgarden-postgres',
    'postgres-database:postgres: unknown container:botgarden-postgres',
    'postgres-database:template1: unknown container:botgarden-postgres',
  ])
})

test('plans nothing on a built server', () => assert.equal(plan({}, built()), []))

test('a changed setting is loaded, without making the container anew', () => {
  assert.equal(plan({ settings: { work_mem: '8MB' } }, built()), ['postgres:config: load its new configuration'])
})

test('a setting that waits for a restart is brought into force', () => {
  const state = built()
  const catalog = { ...(state[postgresCatalog.key] as object), pendingRestart: ['shared_buffers'] }
  assert.equal(plan({}, { ...state, [postgresCatalog.key]: catalog }), ['postgres:config: restart, for shared_buffers'])
})

test('who may come by TCP is loaded again where its file was changed, by hand or by us', () => {
  const state = built()
  const catalog = { ...(state[postgresCatalog.key] as object), accessOutdated: ['pg_hba.conf'] }
  assert.equal(plan({}, { ...state, [postgresCatalog.key]: catalog }), ['postgres:config: load its new configuration'])
  const edited = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'x' }
  assert.equal(plan({}, { ...state, 'file:/opt/botgarden/postgres/conf/pg_hba.conf': edited }), [
    'postgres:config: load its new configuration',
  ])
})

for (const [what, state, line] of [
  ['stopped', { status: 'exited' }, 'start, since it is exited'],
  ['ill', { health: 'unhealthy' }, 'restart, since it is unhealthy'],
  ['made from another file', { config: 'other' }, 'recreate, as its compose.yaml says'],
] as const)
  test(`a container that is ${what} is mended`, () => {
    const now = built()
    const container = { ...(now['container:botgarden-postgres'] as object), ...state }
    const lines = plan({}, { ...now, 'container:botgarden-postgres': container })
    assert.equal(lines, [`container:botgarden-postgres: ${line}`])
  })

test('where its compose file was edited by hand, the container is not believed to be made from ours', () => {
  const edited = { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'x' }
  const lines = plan({}, { ...built(), 'file:/opt/botgarden/postgres/compose.yaml': edited })
  assert.is(lines[0], 'container:botgarden-postgres: recreate, as its compose.yaml says')
})

test('settings of the operator win, since they stand last', () => {
  const conf = confOf({ settings: { max_connections: 7, 'pg_stat_statements.max': 100 } })
  assert.ok(conf.indexOf("max_connections = '7'") > conf.indexOf('max_connections = 60'))
})

for (const bad of [{ settings: { 'a b': 1 } }, { settings: { a: "it's" } }, { image: 'postgres' }])
  test(`refuses ${JSON.stringify(bad)}`, () => assert.not(v.is(postgres.vars, bad)))

test('takes no more of a host than leaves room for bots', () => {
  for (const memory of [512, 1024, 2048, 4096, 8192, 32_768]) {
    const { memoryMB, sharedBuffersMB } = sizeFor(memory)
    assert.ok(memoryMB <= Math.max(288, memory / 3), `${memory}`)
    assert.ok(sharedBuffersMB < memoryMB / 2)
  }
})

test('the catalog of a server that does not answer is an error, and of none is none', () => {
  const parse = (output: string) => postgresCatalog.kind.parse(output, ['catalog']).get('catalog')
  assert.is(parse(''), undefined)
  assert.throws(() => parse('psql: error: too many clients'), /does not answer: psql: error: too many clients/)
  const at = 'psql: error: connection to server on socket "/var/run/postgresql/.s.PGSQL.5432" failed: '
  assert.is(parse(`${at}No such file or directory`), undefined)
  for (const said of [
    'fe_sendauth: no password supplied',
    'FATAL:  password authentication failed for user "postgres"',
  ])
    assert.is(parse(at + said), refused)
})

const anew = 'postgres:superuser: stop the server and give its superuser the password that the host keeps'
const rest = ['postgres:config', 'postgres-extension:pg_stat_statements', 'postgres-database:postgres']
const unknown = (cause: string) => [...rest, 'postgres-database:template1'].map((id) => `${id}: unknown ${cause}`)

test('a server that refuses its superuser is given the password that the host keeps', () => {
  assert.equal(plan({}, { ...built(), [postgresCatalog.key]: refused }), [anew, ...unknown('postgres:superuser')])
  // Whatever was right before stays so.
  assert.equal(plan({}, { ...built(), [password]: 'absent' }), [anew])
})

test('a server whose folder of secrets is gone is started with the new one, and asked again', () => {
  const now = built()
  const secrets = '/etc/botgarden/secrets/postgres'
  const container = { ...(now['container:botgarden-postgres'] as object), stale: [secrets] }
  const state = { ...now, 'container:botgarden-postgres': container, [postgresCatalog.key]: refused }
  assert.equal(plan({}, state), [
    `container:botgarden-postgres: restart, since ${secrets} is not the folder that it has mounted`,
    'postgres:superuser: unknown container:botgarden-postgres',
    ...unknown('container:botgarden-postgres'),
  ])
})

test('a server whose data is gone is not started on none', () => {
  const now = built()
  for (const config of [{}, { config: 'other' }]) {
    const stale = {
      ...(now['container:botgarden-postgres'] as object),
      stale: ['/var/lib/botgarden/postgres'],
      ...config,
    }
    assert.throws(
      () => plan({}, { ...now, 'container:botgarden-postgres': stale }),
      /which is gone: move it back, or save/,
    )
  }
})

test('every resource reads what it plans on', () => {
  assert.ok(stateOf(role(), {}).has(cluster))
})

test.run()
