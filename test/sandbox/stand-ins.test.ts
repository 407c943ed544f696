// Needs this machine's Docker and no VPS. Where a registry is in reach, the official images are held to the same contract.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { standIns } from '../../sandbox/images/index.ts'
import { ensureEngine } from '../../sandbox/machine/docker-daemon.ts'
import { waitUntil } from '../../sandbox/machine/process.ts'
import {
  awaitInside,
  configOf,
  dropped,
  imagesLike,
  inside,
  logs,
  once,
  removeAll,
  start,
  stopped,
  volume,
} from '../support/vps/containers.ts'

await ensureEngine(() => {})
const imagesOf = (name: string) => imagesLike(standIns.find(({ official }) => official.startsWith(`${name}:`)))

test.after(removeAll)

for (const [kind, postgres] of await imagesOf('postgres')) {
  const inits = {
    'pg_hba.conf': 'local all all scram-sha-256',
    password: 's3cret $x',
    '1.sql': 'CREATE TABLE by_sql ();',
    '2.sh': `q() { psql -w -U postgres -d shop -c "$1"; }
      if PGPASSWORD= q "SELECT 1"; then q "CREATE TABLE by_anybody ()"; else q "CREATE TABLE by_sh ()"; fi`,
  }
  const pg = `postgres-${kind}`
  const asServer = async () => [
    ...['--user', '999:999', ...dropped, '--network', 'none', '--tmpfs', '/tmp', '--tmpfs', '/var/run/postgresql'],
    ...['-e', 'POSTGRES_PASSWORD_FILE=/docker-entrypoint-initdb.d/password', '-e', 'POSTGRES_DB=shop'],
    ...['-v', `${await volume(`${pg}-init`)}:/docker-entrypoint-initdb.d`],
    ...['-v', `${await volume(`${pg}-data`)}:/var/lib/postgresql`],
  ]
  const settings = ['hba_file=/docker-entrypoint-initdb.d/pg_hba.conf', 'shared_preload_libraries=pg_stat_statements']
  const command = ['postgres', ...settings.flatMap((each) => ['-c', each])]
  const psql = (sql: string) =>
    inside(pg, `PGPASSWORD=$(cat "$POSTGRES_PASSWORD_FILE") psql -At -U postgres -d shop -c '${sql}'`)

  test(`postgres, ${kind}: says how it is run`, async () => {
    const { Entrypoint, Cmd, StopSignal, Volumes, Env } = await configOf(postgres)
    assert.equal([Entrypoint, Cmd, StopSignal], [['docker-entrypoint.sh'], ['postgres'], 'SIGINT'])
    assert.equal(Volumes, { '/var/lib/postgresql': {} })
    for (const line of ['PGDATA=/var/lib/postgresql/18/docker', 'LANG=en_US.utf8', 'PG_MAJOR=18'])
      assert.ok((Env as string[]).includes(line), line)
    assert.match((await once([], postgres, ['postgres', '--version'])).stdout, /\) 18\.6\b/)
    const programs = 'postgres psql pg_dump pg_dumpall pg_restore pg_isready createdb pg_ctl initdb bash sh'
    const { status, stderr } = await once([], postgres, [
      'sh',
      '-c',
      `for p in ${programs}; do command -v $p || exit; done`,
    ])
    assert.is(status, 0, stderr)
  })

  test(`postgres, ${kind}: starts first with every right dropped, and with access rules that ask for the password`, async () => {
    const writes = Object.entries(inits).map(([name, text]) => `printf %s '${text}' >/init/${name}`)
    await once(['-v', `${await volume(`${pg}-init`)}:/init`], postgres, ['bash', '-c', writes.join('\n')])
    await start(pg, await asServer(), postgres, command)
    await awaitInside(pg, 'pg_isready -h 127.0.0.1')
    assert.match((await inside(pg, 'psql -w -U postgres -c "SELECT 1"')).stderr, /no password supplied/)
    const facts = `SELECT current_setting($$data_checksums$$), datcollate FROM pg_database WHERE datname = $$shop$$`
    assert.is((await psql(facts)).stdout, 'on|en_US.utf8\n')
    assert.is((await psql('CREATE EXTENSION pg_stat_statements')).status, 0)
    assert.is(
      (await psql('SELECT relname FROM pg_class WHERE relname LIKE $$by%$$ ORDER BY 1')).stdout,
      'by_sh\nby_sql\n',
    )
    assert.is(
      (await inside(pg, 'grep ^Uid: /proc/1/status; stat -c %u:%a "$PGDATA"')).stdout,
      'Uid:\t999\t999\t999\t999\n999:700\n',
    )
  })

  test(`postgres, ${kind}: stops in order, and a new container has the data`, async () => {
    assert.is(await stopped(pg), 0)
    assert.match(await logs(pg), 'received fast shutdown request')
    await start(pg, await asServer(), postgres, command)
    await awaitInside(pg, 'pg_isready -h 127.0.0.1')
    assert.is((await psql('SELECT count(*) FROM by_sql')).stdout, '0\n')
    assert.not.match(await logs(pg), 'initdb')
  })

  test(`postgres, ${kind}: started as root it steps down, and takes its user and database by name`, async () => {
    const names = [
      '-e',
      'POSTGRES_PASSWORD=x',
      '-e',
      'POSTGRES_USER=ops',
      '-e',
      'POSTGRES_INITDB_ARGS=--no-data-checksums',
    ]
    await start(pg, names, postgres)
    await awaitInside(pg, 'pg_isready -h 127.0.0.1')
    const { stdout } = await inside(pg, 'grep ^Uid: /proc/1/status; psql -At -U ops -c "SHOW data_checksums"')
    assert.is(stdout, 'Uid:\t999\t999\t999\t999\noff\n')
  })

  for (const [what, options, error] of [
    ['no password', [], /POSTGRES_PASSWORD/],
    ['an empty one', ['-e', 'POSTGRES_PASSWORD='], /POSTGRES_PASSWORD/],
    [
      'two of them',
      ['-e', 'POSTGRES_PASSWORD=x', '-e', 'POSTGRES_PASSWORD_FILE=/etc/hostname'],
      /both POSTGRES_PASSWORD/,
    ],
    [
      'a volume where older versions kept their data',
      ['-e', 'POSTGRES_PASSWORD=x', '-v', '/var/lib/postgresql/data'],
      /lib.postgresql.data/,
    ],
  ] as const) {
    test(`postgres, ${kind}: refuses to start with ${what}`, async () => {
      const { status, stdout, stderr } = await once(options, postgres)
      assert.is(status, 1)
      assert.match(stdout + stderr, error)
    })
  }
}

for (const [kind, nginx] of await imagesOf('nginx')) {
  const web = `nginx-${kind}`
  const workers =
    'for p in /proc/[0-9]*; do ! grep -qs "nginx: worker" $p/cmdline || stat -c "%n %u" $p; done | grep . || :'

  test(`nginx, ${kind}: says how it is run, and has what it is to be asked for`, async () => {
    const { Entrypoint, Cmd, StopSignal } = await configOf(nginx)
    assert.equal([Entrypoint, Cmd, StopSignal], [['/docker-entrypoint.sh'], ['nginx', '-g', 'daemon off;'], 'SIGQUIT'])
    const { stderr } = await once([], nginx, ['nginx', '-V'])
    assert.match(stderr, 'nginx/1.30.6\n')
    for (const module of ['http_ssl', 'http_v2', 'http_realip', 'http_stub_status'])
      assert.match(stderr, `--with-${module}_module`)
    assert.is((await once([], nginx, ['id', 'nginx'])).stdout.split(' groups')[0], 'uid=101(nginx) gid=101(nginx)')
  })

  test(`nginx, ${kind}: serves read-only with four rights left, by workers of its own user, and logs where Docker reads`, async () => {
    const rights = ['NET_BIND_SERVICE', 'SETUID', 'SETGID', 'CHOWN'].flatMap((each) => ['--cap-add', each])
    await start(web, [...dropped, ...rights, '--tmpfs', '/var/cache/nginx', '--tmpfs', '/run'], nginx)
    await awaitInside(web, 'curl -sSf http://localhost/?seen >/dev/null')
    assert.ok(await waitUntil(20, async () => (await logs(web)).includes('GET /?seen')))
    assert.match((await inside(web, workers)).stdout, /^\/proc\/\d+ 101$/m)
    assert.is((await inside(web, 'nginx -t')).status, 0)
  })

  test(`nginx, ${kind}: a reload brings new workers, SIGQUIT ends it in order`, async () => {
    const before = (await inside(web, workers)).stdout
    assert.is((await inside(web, 'nginx -s reload')).status, 0)
    await awaitInside(web, `test "$(${workers})" != "${before.trim()}"`)
    assert.is(await stopped(web), 0)
    assert.match(await logs(web), 'SIGQUIT')
  })

  test(`nginx, ${kind}: a broken configuration is refused with file and line`, async () => {
    const broken = 'echo "oops;" >/etc/nginx/conf.d/broken.conf && exec nginx -t'
    const { status, stderr } = await once([], nginx, ['sh', '-c', broken])
    assert.is(status, 1)
    assert.match(stderr, /unknown directive "oops" in \/etc\/nginx\/conf.d\/broken.conf:1/)
  })
}

for (const [kind, node] of await imagesOf('node')) {
  test(`node, ${kind}: options and scripts go to node, commands run as they are`, async () => {
    const { Entrypoint, Cmd } = await configOf(node)
    assert.equal([Entrypoint, Cmd], [['docker-entrypoint.sh'], ['node']])
    assert.match((await once([], node, ['--version'])).stdout, /^v26\.10\./)
    assert.is((await once(['-w', '/usr/local/lib/node_modules/npm'], node, ['./index.js', '--version'])).status, 0)
    assert.match(
      (await once([], node, ['bash', '-c', 'command -v node npm npx sh'])).stdout,
      '/usr/local/bin/node\n/usr/local/bin/npm\n/usr/local/bin/npx\n',
    )
  })

  test(`node, ${kind}: runs as its user with every right dropped, npm included`, async () => {
    const asNode = ['--user', 'node', ...dropped, '--tmpfs', '/tmp', '-e', 'HOME=/tmp']
    assert.is((await once(asNode, node, ['-p', 'process.getuid()'])).stdout, '1000\n')
    assert.match((await once(asNode, node, ['npm', '--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
  })
}

test.run()
