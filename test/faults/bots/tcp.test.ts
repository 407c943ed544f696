// Needs a bare VPS of its own: `tcp`, and the sandbox's Telegram. A bot that reaches its database by TCP, beside others.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { type Run, resultOf } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { sqlIn } from '../../support/vps/inside.ts'

const host = 'tcp'
const model = resolve(import.meta.dirname, '../../../bots/hello-bot')
const folder = mkdtempSync(join(tmpdir(), 'tcp-test-'))
const { bots, inventory, site, deploy, changed, inside, answer, begin } = botHost(host, [
  'hello-bot',
  'other-bot',
  'shop-bot',
])
const sql = async (text: string, database = 'postgres') => (await sqlIn(host)(text, database)).all.trim()
const network = 'network:botgarden-hello-bot.db'
const access = '/opt/botgarden/postgres/conf/bots/hello-bot.conf'
const server = 'attachment:botgarden-hello-bot.db/botgarden-postgres'
const nothing = (run: Run) => {
  const { changed: count, unknown, roundTrips, error } = resultOf(run, host)
  assert.equal({ count, unknown, roundTrips, error }, { count: 0, unknown: 0, roundTrips: 1, error: undefined })
}
/** The ids of a check are those that the run after it changes. */
const asChecked = async (args: string[], file?: string): Promise<string[]> => {
  const check = resultOf(await deploy([...args, '--check'], file), host)
  const done = await deploy(args, file)
  assert.is(done.code, 0, resultOf(done, host).error)
  assert.equal(changed(done).sort(), [...check.ids, ...check.unknownIds].sort())
  return changed(done)
}

test.before(begin)
test.after(async () => {
  rmSync(folder, { recursive: true })
  await removeVps(host)
})

/** What the container of the server is, and since when it runs. */
const serverSince = () => inside("docker inspect -f '{{.Id}} {{.State.StartedAt}}' botgarden-postgres")
/** The interfaces of the server. */
const interfaces = () => inside("docker exec botgarden-postgres sed -n 's/^ *\\(\\w*\\):.*/\\1/p' /proc/net/dev")

test('a bot by the socket has a server without a network, and is as it was', async () => {
  assert.is((await deploy(['--name', 'hello-bot'])).code, 0)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await interfaces(), 'lo')
  assert.is(await inside('docker network ls -q --filter name=.db'), '')
  assert.is(await inside('ls /opt/botgarden/postgres/conf/bots'), '')
  assert.not.match(
    await inside('cat /opt/botgarden/bots/hello-bot/*.yaml /var/lib/botgarden/bots/*/current.json'),
    /tcp|database:\n/,
  )
})

test('with TCP it has a network with the server, which runs on; a second run changes nothing', async () => {
  const before = await serverSince()
  bots['hello-bot'] = { host, database: { tcp: true, connections: 10 } }
  const ids = await asChecked(['--name', 'hello-bot'])
  for (const id of [network, `file:${access}`, 'postgres-access:hello_bot', server, 'release:hello-bot'])
    assert.ok(ids.includes(id), id)
  assert.is(await serverSince(), before)
  nothing(await deploy(['--name', 'hello-bot']))
  nothing(await site())
  assert.match(await answer('/start'), /^Hello/)
  assert.is(
    await sql(
      "select count(*) > 0 from pg_stat_activity where usename = 'hello_bot' and client_addr <<= '10.213.1.0/28'",
    ),
    't',
  )
  assert.is(await sql("select rolconnlimit from pg_roles where rolname = 'hello_bot'"), '20')
})

/** What node-postgres says in the container of a bot to a query, by this configuration. */
const query = (configuration: string, name = 'hello-bot') => {
  const program = `
    import pg from 'pg'
    import { readFileSync } from 'node:fs'
    const password = readFileSync('/run/secrets/database-password', 'utf8')
    const client = new pg.Client({ host: 'postgres', user: process.env.PGUSER, database: process.env.PGDATABASE, password, connectionTimeoutMillis: 4000, ...${configuration} })
    try {
      await client.connect()
      const { rows } = await client.query('select current_user u, current_database() d, ssl, version from pg_stat_ssl where pid = pg_backend_pid()')
      console.log(JSON.stringify(rows[0]))
      await client.end()
    } catch (error) { console.log(String(error.message || error.code)) }
    process.exit()`
  const container = `$(docker ps -q --filter label=botgarden.bot=${name})`
  return inside(`docker exec -w /app ${container} node --input-type=module -e ${quote(program)} 2>&1`)
}

test('it connects without TLS and with it, and not without its password', async () => {
  const who = { u: 'hello_bot', d: 'hello_bot' }
  assert.equal(JSON.parse(await query('{}')), { ...who, ssl: false, version: null })
  assert.equal(JSON.parse(await query('{ ssl: { rejectUnauthorized: false } }')), {
    ...who,
    ssl: true,
    version: 'TLSv1.3',
  })
  assert.match(await query("{ password: 'x' }"), /password authentication failed/)
})

/** How many clients the server has turned away; that it heard of one at all is in its log. */
const refusals = () => inside("docker logs botgarden-postgres 2>&1 | grep -cE 'FATAL|startup packet'")
/** What only the server says: beyond the host an address of a private network may lead anywhere. */
const strangers = /pg_hba|password|"u":/

test('it is let in as its own role to its own database, and as nobody else', async () => {
  const stranger = /no pg_hba.conf entry/
  const before = Number(await refusals())
  assert.match(await query("{ database: 'postgres' }"), stranger)
  assert.match(await query("{ user: 'postgres' }"), stranger)
  assert.match(await query("{ user: 'other_bot', database: 'other_bot' }"), stranger)
  assert.match(await query("{ database: 'template1', ssl: { rejectUnauthorized: false } }"), stranger)
  assert.is(Number(await refusals()), before + 4)
})

test('another bot reaches neither its database nor its way there, by TCP or by the socket', async () => {
  bots['other-bot'] = { host, source: model, database: { tcp: true } }
  assert.is((await deploy(['--name', 'other-bot'])).code, 0)
  assert.match(await answer('/start', 'other-bot'), /^Hello/)
  assert.is(JSON.parse(await query('{}', 'other-bot')).u, 'other_bot')
  const password = (await inside('cat /etc/botgarden/secrets/bots/hello-bot/database-password')).trim()
  // Even with the password: not by its own network, and the other one leads nowhere from here.
  const as = `user: 'hello_bot', database: 'hello_bot', password: '${password}'`
  assert.match(await query(`{ ${as} }`, 'other-bot'), /no pg_hba.conf entry for host "10.213.2.\d+", user "hello_bot"/)
  const before = await refusals()
  for (const address of ['10.213.1.4', '10.213.1.2', '10.213.1.3'])
    assert.not.match(await query(`{ host: '${address}', ${as} }`, 'other-bot'), strangers)
  assert.is(await refusals(), before)
  assert.match(
    await query("{ host: '/run/postgresql', database: 'hello_bot' }", 'other-bot'),
    /permission denied for database/,
  )
})

test('a bot that does not ask for it knows no postgres, and reaches none', async () => {
  bots['shop-bot'] = { host, source: model }
  assert.is((await deploy(['--name', 'shop-bot'])).code, 0)
  assert.match(await query('{}', 'shop-bot'), /ENOTFOUND|EAI_AGAIN/)
  const before = await refusals()
  for (const address of ['10.213.1.4', '10.213.2.4'])
    assert.not.match(await query(`{ host: '${address}' }`, 'shop-bot'), strangers)
  assert.is(await refusals(), before)
  assert.is(JSON.parse(await query("{ host: '/run/postgresql' }", 'shop-bot')).u, 'shop_bot')
})

test('nothing listens on the host, which is not in the network; the server reaches nobody by it', async () => {
  assert.is(await inside("ss -Hltn 'sport = :5432'"), '')
  assert.is(await inside('ip -4 -o address show dev br-db-1'), '')
  const before = await refusals()
  await inside("timeout 3 bash -c 'printf nonsense-of-the-host >/dev/tcp/10.213.1.4/5432; sleep 1'")
  assert.is(await refusals(), before)
  const from = (to: string, port: number) =>
    inside(`docker exec botgarden-postgres timeout 3 bash -c ': </dev/tcp/${to}/${port}' 2>&1; echo ended $?`)
  for (const [to, port] of [
    ['10.213.1.1', 443],
    ['10.210.1.1', 443],
    ['192.0.2.1', 443],
  ] as const)
    assert.match(await from(to, port), /ended (1|124)$/)
})

test('the server passes nothing on from one bot to another, not even for rights that no bot has', async () => {
  const other = await inside(
    'docker inspect -f \'{{(index .NetworkSettings.Networks "botgarden-other-bot.db").IPAddress}}\' $(docker ps -q --filter label=botgarden.bot=other-bot)',
  )
  assert.match(other, /^10\.213\.2\.[23]$/)
  const said = await inside(`
    docker run -d --name intruder --network botgarden-hello-bot.db --entrypoint sleep node:26.10-slim 60 >/dev/null
    pid=$(docker inspect -f '{{.State.Pid}}' intruder)
    nsenter -t $pid -n ip route add 10.213.2.0/28 via 10.213.1.4
    for to in 10.213.1.4/5432 ${other}/3000; do
      nsenter -t $pid -n timeout 3 bash -c ": </dev/tcp/$to" 2>/dev/null; echo "$to $?"
    done
    docker rm -f intruder >/dev/null`)
  assert.is(said, `10.213.1.4/5432 0\n${other}/3000 124`)
})

test('an extension is created, one that is not trusted is refused, and so are more connections than there are', async () => {
  const wanted = (more: object) => inventory({ 'other-bot': { host, source: model, database: { tcp: true, ...more } } })
  for (const [more, said] of [
    [{ extensions: ['dblink'] }, /database\.extensions: dblink: it is not one that PostgreSQL trusts/],
    [{ extensions: ['postgres_fdw'] }, /postgres_fdw: it is not one/],
    [{ extensions: ['file_fdw'] }, /file_fdw: it is not one/],
    [{ connections: 100 }, /100 are 200 while the bot is replaced, and of the \d+ of this host's server \d+ are left/],
  ] as const) {
    const refused = await deploy(['--name', 'other-bot'], wanted(more))
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, said)
    assert.equal(changed(refused), [])
  }
  const extended = wanted({ extensions: ['pg_trgm', 'uuid-ossp'], connections: 6 })
  assert.ok((await asChecked(['--name', 'other-bot'], extended)).includes('postgres-extensions:other_bot'))
  nothing(await deploy(['--name', 'other-bot'], extended))
  nothing(await site(extended))
  assert.is(await sql("select extowner::regrole from pg_extension where extname = 'pg_trgm'", 'other_bot'), 'other_bot')
  await sql('drop extension pg_trgm', 'other_bot')
  assert.equal(changed(await site(extended)), ['postgres-extensions:other_bot'])
  bots['other-bot'] = {
    host,
    source: model,
    database: { tcp: true, extensions: ['pg_trgm', 'uuid-ossp'], connections: 6 },
  }
})

const bot = () => inside("docker ps --filter label=botgarden.bot=hello-bot --format '{{.Names}}'")
for (const [drift, ids] of [
  [() => inside('docker network disconnect botgarden-hello-bot.db botgarden-postgres'), [server]],
  [
    () =>
      inside(
        'docker network disconnect botgarden-hello-bot.db botgarden-postgres; docker network connect botgarden-hello-bot.db botgarden-postgres',
      ),
    [server],
  ],
  [
    async () => inside(`docker network disconnect botgarden-hello-bot.db ${await bot()}`),
    ['attachment:botgarden-hello-bot.db/botgarden-hello-bot'],
  ],
  [() => inside(`rm ${access}`), [`file:${access}`, 'postgres-access:hello_bot']],
  [() => inside(`echo 'host all all all trust' >>${access}`), [`file:${access}`, 'postgres-access:hello_bot']],
  [() => sql('alter role hello_bot connection limit 3'), ['postgres-role:hello_bot']],
] as const)
  test(`a drift is seen by a check, and mended by a run: ${ids.join(', ')}`, async () => {
    await drift()
    assert.equal(resultOf(await site(), host).ids.sort(), [...ids].sort())
    nothing(await site())
    assert.is(JSON.parse(await query('{}')).u, 'hello_bot')
  })

test('a server that is made anew is connected again by the run that makes it', async () => {
  await inside('docker rm -f botgarden-postgres')
  const { ids } = resultOf(await site(), host)
  for (const id of ['container:botgarden-postgres', server, 'attachment:botgarden-other-bot.db/botgarden-postgres'])
    assert.ok(ids.includes(id), id)
  nothing(await site())
  assert.is(JSON.parse(await query('{}')).u, 'hello_bot')
  assert.is(JSON.parse(await query('{}', 'other-bot')).u, 'other_bot')
  assert.match(await answer('/start'), /^Hello/)
})

test('all of it comes back with a boot', async () => {
  await restartVps(host)
  const well = `[ "$(docker inspect -f '{{.State.Health.Status}}' botgarden-postgres botgarden-nginx | sort -u)" = healthy ]`
  await inside(`until ${well}; do sleep 0.2; done`)
  assert.match(await answer('/start'), /^Hello/)
  assert.is(JSON.parse(await query('{}')).u, 'hello_bot')
  assert.is(await inside('ip -4 -o address show dev br-db-1'), '')
  nothing(await site())
})

const shop = (database: object) => {
  const source = join(folder, 'shop')
  cpSync(model, source, { recursive: true, filter: (path) => !path.includes('node_modules') })
  return { 'shop-bot': { host, source, database } }
}

test('a script runs once, when the database is new; a failure says why, leaves nothing, and is tried again', async () => {
  assert.is((await deploy(['--name', 'shop-bot', '--remove', '--purge', '--yes'])).code, 0)
  const entry = shop({ init: 'init.sql' })
  const file = inventory(entry)
  const init = join(folder, 'shop/init.sql')
  for (const [text, said] of [
    [
      'create table goods (n int);\ninsert into goods values (1);\nselect nonsense;\n',
      /psql:\/init\.sql:3: ERROR: {2}column "nonsense"/,
    ],
    [
      'create table goods (n int);\n\\! id >/tmp/pwned\n',
      /psql:\/init\.sql:2: error: backslash commands are restricted/,
    ],
  ] as const) {
    writeFileSync(init, text)
    const failed = await deploy(['--name', 'shop-bot'], file)
    assert.is(failed.code, 3)
    assert.match(resultOf(failed, host).error, said)
    assert.match(resultOf(failed, host).error, /nothing was read into the database: it is as empty as it was/)
    assert.is(await sql("select count(*) from pg_tables where schemaname = 'public'", 'shop_bot'), '0')
  }
  writeFileSync(init, 'create table goods (n int);\ninsert into goods values (1);\n')
  const { ids } = resultOf(await deploy(['--name', 'shop-bot'], file), host)
  assert.ok(ids.includes('database-init:shop-bot') && ids.includes('release:shop-bot'))
  nothing(await deploy(['--name', 'shop-bot'], file))
  writeFileSync(init, 'insert into goods values (2);\n')
  assert.equal(changed(await deploy(['--name', 'shop-bot', '--check'], file)).includes('database-init:shop-bot'), false)
  assert.is(
    await sql('select count(*), tableowner from goods, pg_tables where tablename = $$goods$$ group by 2', 'shop_bot'),
    '1|shop_bot',
  )
  assert.is(await inside('docker ps -aq --filter name=client'), '')
})

const dump = (name: string, content: string) => {
  writeFileSync(join(folder, name), content)
  return join(folder, name)
}
const old = `--
-- PostgreSQL database dump
--
\\restrict oldKEY1
SET statement_timeout = 0;
SELECT pg_catalog.set_config('search_path', '', false);
CREATE TABLE public.orders (n integer, note text);
ALTER TABLE public.orders OWNER TO shop;
COPY public.orders (n, note) FROM stdin;
1	GRANT ALL ON TABLE x TO y;
2	\\\\! id
\\.
GRANT SELECT ON TABLE public.orders TO readers;
\\unrestrict oldKEY1
`

test('a dump comes in with the first release, without the owners of its old server; the same again changes nothing', async () => {
  const entry = inventory(shop({}))
  const refused = await deploy(['--name', 'shop-bot', '--import', dump('old.sql', old)], entry)
  assert.match(resultOf(refused, host).error, /--import fills a new database, and that of shop-bot has \d+ tables/)
  assert.is((await deploy(['--name', 'shop-bot', '--remove', '--yes'])).code, 0)

  const hostile = dump(
    'hostile.sql',
    old.replace('\\unrestrict oldKEY1\n', '\\unrestrict oldKEY1\n\\! id >/tmp/pwned\n'),
  )
  const attacked = await deploy(['--name', 'shop-bot', '--import', hostile], entry)
  assert.is(attacked.code, 3)
  assert.match(resultOf(attacked, host).error, /error: backslash commands are restricted/)
  assert.is(await inside('ls /tmp/pwned 2>/dev/null; docker exec botgarden-postgres ls /tmp'), '')

  const args = ['--name', 'shop-bot', '--import', dump('old.sql', old)]
  const ids = await asChecked(args, entry)
  assert.ok(ids.includes('database-import:shop-bot') && ids.includes('release:shop-bot'))
  const again = await deploy(args, entry)
  nothing(again)
  assert.equal(resultOf(again, host).outputs['shop-bot imported, rows'], ['public.orders 2'])
  assert.is(
    await sql('select string_agg(note, $$;$$ order by n) from orders', 'shop_bot'),
    'GRANT ALL ON TABLE x TO y;;\\! id',
  )
  assert.is(await inside('ls /var/lib/botgarden/incoming'), '')
  assert.match(await answer('/start', 'shop-bot'), /^Hello/)
})

test('an archive of pg_dump comes in too', async () => {
  const archive = join(folder, 'old.dump')
  const encoded = await inside('docker exec botgarden-postgres pg_dump -U postgres -Fc shop_bot | base64 --wrap=0')
  writeFileSync(archive, Buffer.from(encoded, 'base64'))
  assert.is((await deploy(['--name', 'shop-bot', '--remove', '--purge', '--yes'])).code, 0)
  const done = await deploy(['--name', 'shop-bot', '--import', archive], inventory(shop({ extensions: ['pg_trgm'] })))
  assert.is(done.code, 0, resultOf(done, host).error)
  assert.ok(resultOf(done, host).outputs['shop-bot imported, rows'].includes('public.orders 2'))
  assert.is(await sql("select tableowner from pg_tables where tablename = 'orders'", 'shop_bot'), 'shop_bot')
})

test('without TCP again, or with its bot, the network and the way in are gone', async () => {
  bots['hello-bot'] = { host }
  const ids = await asChecked(['--name', 'hello-bot'])
  assert.ok(ids.includes('tcp:hello-bot') && ids.includes('postgres-connections:hello_bot'))
  nothing(await site())
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await inside('docker network ls --filter name=hello-bot.db -q'), '')
  assert.is((await deploy(['--name', 'other-bot', '--remove', '--yes'])).code, 0)
  assert.is(await inside('docker network ls --filter name=.db -q; ls /opt/botgarden/postgres/conf/bots'), '')
  assert.is(await interfaces(), 'lo')
  const networks = '{{range $name, $each := .NetworkSettings.Networks}}{{$name}}{{end}}'
  assert.is(await inside(`docker inspect -f '${networks}' botgarden-postgres`), 'none')
  assert.is(await sql('select count(*) from pg_hba_file_rules where type <> $$local$$'), '0')
  nothing(await site(inventory({ 'shop-bot': { host, source: join(folder, 'shop') } })))
})

test.run()
