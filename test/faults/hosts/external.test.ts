// Needs two bare VPSs of its own: `external`, which has bots, and `managed`, whose PostgreSQL is somebody else's; and the sandbox's
// Telegram. A bot whose database is not on its host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { images } from '../../../lib/platform/image-versions.ts'
import { quote } from '../../../lib/shell/sh.ts'
import { freshVps, inVps, removeVps } from '../../../sandbox/index.ts'
import { inventoryOf, type Run, resultOf, run } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { outputIn } from '../../support/vps/inside.ts'

const [host, managed] = ['external', 'managed'] as const
const { tokens, inventory, deploy, site, hello, changed, inside, answer, begin } = botHost(host, ['hello-bot'])
// Each of these characters means something in a URL, a password file or a shell.
const password = 'a:b\\c@d/e%f $g\'h"i'
const image = images.postgres
const url = `postgresql://app@${managed}.sandbox/app`
const external = (more: object = {}, bot: object = { caFile: '/etc/ssl/managed-ca.crt' }) =>
  inventory(
    { 'hello-bot': { host, database: { external: { url, password: { env: 'MANAGED_PASSWORD' } } }, ...more } },
    undefined,
    bot,
  )
const withPassword = () => ({ ...tokens, MANAGED_PASSWORD: password })
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const there = async (sql: string) =>
  (await outputIn(managed)(`docker exec managed psql -XqAt -U postgres -d app -c ${quote(sql)}`)).trim()

test.before(async () => {
  await begin()
  await freshVps(managed)
  const engine = inventoryOf(managed, {}, { hosts: { [managed]: {} } })
  done(await run(['playbooks/site.ts', '-i', engine, '--tags', 'docker', '--json']))
  await outputIn(managed)(serverScript)
  const ca = await outputIn(managed)('cat /root/tls/ca.crt')
  await outputIn(host)(`printf %s ${quote(ca)} >/etc/ssl/managed-ca.crt; chmod 0644 /etc/ssl/managed-ca.crt`)
})
test.after(async () => {
  for (const name of [host, managed]) await removeVps(name)
})

test('the database of a bot is where its URL says, by TLS, and the host has none for it', async () => {
  const check = resultOf(await deploy(['--name', 'hello-bot', '--check'], external(), withPassword()), host)
  const result = await hello(external(), withPassword())
  done(result)
  assert.equal(changed(result).sort(), [...check.ids, ...check.unknownIds].sort())
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await there('select count(*) from users'), '1')
  assert.is(
    await there(
      "select distinct s.version from pg_stat_ssl s join pg_stat_activity a using (pid) where a.usename = 'app'",
    ),
    'TLSv1.3',
  )
  assert.not.match(await inside('docker exec botgarden-postgres psql -XqAt -U postgres -l'), /hello_bot/)
  const shown = `${result.stdout}${result.stderr}${await inside(
    'docker inspect botgarden-hello-bot-blue botgarden-hello-bot-green 2>/dev/null; cat /opt/botgarden/bots/hello-bot/*.yaml /var/lib/botgarden/bots/hello-bot/current.json',
  )}`
  assert.not(shown.includes('a:b'), 'the password is in files of the bot alone')
})

test('a second run changes nothing, also where this machine does not have the password', async () => {
  for (const result of [await hello(external(), withPassword()), await hello(external()), await site(external())]) {
    const { changed: count, unknown, roundTrips, error } = resultOf(result, host)
    assert.equal({ count, unknown, roundTrips, error }, { count: 0, unknown: 0, roundTrips: 1, error: undefined })
  }
})

test('the files and variables that a bot gets are right for libpq, as the URL is', async () => {
  const uid = await inside('stat -c %u /etc/botgarden/secrets/bots/hello-bot')
  const client = (more: string) =>
    inside(
      `docker run --rm -i --user ${uid} --network botgarden-hello-bot -v /etc/botgarden/secrets/bots/hello-bot:/run/secrets:ro -v /etc/ssl/managed-ca.crt:/ca.crt:ro -e PGSSLROOTCERT=/ca.crt ${more} 2>&1`,
    )
  const variables = `-e PGHOST=${managed}.sandbox -e PGUSER=app -e PGDATABASE=app -e PGSSLMODE=verify-full`
  const sql = quote("select 'as ' || user")
  assert.is(
    await client(`${variables} -e PGPASSFILE=/run/secrets/external-pgpass ${image} psql -XqAt -c ${sql}`),
    'as app',
  )

  const byUrl = external({ environment: { DATABASE_URL: '${database.url}' } })
  done(await hello(byUrl, withPassword()))
  assert.match(await answer('/start'), /^Hello/)
  const given = await inside(
    `docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' $(docker ps -q --filter label=botgarden.bot=hello-bot) | sed -n 's/^DATABASE_URL=//p'`,
  )
  assert.is(new URL(given).searchParams.get('sslmode'), 'verify-full')
  assert.is(decodeURIComponent(new URL(given).password), password)
  assert.is(await client(`${image} psql -XqAt -c ${sql} ${quote(given)}`), 'as app')
  done(await hello(external(), withPassword()))
})

test('a server that proves itself to nobody gets no password: the version before goes on serving', async () => {
  const unknown = await hello(external({ environment: { VERSION: '2' } }, {}), withPassword())
  assert.is(unknown.code, 3, unknown.stdout)
  const error = resultOf(unknown, host).error ?? ''
  assert.match(error, /unable to verify the first certificate/, error)
  assert.match(await answer('/start'), /^Hello/)
  done(await hello(external(), withPassword()))
})

test('--psql and --import say that it is elsewhere', async () => {
  const psql = await run(['playbooks/bot.ts', '-i', external(), '--name', 'hello-bot', '--psql'], withPassword())
  assert.is(psql.code, 1)
  assert.match(psql.stderr, /the database of hello-bot is on managed\.sandbox/)
})

test('with "database: true" again it has one of its host, and that of the provider is as it was', async () => {
  const users = await there('select count(*) from users')
  done(await hello(inventory({ 'hello-bot': { host } }), tokens))
  assert.match(await answer('/start'), /^Hello/)
  assert.is(await there('select count(*) from users'), users)
  assert.match((await inVps(host, 'docker exec botgarden-postgres psql -XqAt -U postgres -l')).stdout, /hello_bot/)
})

/** A server with a certificate of an authority of its own, that takes passwords by TLS alone. */
const serverScript = `
  set -eu
  mkdir -p /root/tls && cd /root/tls
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj /CN=${managed}.sandbox -keyout server.key -out server.csr 2>/dev/null
  printf 'subjectAltName=DNS:${managed}.sandbox\\n' >ext
  openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile ext -out server.crt 2>/dev/null
  printf 'local all all trust\\nhostssl all all all scram-sha-256\\n' >pg_hba.conf
  chown 999:999 server.key server.crt pg_hba.conf; chmod 0600 server.key
  docker run -d --name managed -p 5432:5432 -v /root/tls:/tls:ro -e POSTGRES_HOST_AUTH_METHOD=trust ${image} \
    -c ssl=on -c ssl_cert_file=/tls/server.crt -c ssl_key_file=/tls/server.key -c hba_file=/tls/pg_hba.conf >/dev/null
  until [ "$(docker exec managed cat /proc/1/comm)" = postgres ]; do sleep 0.5; done
  until docker exec managed psql -qAt -U postgres -c 'select 1' >/dev/null 2>&1; do sleep 0.5; done
  printf "create role app login password %s; create database app owner app;" ${quote(`'${password.replaceAll("'", "''")}'`)} >/root/tls/make.sql
  docker exec -i managed psql -v ON_ERROR_STOP=1 -q -U postgres </root/tls/make.sql`

test.run()
