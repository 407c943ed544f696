// What each container may do, as Compose reads our files. That it is so where they run is seen on the sandbox.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { parse } from 'yaml'
import type { Resource } from '../../lib/model/resource.ts'
import { serviceFile } from '../../roles/bot/release/compose-file.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'
import { nginx, postgres } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { contentOf } from '../support/plan-of.ts'

const seat = {
  bot: 'hello-bot',
  number: 7,
  base: '10.210',
  telegram: 'https://api.telegram.org',
  origin: 'https://bots.example.org',
}
const limits = { memoryMB: 160, cpus: 0.5 }
const bot = (more: object = {}, colour: 'blue' | 'green' = 'blue') =>
  parse(serviceFile(seat, colour, specOf('hello:1', more, {}), limits).text)
const botService = (more: object = {}) => bot(more).services['botgarden-hello-bot-blue']
const service = (resources: readonly Resource[], name: string) =>
  parse(contentOf(resources, 'compose.yaml')).services[name]
const host = { ...entry, domain: 'bots.example.org' }
const edge = service(nginx.resources(v.parse(nginx.vars, {}), facts, host), 'botgarden-nginx')
const server = service(postgres.resources(v.parse(postgres.vars, {}), facts, host), 'botgarden-postgres')

for (const [name, each] of [
  ['a bot', botService()],
  ['nginx', edge],
  ['PostgreSQL', server],
] as const)
  test(`${name} runs with nothing that it has no use for`, () => {
    assert.equal(
      [each.read_only, each.cap_drop, each.security_opt, each.privileged, each.ports, each.expose],
      [true, ['ALL'], ['no-new-privileges:true'], undefined, undefined, undefined],
    )
    assert.ok(each.pids_limit > 0 && each.pids_limit <= 200)
    assert.is(each.mem_limit, each.memswap_limit)
    assert.match(each.tmpfs.join(), /^\/tmp:size=\d\dm,mode=1777$/)
  })

test('a bot: its own user, network and memory, and a start of its own only once it serves', () => {
  const { user, networks, mem_limit, cpus, pids_limit, restart, network_mode, stop_grace_period, labels, cap_add } =
    botService()
  assert.equal(
    [user, networks.bot.ipv4_address, mem_limit, cpus, pids_limit],
    ['20007:20007', '10.210.7.2', '160m', 0.5, 100],
  )
  assert.equal([restart, network_mode, stop_grace_period, cap_add], ['no', undefined, '20s', undefined])
  assert.is(labels['botgarden.bot'], 'hello-bot')
  assert.match(labels['botgarden.config'], /^[0-9a-f]{16}$/)
  assert.equal(bot().networks, { bot: { name: 'botgarden-hello-bot', external: true } })
  assert.is(bot({}, 'green').services['botgarden-hello-bot-green'].networks.bot.ipv4_address, '10.210.7.3')
  assert.is(
    serviceFile(seat, 'green', specOf('hello:1', {}, {}), limits).file,
    '/opt/botgarden/bots/hello-bot/green.yaml',
  )
})

test('a bot sees its secrets and the socket of its database, and may write to neither', () => {
  const mounts = (each: { volumes: object[] }) => each.volumes
  const readOnly = (source: string, target: string) => ({
    type: 'bind',
    source,
    target,
    read_only: true,
    bind: { create_host_path: false },
  })
  const secrets = readOnly('/etc/botgarden/secrets/bots/hello-bot', '/run/secrets')
  assert.equal(mounts(botService()), [secrets, readOnly('/run/botgarden/postgres', '/run/postgresql')])
  assert.equal(mounts(botService({ database: false })), [secrets])
})

/** As Compose does with what it reads: a variable of its own environment, which has none, and `$$` for a dollar sign. */
const interpolated = (text: string) => text.replace(/\$\$|\$\{\w+\}|\$\w+/g, (each) => (each === '$$' ? '$' : ''))

test('what stands in an environment reaches the bot as it is', () => {
  const environment = { PRICE: '5$', HOME_OF: '$HOME', DOUBLE: '$a$$', PLAIN: 'a b' }
  const { environment: given } = botService({ environment })
  for (const [name, value] of Object.entries(environment))
    assert.is(interpolated(given[name]), value.replaceAll('$$', '$'))
  assert.is(interpolated(botService({ environment: { BRACED: '$${HOME}' } }).environment.BRACED), '${HOME}')
})

test('what refers to no secret is in the compose file, and what does is only named there', () => {
  const environment = { HOOK: '${webhook.url}', SITE: 'see ${public.url}/x', KEY: 'a${token}', DB: '${database.url}' }
  const { text } = serviceFile(seat, 'blue', specOf('hello:1', { environment }, {}), limits)
  const { environment: given, env_file } = parse(text).services['botgarden-hello-bot-blue']
  assert.equal(
    [given.HOOK, given.SITE, given.KEY, given.DB],
    ['https://bots.example.org/tg/hello-bot', 'see https://bots.example.org/x', undefined, undefined],
  )
  assert.equal(env_file, ['/run/botgarden/variables/hello-bot-blue'])
  assert.is(botService().env_file, undefined, 'a bot without such variables has no such file')
})

test('a bot runs the command that it is given, with its dollars', () => {
  assert.is(botService().command, undefined)
  assert.equal(botService({ command: ['sh', '-c', 'echo $HOME'] }).command.map(interpolated), [
    'sh',
    '-c',
    'echo $HOME',
  ])
})

test('a bot is told by files what is secret, and by its environment what is not', () => {
  const plain = {
    ...{ BOT_NAME: 'hello-bot', BOT_MODE: 'webhook', BOT_TOKEN_FILE: '/run/secrets/token', PORT: '3000', HOME: '/tmp' },
    TELEGRAM_API_ROOT: 'https://api.telegram.org',
  }
  const hook = { WEBHOOK_SECRET_FILE: '/run/secrets/webhook-secret', WEBHOOK_PATH: '/webhook' }
  const database = {
    ...{ PGHOST: '/run/postgresql', PGUSER: 'hello_bot', PGDATABASE: 'hello_bot', PGPASSFILE: '/run/secrets/pgpass' },
    PGPASSWORD_FILE: '/run/secrets/database-password',
  }
  assert.equal(botService().environment, { ...plain, ...hook, ...database })
  assert.equal(botService({ mode: 'polling', database: false }).environment, { ...plain, BOT_MODE: 'polling' })
  const own = {
    database: false,
    mode: 'polling',
    port: 8080,
    secrets: { KEY: { env: 'X' } },
    environment: { PORT: '1' },
  }
  assert.equal(botService(own).environment, { ...plain, BOT_MODE: 'polling', PORT: '1', KEY_FILE: '/run/secrets/KEY' })
})

test('the checksum of a bot’s file is of its version, whatever it may take', () => {
  const of = (more: object, { memoryMB, cpus } = limits) =>
    serviceFile(seat, 'blue', specOf('hello:1', more, {}), { memoryMB, cpus }).checksum
  assert.is(of({}), of({}, { memoryMB: 9, cpus: 9 }))
  assert.is.not(of({}), of({ port: 1 }))
})

test('nginx: on the host’s network, with four capabilities and what it serves from', () => {
  assert.equal(edge.cap_add, ['NET_BIND_SERVICE', 'SETUID', 'SETGID', 'CHOWN'])
  assert.equal(
    [edge.network_mode, edge.restart, edge.mem_limit, edge.stop_signal],
    ['host', 'always', '96m', 'SIGQUIT'],
  )
  assert.equal(
    edge.volumes.map(({ source, target, read_only }: Record<string, unknown>) => [source, target, read_only]),
    [
      ['/opt/botgarden/nginx', '/etc/nginx', true],
      ['/etc/botgarden/tls', '/etc/botgarden/tls', true],
      ['/var/lib/botgarden/acme', '/var/lib/botgarden/acme', true],
      ['/run/botgarden/nginx', '/run/botgarden/nginx', false],
    ],
  )
  assert.equal(edge.entrypoint, ['/bin/sh', '-c'])
  assert.match(
    edge.command[0],
    /^rm -f \/run\/botgarden\/nginx\/\*\.sock; exec nginx -c \/etc\/nginx\/running\/nginx\.conf -g 'daemon off;'$/,
  )
  assert.equal(edge.healthcheck.test, ['CMD-SHELL', '[ -S /run/botgarden/nginx/status.sock ]'])
})

test('PostgreSQL: no network, the image’s own user, and its files where they are looked for', () => {
  assert.equal(
    [server.network_mode, server.networks, server.restart, server.user, server.cap_add],
    ['none', undefined, 'always', '999:999', undefined],
  )
  assert.equal(
    [server.mem_limit, server.shm_size, server.pids_limit, server.stop_grace_period],
    ['288m', '128mb', 110, '60s'],
  )
  assert.equal(
    server.volumes.map(({ source, target, read_only }: Record<string, unknown>) => [source, target, read_only]),
    [
      ['/var/lib/botgarden/postgres', '/var/lib/postgresql', false],
      ['/run/botgarden/postgres', '/run/postgresql', false],
      ['/opt/botgarden/postgres/conf', '/etc/postgresql', true],
      ['/etc/botgarden/secrets/postgres', '/run/secrets', true],
    ],
  )
  assert.equal(server.command, [
    ...['-c', 'config_file=/etc/postgresql/postgresql.conf', '-c', 'hba_file=/etc/postgresql/pg_hba.conf'],
  ])
  // No password: none of what the server starts may find one in its environment.
  assert.equal(server.environment, { PGPASSFILE: '/run/secrets/pgpass' })
})

test.run()
