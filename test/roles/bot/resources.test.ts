// The resources of the role, and its vars.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { bot } from '../../../roles/bot/index.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { bare, deployment, plan, resourcesOf, served } from '../../support/hello-bot.ts'
import { changesOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const ids = (given: Deployment | undefined) => resourcesOf(given).map(({ id }) => id)

test('a host without bots has nothing of them', () =>
  assert.equal(
    resourcesOf(undefined, {}, { bots: [] }).map(({ id }) => id),
    ['bots:told'],
  ))

test('a bot’s resources, each after what it needs', () => {
  const wanted = [
    ...['/opt/botgarden', '/opt/botgarden/bots', '/var/lib/botgarden/bots', '/etc/botgarden/secrets/bots'].map(
      (each) => `directory:${each}`,
    ),
    ...['allocation:hello-bot', 'network:botgarden-hello-bot', 'directory:/etc/botgarden/secrets/bots/hello-bot'],
    ...['webhook-secret', 'database-password'].map((each) => `secret:/etc/botgarden/secrets/bots/hello-bot/${each}`),
    ...[
      'command:pgpass-hello_bot',
      'token:hello-bot',
      'postgres-role:hello_bot',
      'postgres-database:hello_bot',
      'release:hello-bot',
    ],
    ...[
      'file:/opt/botgarden/nginx/conf/bots/hello-bot.conf',
      'limits:hello-bot',
      'webhook:hello-bot',
      'nginx:config',
      'bots:told',
    ],
  ]
  assert.equal(
    ids(deployment()).filter((id) => wanted.includes(id)),
    wanted,
  )
  const secret = deployment({}, { secrets: new Map([['KEY', undefined]]) })
  assert.ok(ids(secret).includes('secret:hello-bot/KEY'))
  const none = ids(deployment({ database: false }))
  for (const id of [
    'postgres-role:hello_bot',
    'postgres-database:hello_bot',
    'command:pgpass-hello_bot',
    'secret:/etc/botgarden/secrets/bots/hello-bot/database-password',
  ])
    assert.not.ok(none.includes(id), id)
})

test('folders and the role of a bot are its own, and no more', () => {
  const wants = Object.fromEntries(resourcesOf(deployment()).map(({ id, wants: each }) => [id, each]))
  assert.equal(wants['directory:/var/lib/botgarden/bots'], { mode: '0700', owner: 'root', group: 'root' })
  assert.equal(wants['directory:/etc/botgarden/secrets/bots'], { mode: '0700', owner: 'root', group: 'root' })
  assert.equal(wants['directory:/etc/botgarden/secrets/bots/hello-bot'], {
    mode: '0500',
    owner: '20001',
    group: '20001',
  })
  assert.equal(wants['postgres-role:hello_bot'], {
    ...{ passwordFile: '/etc/botgarden/secrets/bots/hello-bot/database-password', connectionLimit: 8 },
    settings: { statement_timeout: '30s', lock_timeout: '10s', idle_in_transaction_session_timeout: '30s' },
  })
  assert.equal(wants['postgres-database:hello_bot'], { owner: 'hello_bot' })
  assert.is(wants['webhook:hello-bot'], 'https://bots.example.org/tg/hello-bot')
})

test('what belongs to a bot is its user’s, by its number', async () => {
  const numbered = {
    'allocations:bots': { 'hello-bot': 3 },
    'network:botgarden-hello-bot': { subnet: '10.210.3.0/24', number: 3 },
  }
  const folder = '/etc/botgarden/secrets/bots/hello-bot'
  const own = resourcesOf(deployment()).filter(
    ({ id }) => id === `directory:${folder}` || id.startsWith(`secret:${folder}/`),
  )
  const host = scratchHost()
  host.folder('/etc/botgarden/secrets/bots')
  const owners: string[] = []
  for (const { script } of changesOf(own, { ...bare, ...numbered })) {
    const { code, output, calls } = await host.run(script)
    assert.is(code, 0, output)
    owners.push(...calls.filter((call) => call.startsWith('chown')).map((call) => call.replace(/\.new.*/, '')))
  }
  assert.equal(owners, [
    `chown 20003:20003 ${folder}`,
    `chown 20003:20003 ${folder}/webhook-secret`,
    `chown 20003:20003 ${folder}/database-password`,
  ])
})

test('without a deployment a bot is looked after only where it was released, and its database only where it has one', () => {
  assert.equal(plan(undefined), [])
  assert.ok(plan(undefined, served()).some((line) => line.startsWith('postgres-role:hello_bot')))
  const without = plan(undefined, served({ database: false }))
  assert.not.ok(without.some((line) => /postgres|database-password|pgpass/.test(line)))
  assert.ok(without.some((line) => line.includes('webhook-secret')))
})

for (const [more, fine] of [
  [{}, true],
  [{ network: '10.9' }, true],
  [{ network: '10.1000' }, false],
  [{ network: '192.168' }, false],
  [{ telegram: 'http://t:8081' }, true],
  [{ telegram: 'https://t/x' }, false],
  [{ telegram: 't' }, false],
  [{ settle: 0, drain: 600 }, true],
  [{ settle: -1 }, false],
  [{ drain: 601 }, false],
  [{ drain: 1.5 }, false],
  [{ keep: 1 }, true],
  [{ keep: 0 }, false],
  [{ keep: 51 }, false],
  [{ registries: { r: { username: 'a', password: { env: 'A' } } } }, true],
  [{ registries: { r: { username: '', password: { env: 'A' } } } }, false],
  [{ registries: { r: { username: 'a', password: 'plain' } } }, false],
  [{ nonsense: 1 }, false],
] as const)
  test(`${fine ? 'takes' : 'refuses'} bot: ${JSON.stringify(more)}`, () => assert.is(v.is(bot.vars, more), fine))

test('what is usual: twenty seconds to settle, thirty to drain, three images', () =>
  assert.equal(v.parse(bot.vars, {}), {
    ...{ network: '10.210', telegram: 'https://api.telegram.org', settle: 20, drain: 30, registries: {}, keep: 3 },
  }))

test.run()
