// A server that another one follows, and the one that does. That they do is seen on the sandbox.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { freshCatalog, postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { standbySecrets } from '../../../lib/platform/standby/names.ts'
import { postgres } from '../../../roles/index.ts'
import { postgresRole } from '../../../roles/postgres/index.ts'
import { parseData } from '../../../roles/postgres/replication/data.ts'
import type { ServerPair, Source } from '../../../roles/postgres/replication/pair.ts'
import { pairFaults, pairLine } from '../../../roles/postgres/replication/shown.ts'
import { parseReplication, type ServerState } from '../../../roles/postgres/replication/state.ts'
import { serverOf } from '../../../roles/postgres/server.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { idsOf, planOf } from '../../support/plan-of.ts'

const source: Source = {
  ...{ askedAt: '2026-11-26T12:00:00.000Z', cluster: '7000', bytes: 1, slot: 'kept', isRecorded: false },
  ...{ superuser: 'a'.repeat(64), password: 'b'.repeat(64) },
}
const network = { address: '10.214.0.1', remotes: [{ role: 'botgarden-standby', from: '10.214.0.2' }] }
const pair = (is: ServerPair['is'], more: Partial<ServerPair> = {}): ServerPair => ({
  ...{ is, other: { name: 'vps2', address: '10.214.0.2' }, connections: 100 },
  ...(is === 'standby' && { source }),
  ...more,
})
const role = (given: Parameters<typeof postgresRole>[0], more: Partial<typeof facts> = {}) =>
  postgresRole(given).resources(v.parse(postgres.vars, {}), { ...facts, ...more }, entry)
const of = (id: string, is: ServerPair['is'], more: Partial<ServerPair> = {}) =>
  role({ network, pair: pair(is, more) }).filter((each) => each.id === id)
const data = { cluster: '7000', follows: true, databases: 0, copied: '' }
const planned = (there: object | 'none', more: Partial<Source> | undefined = {}) =>
  planOf(of('standby:data', 'standby', { source: more && { ...source, ...more } }), { 'server-data:18': there })

test('both have the same configuration, but for whom they follow, whichever is the primary', () => {
  const text = (is: ServerPair['is']) =>
    serverOf({ image: 'postgres:18.6', settings: {}, network, pair: pair(is) }, 1024).config.text
  assert.is(text('primary'), text('standby'))
  for (const line of [
    "wal_level = 'replica'",
    'max_wal_senders = 8',
    "max_slot_wal_keep_size = '1024MB'",
    'max_connections = 100',
    "primary_conninfo = 'host=10.214.0.2 port=5432 user=botgarden-standby passfile=/run/secrets/standby/pgpass sslmode=require application_name=standby connect_timeout=5'",
    "include_if_exists = 'synchronous.conf'",
  ])
    assert.match(text('primary'), line)
  assert.not.match(serverOf({ image: 'postgres:18.6', settings: {} }, 1024).config.text, /conninfo|synchronous\.conf/)
})

test('the primary lets the standby in; the standby changes nothing in the databases', () => {
  const [one, other] = [
    idsOf(role({ network, pair: pair('primary') })),
    idsOf(role({ network, pair: pair('standby') })),
  ]
  assert.ok(one.includes('postgres-role:botgarden-standby'))
  assert.ok(one.includes(`secret:${standbySecrets}/password`))
  assert.equal(
    other.filter((id) => /^postgres-|^leftovers|^postgres:superuser/.test(id)),
    [],
  )
  assert.not.ok(other.some((id) => id.startsWith('secret:') && !id.endsWith('server.pem')))
  assert.ok(other.indexOf('standby:secrets') < other.indexOf('standby:data'))
  assert.ok(other.indexOf('standby:data') < other.indexOf('container:botgarden-postgres'))
})

test('commits wait where it is asked for and somebody is there; they are left as they are while it is not known', () => {
  const file = 'file:/opt/botgarden/postgres/conf/synchronous.conf'
  assert.equal(planOf(of(file, 'primary', { synchronous: true }), {}), [`${file}: create`])
  assert.equal(of(file, 'primary', { synchronous: undefined }), [])
  const there = { [file]: { type: 'file', mode: '0644', owner: 'root', group: 'root' } }
  assert.equal(planOf(of(file, 'primary', { synchronous: false }), there).length, 1)
  assert.equal(planOf(of(file, 'primary', { synchronous: false }), {}), [])
})

test('data are copied where there are none, and where they cannot follow', () => {
  assert.equal(planned('none'), ['standby:data: copy the cluster of vps2'])
  assert.equal(planned(data), [])
  assert.equal(planned({ ...data, cluster: '8' }), [
    'standby:data: copy the cluster of vps2, in place of that of another server',
  ])
  const lost = ['standby:data: copy the cluster of vps2, which does not keep any more what is missing here']
  assert.equal(planned(data, { slot: 'lost' }), lost)
  assert.equal(planned(data, { slot: 'none' }), lost)
  assert.equal(planned({ ...data, copied: source.askedAt }, { slot: 'none' }), [], 'this very run has')
})

test('data of its own are replaced only where they are nobody s, or the records say that it is the primary no more', () => {
  const own = { ...data, follows: false }
  assert.equal(planned({ ...own, cluster: '8' }), ['standby:data: copy the cluster of vps2, in place of its own'])
  assert.equal(planned({ ...own, databases: 4 }, { isRecorded: true }), [
    'standby:data: copy the cluster of vps2, in place of its own',
  ])
  assert.throws(
    () => planned({ ...own, cluster: '8', databases: 1 }),
    /has no databases of its own, and the server of this host has 1/,
  )
  assert.throws(() => planned({ ...own, cluster: '8', databases: 1 }, { isRecorded: true }), /no databases of its own/)
  assert.throws(() => planned(own), /are both primaries of one cluster/)
})

test('while the primary cannot be asked, a standby stays what it is, and none is begun', () => {
  const alone = (there: object | 'none') =>
    planOf(of('standby:data', 'standby', { source: undefined }), { 'server-data:18': there })
  assert.equal(alone(data), [])
  assert.throws(() => alone('none'), /vps2 cannot be asked/)
  assert.equal(planOf(of('standby:secrets', 'standby', { source: undefined }), {}), [])
})

test('the passwords are taken where they are others', () => {
  const files = (superuser: string, password: string) => ({
    'file:/etc/botgarden/secrets/postgres/superuser': { type: 'file', sha256: superuser },
    [`file:${standbySecrets}/password`]: { type: 'file', sha256: password },
  })
  const plan = (state: object) => planOf(of('standby:secrets', 'standby'), { ...state })
  assert.equal(plan(files('a'.repeat(64), 'b'.repeat(64))), [])
  assert.equal(plan(files('c'.repeat(64), 'b'.repeat(64))), ['standby:secrets: take the passwords of vps2'])
  assert.equal(plan({}), ['standby:secrets: take the passwords of vps2'])
})

test('a host of a mesh whose standby is gone from the inventory ends it; one that never had any is not asked', () => {
  assert.not.match(idsOf(role({})).join(' '), /standby/)
  const gone = role({}, { mesh: true })
  const ids = idsOf(gone)
  assert.ok(ids.indexOf('standby:absent') < ids.indexOf('file:/opt/botgarden/postgres/conf/postgresql.conf'))
  const plan = (state: object) =>
    planOf(
      gone.filter(({ id }) => id.startsWith('standby:')),
      { ...state },
    )
  assert.equal(plan({ [`file:${standbySecrets}`]: { type: 'directory' }, [postgresCatalog.key]: freshCatalog }), [
    'standby:absent: let no standby in, and drop its slot',
  ])
  assert.equal(plan({}), [])
  assert.throws(() => plan({ 'server-data:18': data }), /is a standby, and the inventory has no/)
})

test('what a host tells is read, and what it does not tell is nothing', () => {
  assert.equal(parseData('data 7000 follows 0 2026-11-26T12:00:00.000Z\n'), { ...data, copied: source.askedAt })
  assert.equal(parseData('data 7000 leads 3 \n'), { ...data, follows: false, databases: 3 })
  assert.is(parseData('data x leads\n'), 'none')
  const empty = { data: 'none', superuser: undefined, password: undefined, server: undefined }
  assert.equal(parseReplication(''), empty)
  assert.equal(parseReplication('psql: error: FATAL\nsum superuser x\n'), empty)
})

const leads: ServerState = {
  ...{ inRecovery: false, timeline: 1, maxConnections: 100, bytes: 1, position: '0/1', received: null, replayed: null },
  ...{ isReceiving: false, secondsBehind: null, synchronous: false, slot: { status: 'reserved', active: true } },
  standby: { state: 'streaming', sync: 'async', bytesBehind: 0, secondsBehind: null },
}
const follows: ServerState = {
  ...leads,
  inRecovery: true,
  isReceiving: true,
  secondsBehind: 0,
  slot: null,
  standby: null,
}
const wanted = { is: 'primary', other: 'vps2', synchronous: false } as const

for (const [what, is, server, line, ...faults] of [
  ['a primary whose standby has all', 'primary', leads, /primary; vps2 follows, has all/],
  ['one without its standby', 'primary', { ...leads, standby: null }, /not connected/, /vps2 is not connected$/],
  [
    'one that waits',
    'primary',
    { ...leads, standby: null, synchronous: true },
    /not connected/,
    /every commit waits for it/,
  ],
  [
    'one that has thrown away too much',
    'primary',
    { ...leads, standby: null, slot: { status: 'lost', active: false } },
    /not connected/,
    /must be copied again/,
  ],
  [
    'one whose standby is late',
    'primary',
    { ...leads, standby: { ...leads.standby, bytesBehind: 9e7 } },
    /90\.0 MB behind/,
    /90 MB behind/,
  ],
  ['a standby', 'standby', follows, /^follows vps2$/],
  [
    'one that reaches nobody',
    'standby',
    { ...follows, isReceiving: false },
    /does not reach/,
    /does not reach its primary, vps2/,
  ],
  ['one that is late', 'standby', { ...follows, secondsBehind: 90 }, /90 s behind/, /90 s behind/],
  ['one that was promoted', 'standby', leads, /primary/, /is a primary, and the inventory has it as the standby/],
  ['a server that is down', 'primary', undefined, /does not answer/],
] as const)
  test(`status: ${what}`, () => {
    const state = server as ServerState | undefined
    assert.match(pairLine({ ...wanted, is }, state), line)
    const found = pairFaults({ ...wanted, is }, state)
    assert.is(found.length, faults.length, found.join('\n'))
    for (const [i, fault] of faults.entries()) assert.match(found[i] ?? '', fault)
  })

test('commits that do not wait are told where the inventory has them wait', () =>
  assert.match(pairFaults({ ...wanted, synchronous: true }, leads)[0] ?? '', /commits do not wait/))

test.run()
