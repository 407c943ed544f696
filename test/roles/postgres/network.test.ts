// A server that other hosts of a mesh come to. That they do, and nobody else, is seen on the sandbox.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { postgres } from '../../../roles/index.ts'
import { postgresRole } from '../../../roles/postgres/index.ts'
import { doorsFor, type Remote, remoteLines } from '../../../roles/postgres/network/remote.ts'
import { serverOf } from '../../../roles/postgres/server.ts'
import { parseRule } from '../../../roles/ufw/rules.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, planOf } from '../../support/plan-of.ts'

const remotes: Remote[] = [
  { role: 'hello_bot', database: 'hello_bot', from: '10.214.0.3' },
  { role: 'botgarden-standby', from: '10.214.0.2' },
  { role: 'all', database: 'all', from: '10.214.0.3' },
]
const network = { address: '10.214.0.1', remotes }
const wanted = { image: 'postgres:18.6', settings: {} }
const role = (given: Parameters<typeof postgresRole>[0], more: Partial<typeof facts> = {}) =>
  postgresRole(given).resources(v.parse(postgres.vars, {}), { ...facts, ...more }, entry)

test('a server that nobody comes to is what it was, whether its host is in a mesh or not', () => {
  const plain = serverOf(wanted, 2048)
  assert.equal(serverOf({ ...wanted, network: { address: '10.214.0.1', remotes: [] } }, 2048), plain)
  assert.is(plain.project.service.network_mode, 'none')
  assert.not.match(plain.config.hba + plain.config.text, /hostssl|TLSv1\.3/)
  const ids = (resources: readonly { id: string }[]) => resources.map(({ id }) => id)
  assert.equal(ids(role({ network: { address: '10.214.0.1', remotes: [] } })), ids(role({})))
  assert.not.match(ids(role({})).join(' '), /network|nonlocal/)
})

test('else it lets in these alone, each from its host, by TLS and password', () => {
  const { config, project } = serverOf({ ...wanted, network }, 2048)
  assert.equal(
    config.hba.split('\n').filter((line) => /^host/.test(line)),
    [
      'hostssl  "all"  "all"  10.214.0.3/32  scram-sha-256',
      'hostssl  "hello_bot"  "hello_bot"  10.214.0.3/32  scram-sha-256',
      'hostssl  replication  "botgarden-standby"  10.214.0.2/32  scram-sha-256',
    ],
  )
  assert.match(config.text, "ssl_min_protocol_version = 'TLSv1.3'")
  assert.equal(project.service.ports, ['10.214.0.1:5432:5432'])
  assert.is(project.service.network_mode, undefined)
})

test('connections of others are beside its own, and have memory of their own', () => {
  const [plain, more] = [
    serverOf(wanted, 2048),
    serverOf({ ...wanted, network: { ...network, connections: 24 } }, 2048),
  ]
  assert.match(plain.config.text, 'max_connections = 100\n')
  assert.match(more.config.text, 'max_connections = 124\n')
  assert.is(more.project.service.mem_limit, '624m')
  assert.is(more.project.service.pids_limit, 174)
})

test('the address may be late at boot, and the server starts all the same', () => {
  const resources = role({ network })
  assert.match(contentOf(resources, '98-botgarden-postgres.conf'), 'net.ipv4.ip_nonlocal_bind = 1\n')
  const ids = resources.map(({ id }) => id)
  assert.ok(ids.indexOf('sysctl:net.ipv4.ip_nonlocal_bind') < ids.indexOf('container:botgarden-postgres'))
})

test('without them the way is removed, after the container was made anew without it', () => {
  const resources = role({}, { mesh: true })
  const ids = resources.map(({ id }) => id)
  assert.ok(ids.indexOf('postgres:network') > ids.indexOf('container:botgarden-postgres'))
  const [left] = resources.filter(({ id }) => id === 'postgres:network')
  assert.equal(planOf(left ? [left] : [], { 'file:/sys/class/net/br-db-mesh': { type: 'symbolic link' } }), [
    'postgres:network: remove its way into the mesh',
  ])
  assert.equal(planOf(left ? [left] : [], {}), [])
})

test('the firewall opens a door for each of their hosts', () => {
  assert.equal(doorsFor(remotes), ['5432/tcp on mesh0 from 10.214.0.2', '5432/tcp on mesh0 from 10.214.0.3'])
  assert.equal(
    doorsFor(remotes)
      .map(parseRule)
      .map(({ on }) => on),
    ['mesh0', 'mesh0'],
  )
  assert.equal(remoteLines([]), [])
})

test.run()
