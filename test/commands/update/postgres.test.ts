import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { ClusterRoom, Clusters } from '../../../commands/update/postgres/clusters.ts'
import { clusterRoom, clusters } from '../../../commands/update/postgres/clusters.ts'
import { keptNotice, nothingKept, postgresVersion } from '../../../commands/update/postgres/resource.ts'
import { digestOf } from '../../../lib/engine/read.ts'
import { postgres } from '../../../roles/index.ts'
import { clusterMount, majorOf, otherCluster, stagedMount } from '../../../roles/postgres/cluster.ts'
import { serverOf } from '../../../roles/postgres/server.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf, scriptsOf, stateOf } from '../../support/plan-of.ts'

const wanted = (image: string) => ({ image, settings: {} })
const found = ({ sizes, freeMiB, ...more }: Partial<Clusters & ClusterRoom>) => ({
  [clusters.key]: { live: [17], kept: [], left: [], ...more },
  [clusterRoom.key]: { sizes: sizes ?? { 17: 40, '17.old': 40 }, freeMiB: freeMiB ?? 9999 },
})
const plan = (image: string, more: Partial<Clusters & ClusterRoom>, direction: 'forward' | 'back' = 'forward') =>
  planOf([postgresVersion(wanted(image), 2048, direction)], found(more))

for (const [image, major] of [
  ['postgres:18.6', 18],
  ['postgres:17', 17],
  ['postgres:17.6@sha256:0123', 17],
  ['pgvector/pgvector:0.8.1-pg18', 18],
  ['timescale/timescaledb:2.22.0-pg17', 17],
  ['registry.example.org:5000/postgres:16-3.4', 16],
  ['postgres@sha256:0123', 18],
  ['own/database:2026-01-01', 18],
  ['own/database:1.4', 18],
] as const)
  test(`the major version of ${image} is ${major}`, () => assert.is(majorOf(image), major))

test('the cluster of each version is in a folder of its own, at the path where its image has its volume', () => {
  assert.equal(clusterMount('postgres:18.6'), {
    source: '/var/lib/botgarden/postgres',
    target: '/var/lib/postgresql',
    environment: {},
  })
  assert.equal(clusterMount('postgres:17.6'), {
    source: '/var/lib/botgarden/postgres/17',
    target: '/var/lib/postgresql/data',
    environment: { PGDATA: '/var/lib/postgresql/data/docker' },
  })
  assert.is(stagedMount('postgres:19.1', '/x').target, '/var/lib/postgresql/19')
})

test('a setting that 17 does not know is not in its configuration', () => {
  assert.match(serverOf(wanted('postgres:18.6'), 2048).config.text, "io_method = 'sync'")
  assert.not.match(serverOf(wanted('postgres:17.6'), 2048).config.text, 'io_method')
})

test('site.ts starts no server beside the data of another version', () => {
  const there = (...majors: number[]) => otherCluster(18, 'postgres:18.6', (each) => majors.includes(each)) ?? 'none'
  assert.is(there(), 'none')
  assert.is(there(18), 'none')
  assert.is(there(17, 18), 'none', 'a move that was cut after its decision')
  assert.match(
    there(17),
    /is of PostgreSQL 17, which postgres:18.6 cannot read: npx zx playbooks\/update.ts --postgres/,
  )
  assert.match(there(19), /is of PostgreSQL 19, and the inventory asks for postgres:18.6/)
  assert.match(there(18, 19), /is of PostgreSQL 19/)
})

test('the role refuses it in its plan, before anything is written', () => {
  const resources = postgres.resources(v.parse(postgres.vars, {}), facts, entry)
  const there = { 'file:/var/lib/botgarden/postgres/17/docker/PG_VERSION': { type: 'file' } }
  assert.throws(() => planOf(resources, { 'image:postgres:18.6': true, ...there }), /is of PostgreSQL 17/)
})

test('a move is planned where the data is older, and nothing where it is not', () => {
  assert.match(plan('postgres:18.6', {})[0] ?? '', /^postgres:version: move 40 MiB from PostgreSQL 17 to postgres:18.6/)
  assert.equal(plan('postgres:18.6', { live: [18], kept: ['17.old'] }), [])
  assert.equal(plan('postgres:17.6', {}), [])
})

test('a move that was cut after its decision is tidied up, not begun again', () => {
  assert.equal(plan('postgres:18.6', { live: [17, 18] }), ['postgres:version: tidy up after a run that was cut'])
  assert.equal(plan('postgres:18.6', { live: [18], left: ['19.new'] }), [
    'postgres:version: tidy up after a run that was cut',
  ])
})

for (const [what, image, more, direction, error] of [
  ['no data', 'postgres:18.6', { live: [] }, 'forward', /there is no data of PostgreSQL.*run site\.ts/],
  ['a full disk', 'postgres:18.6', { freeMiB: 591 }, 'forward', /needs 592 MiB of disk, and 591 MiB are free/],
  ['an older version than serves', 'postgres:17.6', { live: [18] }, 'forward', /PostgreSQL 18 serves.*--back/],
  ['a way back to what is not kept', 'postgres:17.6', { live: [18] }, 'back', /nothing is kept/],
  ['a way back to another version', 'postgres:17.6', { live: [18], kept: ['16.old'] }, 'back', /16\.old is kept/],
  ['a way back to a newer version', 'postgres:18.6', { live: [17], kept: ['18.old'] }, 'back', /PostgreSQL 17 serves/],
] as const)
  test(`refused: ${what}`, () => assert.throws(() => plan(image, more as Partial<Clusters>, direction), error))

test('the way back is planned where its version is kept, also where a way back was cut', () => {
  const back = 'postgres:version: go back from PostgreSQL 18 to 17, without what was written since'
  assert.equal(plan('postgres:17.6', { live: [18], kept: ['17.old'] }, 'back'), [back])
  assert.equal(plan('postgres:17.6', { live: [17, 18] }, 'back'), [back])
  assert.equal(plan('postgres:17.6', { live: [17], kept: ['18.back'] }, 'back'), [])
})

test('what is kept is named with its size and the command that removes it', () => {
  const state = found({ live: [18], kept: ['17.old'] })
  const notice = keptNotice()
  const read = stateOf([notice], state)
  const told = notice.outputs?.(({ key }) => read.get(key) as never)
  assert.match(
    String(told?.postgresKept),
    '/var/lib/botgarden/postgres/17.old (40 MiB): npx zx playbooks/update.ts --postgres --forget-old',
  )
  assert.equal(scriptsOf([nothingKept()], state), ['rm -rf /var/lib/botgarden/postgres/17.old'])
  assert.equal(scriptsOf([nothingKept()], found({})), [])
})

test('the clusters of a host are read from their folders', () => {
  const said =
    'cluster 17.old\ncluster 18\ncluster 19.new\nleft botgarden-postgres-beside\nleft /opt/botgarden/postgres/before-17\n'
  assert.equal(clusters.kind.parse(said, ['postgres']).get('postgres'), {
    live: [18],
    kept: ['17.old'],
    left: ['19.new', 'botgarden-postgres-beside', '/opt/botgarden/postgres/before-17'],
  })
  const room = 'size 40 17.old\nsize 41 18\nfree   123\n'
  assert.equal(clusterRoom.kind.parse(room, ['postgres']).get('postgres'), {
    sizes: { '17.old': 40, '18': 41 },
    freeMiB: 123,
  })
})

test('a run that waited for another one sees that the move is made, and not that a size is another', () => {
  const digest = (cluster: string, free: number) =>
    digestOf(
      [clusters, clusterRoom],
      new Map([
        ['clusters', Buffer.from(`cluster ${cluster}\n`)],
        ['cluster-room', Buffer.from(`free ${free}\n`)],
      ]),
    )
  assert.is(digest('17', 1), digest('17', 2))
  assert.is.not(digest('17', 1), digest('18', 1))
})

test.run()
