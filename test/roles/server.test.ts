// The database server and the engine: what they are told, and what is done to them, in a real sh with a stand-in for docker.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { parse } from 'yaml'
import type { Resource } from '../../lib/model/resource.ts'
import { freshCatalog, postgresCatalog } from '../../lib/platform/postgres-catalog.ts'
import { runningUnit } from '../../lib/resources/unit.ts'
import { daemonSettings, mergedDaemonJson } from '../../roles/docker/daemon.ts'
import { docker } from '../../roles/docker/index.ts'
import { nginx, postgres } from '../../roles/index.ts'
import { freePorts } from '../../roles/nginx/ports.ts'
import { sizeFor } from '../../roles/postgres/sizes.ts'
import { entry, facts } from '../support/fake-host.ts'
import { changesOf, contentOf, idsOf, planOf, wantsOf } from '../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../support/scratch-host.ts'

const server = (vars: unknown = {}, memoryMiB = 1024) =>
  postgres.resources(v.parse(postgres.vars, vars), { ...facts, memoryMiB }, entry)
const lines = (text: string) => text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))

test('who comes by the socket has a password, and nobody replicates', () => {
  assert.equal(
    lines(contentOf(server(), 'pg_hba.conf')).map((line) => line.split(/ +/)),
    [
      ['local', 'replication', 'all', 'reject'],
      ['local', 'all', 'all', 'scram-sha-256'],
      // Of others only those whose bots have a file there.
      ['include_dir', 'bots'],
    ],
  )
})

/** The settings in the order of the file; the last one of a name counts. */
const settingsOf = (text: string) => Object.fromEntries(lines(text).map((line) => line.split(/ = (.*)/).slice(0, 2)))

test('the server’s settings', () => {
  const { 'botgarden.config': checksum, ...settings } = settingsOf(contentOf(server(), 'postgresql.conf'))
  assert.match(checksum, /^'[0-9a-f]{16}'$/)
  assert.equal(settings, {
    listen_addresses: `'*'`,
    ssl: 'on',
    ssl_cert_file: `'/run/secrets/server.pem'`,
    ssl_key_file: `'/run/secrets/server.pem'`,
    unix_socket_directories: `'/run/postgresql'`,
    max_connections: '60',
    superuser_reserved_connections: '5',
    password_encryption: `'scram-sha-256'`,
    shared_buffers: `'96MB'`,
    effective_cache_size: `'256MB'`,
    work_mem: `'2MB'`,
    maintenance_work_mem: `'32MB'`,
    max_wal_size: `'256MB'`,
    jit: 'off',
    max_parallel_workers_per_gather: '0',
    autovacuum_max_workers: '2',
    io_method: `'sync'`,
    wal_level: `'minimal'`,
    max_wal_senders: '0',
    checkpoint_timeout: `'15min'`,
    random_page_cost: '1.1',
    shared_preload_libraries: `'pg_stat_statements'`,
    'pg_stat_statements.track_utility': 'off',
    log_destination: `'stderr'`,
    logging_collector: 'off',
    log_line_prefix: `'%m %u@%d '`,
    log_min_duration_statement: `'1s'`,
    log_lock_waits: 'on',
    log_parameter_max_length: '0',
    log_parameter_max_length_on_error: '0',
    lc_messages: `'C'`,
    timezone: `'UTC'`,
    log_timezone: `'UTC'`,
  })
})

test('what the operator says stands last, and changes what the server is asked for', () => {
  const own = settingsOf(contentOf(server({ settings: { work_mem: '9MB', jit: true } }), 'postgresql.conf'))
  assert.equal([own.work_mem, own.jit], [`'9MB'`, `'true'`])
  const { 'botgarden.config': before } = settingsOf(contentOf(server(), 'postgresql.conf'))
  assert.is.not(own['botgarden.config'], before)
})

for (const [memory, size] of [
  [512, [96, 256, 2, 32, 60, 256, 288]],
  [1799, [96, 256, 2, 32, 60, 256, 288]],
  [1800, [256, 768, 4, 64, 100, 512, 576]],
  [3600, [512, 1536, 8, 128, 150, 1024, 1152]],
  [7399, [512, 1536, 8, 128, 150, 1024, 1152]],
  [7400, [1024, 4096, 16, 256, 200, 2048, 2304]],
] as const)
  test(`a host of ${memory} MiB`, () => {
    const of = sizeFor(memory)
    const { sharedBuffersMB, effectiveCacheMB, workMemMB, maintenanceMB, connections, maxWalMB, memoryMB } = of
    assert.equal([sharedBuffersMB, effectiveCacheMB, workMemMB, maintenanceMB, connections, maxWalMB, memoryMB], size)
  })

test('the server’s folders: what is secret is its own, and what it is for comes in its order', () => {
  const all = server()
  const ids = idsOf(all)
  for (const [path, mode, owner] of [
    ['/etc/botgarden', '0700', 'root'],
    ['/etc/botgarden/secrets', '0700', 'root'],
    ['/etc/botgarden/secrets/postgres', '0700', '999'],
    ['/var/lib/botgarden', '0700', 'root'],
    ['/var/lib/botgarden/postgres', '0700', '999'],
    ['/run/botgarden/postgres', '3775', '999'],
    ['/opt/botgarden', '0755', 'root'],
    ['/opt/botgarden/postgres', '0755', 'root'],
    ['/opt/botgarden/postgres/conf', '0755', 'root'],
  ])
    assert.equal(wantsOf(all, `directory:${path}`), { mode, owner, group: owner }, path)
  assert.equal(wantsOf(all, 'secret:/etc/botgarden/secrets/postgres/superuser'), {
    mode: '0400',
    owner: '999',
    group: '999',
  })
  const order = [
    ...['command:pgpass-postgres', 'file:/opt/botgarden/postgres/conf/pg_hba.conf', 'image:postgres:18.6'],
    ...['container:botgarden-postgres', 'postgres:config', 'postgres-extension:pg_stat_statements'],
    ...['postgres-database:postgres', 'postgres-database:template1', 'postgres:access'],
  ]
  assert.equal(
    [...order].sort((one, other) => ids.indexOf(one) - ids.indexOf(other)),
    order,
  )
  assert.ok(order.every((id) => ids.includes(id)))
  assert.match(
    JSON.stringify(all.at(-1)?.outputs?.(() => undefined as never)),
    'docker exec -it botgarden-postgres psql -U postgres',
  )
})

const candidate = () => {
  const all = server().filter(({ id }) => id.endsWith('postgresql.conf'))
  return changesOf(all, { 'program:docker': true })[0]
}
for (const [what, status, programs, code] of [
  ['does not run yet', undefined, '', 0],
  ['takes it', 'running', '', 0],
  [
    'refuses it',
    'running',
    `case "$*" in *'exec -i botgarden-postgres sh -c'*) cat >"$STATE/read"; echo invalid value; exit 1 ;; esac`,
    1,
  ],
] as const)
  test(`a new configuration, where the server ${what}`, async () => {
    const host = scratchHost()
    if (status) host.container('botgarden-postgres', { status })
    if (programs) host.note('docker', programs)
    host.folder('/opt/botgarden/postgres/conf')
    const { code: ended, output } = await host.run(candidate()?.script ?? '')
    assert.is(ended, code)
    assert.is(host.there('/opt/botgarden/postgres/conf/postgresql.conf'), code === 0)
    if (code === 1) {
      assert.match(output, 'invalid value')
      assert.match(host.noted('read'), 'max_connections = 60')
    }
  })

test('the server reads a candidate by its own hand, and leaves nothing of it', async () => {
  const host = scratchHost({
    postgres: 'for file; do :; done; cp "$(echo "$4" | cut -d = -f 2)" "$STATE/read"; exit 3',
  })
  const [, command = ''] =
    /docker exec -i botgarden-postgres sh -c '(file=[\s\S]*?exit \$status)'/.exec(candidate()?.script.text ?? '') ?? []
  host.note('candidate', 'x = 1\n')
  const { code, calls } = await host.run(`TMPDIR=/run/botgarden; export TMPDIR; (${command}) <"$STATE/candidate"`, {
    args: [],
  })
  assert.is(code, 3)
  assert.is(host.noted('read'), 'x = 1\n')
  assert.match(calls[0] ?? '', /^postgres -C max_connections -c config_file=/)
  assert.equal(host.list('/run/botgarden'), [])
})

/** Starts the server's container as its entry point does, on this cluster, with the arguments of its command. */
function started(host: ScratchHost) {
  const { entrypoint, command } = parse(contentOf(server(), 'compose.yaml')).services['botgarden-postgres']
  assert.equal([entrypoint.slice(0, 2), entrypoint.slice(3)], [['/bin/sh', '-euc'], ['postgres']])
  // Compose reads $$ as one.
  return host.run(`PGDATA=${cluster}; ${entrypoint[2].replaceAll('$$', '$')}`, {
    args: ['-eu', '-s', '--', ...command],
  })
}
const cluster = '/var/lib/botgarden/postgres/18/docker'
const initdb = 'mkdir "$2"; echo half >"$2/base"; [ ! -e "$STATE/cut" ] || exit 1; echo 18 >"$2/PG_VERSION"'

test('the first start makes the cluster with checksums, whose superuser has a password; later ones serve it', async () => {
  const host = scratchHost({ initdb, postgres: '' })
  const served = 'postgres -c config_file=/etc/postgresql/postgresql.conf -c hba_file=/etc/postgresql/pg_hba.conf'
  const first = await started(host)
  assert.is(first.code, 0, first.output)
  assert.match(
    first.calls[0] ?? '',
    / --username=postgres --pwfile=\/run\/secrets\/superuser --auth=scram-sha-256 --data-checksums /,
  )
  assert.equal(first.calls.slice(1), [served])
  assert.is(host.read(`${cluster}/PG_VERSION`), '18\n')
  assert.equal((await started(host)).calls, [served])
})

test('a cluster whose making was cut is none: the next start makes it anew', async () => {
  const host = scratchHost({ initdb, postgres: '' })
  host.note('cut', '')
  const { code, calls } = await started(host)
  assert.is(code, 1)
  assert.not.ok(host.there(cluster) || calls.some((call) => call.startsWith('postgres')))
  await host.run('rm "$STATE/cut"')
  const again = await started(host)
  assert.is(again.code, 0, again.output)
  assert.equal(host.list('/var/lib/botgarden/postgres/18'), ['docker'])
})

/** The change that has the server run another configuration; what it is asked is answered in turns. */
async function loaded(answers: { config?: string; pending?: string }, more = '') {
  const all = server().filter(({ id }) => id === 'postgres:config')
  const catalog = {
    ...freshCatalog,
    config: 'old',
    pendingRestart: answers.pending === '0' ? [] : ['shared_buffers', 'max_connections'],
  }
  const [change] = changesOf(all, { [postgresCatalog.key]: catalog })
  const host = scratchHost()
  host.container('botgarden-postgres')
  const checksum = String(all[0]?.wants)
  host.note(
    'answer',
    `case "$(cat)" in *current_setting*) echo ${answers.config ?? checksum} ;; *pending_restart*) echo ${answers.pending ?? 1} ;; esac`,
  )
  if (more) host.note('docker', more)
  return { ...(await host.run(change?.script ?? '')), sql: host.noted('sql'), summary: change?.summary }
}

test('a configuration that needs no restart is loaded, and the server asked whether it has it', async () => {
  const { code, calls, sql, summary } = await loaded({ pending: '0' })
  assert.equal([code, summary], [0, 'load its new configuration'])
  assert.match(
    sql,
    /^select pg_reload_conf\(\)select current_setting\('botgarden.config', true\)select count\(\*\) from pg_settings where pending_restart$/,
  )
  assert.not.ok(calls.some((call) => call.startsWith('docker restart')))
})

test('one that needs a restart gets it, until the server is well', async () => {
  const { code, calls, summary } = await loaded({})
  assert.equal([code, summary], [0, 'restart, for shared_buffers, max_connections'])
  assert.ok(calls.includes('docker restart botgarden-postgres'))
})

test('one that the server does not take, or does not come back with, is told with its last words', async () => {
  const refused = await loaded({ config: 'old', pending: '0' }, `case $1 in exec) : ;; esac`)
  assert.is(refused.code, 1)
  assert.match(refused.output, /^the server refuses its new configuration:\nthe log of botgarden-postgres/)
  const ill = await loaded({}, `case "$*" in *Health*) echo unhealthy; exit ;; esac`)
  assert.is(ill.code, 1)
  assert.match(ill.output, 'the log of botgarden-postgres')
})

test('statements can be looked at by the superuser', async () => {
  const all = server().filter(({ id }) => id.startsWith('postgres-extension'))
  const host = scratchHost()
  host.container('botgarden-postgres')
  const [change] = changesOf(all, { [postgresCatalog.key]: freshCatalog })
  await host.run(change?.script ?? '')
  assert.is(host.noted('sql'), 'create extension pg_stat_statements;\n')
  assert.equal(planOf(all, { [postgresCatalog.key]: { ...freshCatalog, extensions: ['pg_stat_statements'] } }), [])
})

for (const [vars, fine] of [
  [{ image: 'postgres:18.7' }, true],
  [{ image: `postgres@sha256:${'a'.repeat(64)}` }, true],
  [{ image: 'post gres:1' }, false],
  [{ settings: { 'a.b': 'x', c: 1, d: true } }, true],
  [{ settings: { 'a.b.c': 1 } }, false],
  [{ settings: { A: 1 } }, false],
  [{ settings: { a: 'x\ny' } }, false],
  [{ settings: { a: 'x\\y' } }, false],
  [{ nonsense: 1 }, false],
] as const)
  test(`of the server ${fine ? 'takes' : 'refuses'} ${JSON.stringify(vars)}`, () =>
    assert.is(v.is(postgres.vars, vars), fine))

test('the engine: logs that end, containers that outlive it, networks of their own', () => {
  assert.equal(daemonSettings(undefined), {
    'log-driver': 'local',
    'log-opts': { 'max-size': '10m', 'max-file': '3' },
    'live-restore': true,
    builder: { gc: { enabled: true, defaultKeepStorage: '2GB' } },
    'default-address-pools': [{ base: '10.211.0.0/16', size: 26 }],
  })
  const mirrors = ['http://m.example:5000', 'https://n.example']
  const more = daemonSettings(mirrors)
  assert.equal([more['registry-mirrors'], more['insecure-registries']], [mirrors, ['m.example:5000']])
  assert.equal(
    [daemonSettings([])['registry-mirrors'], 'insecure-registries' in daemonSettings(['https://n.example'])],
    [[], false],
  )
})

test('what else stands in daemon.json stays, and the very text where nothing is to be said', () => {
  const merged = mergedDaemonJson({ a: 1 })
  assert.is(merged(undefined), '{\n  "a": 1\n}\n')
  assert.is(merged('  '), '{\n  "a": 1\n}\n')
  assert.is(merged('{"b":2,"a":0}'), '{\n  "b": 2,\n  "a": 1\n}\n')
  assert.is(merged(' {"a": 1, "b":2}'), ' {"a": 1, "b":2}')
  for (const bad of ['null', '1', '[]', '{'])
    assert.throws(() => merged(bad), /\/etc\/docker\/daemon.json is not JSON: .*: correct it, or move it away/)
})

const engine = (vars: unknown = {}, os: 'debian' | 'ubuntu' = 'debian') =>
  docker.resources(v.parse(docker.vars, vars), { ...facts, os }, entry)

test('the engine’s unit notes what it was started with', () => {
  assert.match(
    contentOf(engine(), 'docker.service.d/botgarden.conf'),
    /\n\[Service\]\n#.*\nExecStartPre=-\/bin\/sh -c 'mkdir -p -m 0700 \/run\/botgarden && cat \/etc\/docker\/daemon.json 2>\/dev\/null \| sha256sum \| cut -c 1-64 >\/run\/botgarden\/docker.started-with'\n$/,
  )
})

for (const [os, there, packages] of [
  ['debian', {}, ['containerd', 'docker.io', 'docker-cli', 'docker-compose', 'docker-buildx']],
  ['ubuntu', {}, ['containerd', 'docker.io', 'docker-compose-v2', 'docker-buildx']],
  [
    'debian',
    { 'docker-ce': true },
    ['containerd.io', 'docker-ce-cli', 'docker-compose-plugin', 'docker-buildx-plugin'],
  ],
  ['ubuntu', { 'docker-ce': true, 'containerd.io': true }, ['docker-compose-plugin', 'docker-buildx-plugin']],
  ['debian', { containerd: true, 'docker.io': true }, ['docker-cli', 'docker-compose', 'docker-buildx']],
] as const)
  test(`on ${os} with ${Object.keys(there).join(', ') || 'nothing'} it brings ${packages.join(', ')}`, async () => {
    const state = Object.fromEntries(Object.keys(there).map((name) => [`package:${name}`, { version: '1' }]))
    const all = engine({}, os).filter(({ id }) => id.startsWith('package:'))
    const changes = changesOf(all, state)
    assert.equal(
      changes.map(({ batch: joins }) => joins?.item),
      packages,
    )
  })

test('an engine that runs another configuration is restarted, however often it failed before; one that is off is not', async () => {
  const [resource] = engine().slice(-1) as [Resource]
  const state = (mark: string | undefined, active = 'active') => ({
    'text:/run/botgarden/docker.started-with': mark,
    'file:/etc/docker/daemon.json': { type: 'file', sha256: 'aa' },
    'unit:docker.service': { ...runningUnit, active },
  })
  assert.equal(planOf([resource], state('aa\n')), [])
  assert.equal(planOf([resource], state('bb\n', 'inactive')), [])
  const [change] = changesOf([resource], state('bb\n'))
  const host = scratchHost({ systemctl: '[ "$1" != reset-failed ]' })
  const { code, calls } = await host.run(change?.script ?? '')
  assert.equal([code, calls], [0, ['systemctl reset-failed docker.service', 'systemctl restart docker.service']])
  const nothing = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
  assert.equal(planOf([resource], { ...state(`${nothing}\n`), 'file:/etc/docker/daemon.json': 'absent' }), [])
})

for (const [vars, fine] of [
  [{ registryMirrors: ['http://m:5000/'] }, true],
  [{ registryMirrors: ['m:5000'] }, false],
  [{ registryMirrors: ['http://m/path'] }, false],
  [{ daemon: { debug: true } }, true],
  [{ daemon: { hosts: [] } }, false],
  [{ nonsense: 1 }, false],
] as const)
  test(`of the engine ${fine ? 'takes' : 'refuses'} ${JSON.stringify(vars)}`, () =>
    assert.is(v.is(docker.vars, vars), fine))

test('who holds a port is found by its program and unit', async () => {
  const host = scratchHost({
    ss: `case "$*" in *'sport = :80 or sport = :443') printf '%s\\n' 'LISTEN 0 511 0.0.0.0:80 0.0.0.0:* users:(("apache2",pid=77,fd=4),("apache2",pid=78,fd=4))' ;; esac`,
  })
  host.write('/proc/77/cgroup', '0::/system.slice/apache2.service\n')
  const resource = freePorts('botgarden-nginx', [80, 443])
  const [holders] = resource.reads
  assert.ok(holders)
  const state = { [holders.key]: await host.reads(holders) }
  assert.throws(
    () => planOf([resource], state),
    /^port 80 is held by apache2: systemctl disable --now apache2.service, and run again$/,
  )
  const ours = (status: string) => ({ ...state, 'container:botgarden-nginx': { status } })
  assert.equal(planOf([resource], ours('running')), [])
  assert.throws(() => planOf([resource], ours('exited')))
})

test('nginx’s folders, in an order in which each finds what it needs', () => {
  const all = nginx.resources(v.parse(nginx.vars, {}), facts, { ...entry, domain: 'b.example.org', httpsPort: 8443 })
  const ids = idsOf(all)
  for (const [path, mode] of [
    ...['/etc/botgarden', '/etc/botgarden/tls', '/etc/botgarden/tls/b.example.org', '/var/lib/botgarden'].map(
      (each) => [each, '0700'],
    ),
    ...['', '/.well-known', '/.well-known/acme-challenge'].map((each) => [`/var/lib/botgarden/acme${each}`, '0755']),
    ...['', '/conf', '/conf/bots', '/conf/own', '/generations'].map((each) => [`/opt/botgarden/nginx${each}`, '0755']),
    ...['/opt/botgarden', '/run/botgarden/nginx'].map((each) => [each, '0755']),
  ])
    assert.equal(wantsOf(all, `directory:${path}`), { mode, owner: 'root', group: 'root' }, path)
  const order = [
    ...['certificate-placeholder:b.example.org', 'file:/opt/botgarden/nginx/conf/nginx.conf', 'nginx:generation'],
    ...['image:nginx:1.30.6', 'nginx:ports', 'container:botgarden-nginx', 'nginx:config', 'nginx:served'],
  ]
  assert.equal(
    [...order].sort((one, other) => ids.indexOf(one) - ids.indexOf(other)),
    order,
  )
  assert.ok(order.every((id) => ids.includes(id)))
  assert.equal(wantsOf(all, 'nginx:ports'), [80, 8443])
  assert.equal(contentOf(all, '/conf/nginx.conf').match(/\d+\.\d+\.\d+\.\d+\/\d+ 0;/g), [
    '149.154.160.0/20 0;',
    '91.108.4.0/22 0;',
  ])
  for (const [vars, fine] of [
    [{ telegram: ['10.0.0.0/8', 'fd00::/8'] }, true],
    [{ telegram: ['10.0.0.0'] }, false],
    [{ telegram: ['x/8'] }, false],
    [{ image: 'nginx' }, false],
    [{ nonsense: 1 }, false],
  ] as const)
    assert.is(v.is(nginx.vars, vars), fine, JSON.stringify(vars))
})

test('what is served is asked of whoever listens, by the name that a client would say', async () => {
  const resource = nginx
    .resources(v.parse(nginx.vars, {}), facts, { ...entry, domain: 'b.example.org' })
    .find(({ id }) => id === 'nginx:served')
  const kind = resource?.reads[0]?.kind
  assert.ok(kind)
  const host = scratchHost({
    openssl: `case $1 in s_client) : ;; x509) printf 'subject=CN=a\\nissuer=CN=a\\nnotAfter=2027-02-10 1\\n' ;; esac`,
    timeout: 'shift; "$@"',
  })
  const names = ['b.example.org 443', '192.0.2.1 8443']
  const { stdout, calls } = await host.run(kind.script(names), { args: [] })
  assert.equal(
    calls.filter((call) => call.startsWith('timeout')),
    [
      'timeout 5 openssl s_client -connect 127.0.0.1:443 -servername b.example.org',
      'timeout 5 openssl s_client -connect 127.0.0.1:8443 -noservername',
    ],
  )
  assert.equal(
    [...kind.parse(stdout, names).values()],
    [
      { issuer: '', ends: '2027-02-10' },
      { issuer: '', ends: '2027-02-10' },
    ],
  )
  const tells = (served: object, port = 443) => {
    const [told] = nginx
      .resources(v.parse(nginx.vars, {}), facts, { ...entry, domain: 'b.example.org', httpsPort: port })
      .slice(-1)
    return told?.outputs?.(() => served as never)
  }
  assert.equal(tells({ issuer: '', ends: '' }), { https: 'https://b.example.org/', certificate: 'none is served' })
  assert.equal(tells({ issuer: '', ends: '2027-01-01' }, 8443), {
    https: 'https://b.example.org:8443/',
    certificate: 'ends 2027-01-01, by itself',
  })
})

test.run()
