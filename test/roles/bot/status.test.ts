// What a run of site.ts tells of the bots of a host, and by which ids programs know its parts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { botRole } from '../../../roles/bot/index.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { facts } from '../../support/fake-host.ts'
import { bare, deployment, hello, host, resourcesOf, served, vars } from '../../support/hello-bot.ts'
import { idsOf, stateOf } from '../../support/plan-of.ts'

// Whatever the version of an image is.
const ids = (given: Deployment | undefined) =>
  idsOf(resourcesOf(given)).map((id) => id.replace(/^(image:.*):[\d.]+$/, '$1'))
test('ids of site.ts', () =>
  assert.equal(ids(undefined), [
    'leftovers:restore',
    'directory:/opt/botgarden',
    'directory:/opt/botgarden/bots',
    'directory:/var/lib/botgarden/bots',
    'directory:/etc/botgarden/secrets/bots',
    'record:hello-bot',
    'image:valkey/valkey',
    'image:redis',
    'directory:/opt/botgarden/nginx/conf/sites',
    'file:/opt/botgarden/nginx/conf/sites/_types',
    'file:/opt/botgarden/nginx/conf/sites/_common.conf',
    'nginx:sites',
    'file:/opt/botgarden/nginx/conf/sites/hello-bot.conf',
    'allocation:hello-bot',
    'network:botgarden-hello-bot',
    'directory:/etc/botgarden/secrets/bots/hello-bot',
    'secret:/etc/botgarden/secrets/bots/hello-bot/webhook-secret',
    'secret:/etc/botgarden/secrets/bots/hello-bot/database-password',
    'command:pgpass-hello_bot',
    'token:hello-bot',
    'postgres-role:hello_bot',
    'postgres-database:hello_bot',
    'postgres-extensions:hello_bot',
    'directory:/opt/botgarden/postgres/conf/bots',
    'network:botgarden-hello-bot.db',
    'file:/opt/botgarden/postgres/conf/bots/hello-bot.conf',
    'postgres-access:hello_bot',
    'attachment:botgarden-hello-bot.db/botgarden-postgres',
    'data:hello-bot',
    'secret:/etc/botgarden/secrets/bots/hello-bot/cache-password',
    'directory:/etc/botgarden/secrets/bots/hello-bot/cache',
    'cache-config:hello-bot',
    'directory:/var/lib/botgarden/data/hello-bot/cache',
    'directory:/opt/botgarden/bots/hello-bot',
    'directory:/opt/botgarden/bots/hello-bot/cache',
    'file:/opt/botgarden/bots/hello-bot/cache/compose.yaml',
    'container:botgarden-hello-bot-cache',
    'release:hello-bot',
    'attachment:botgarden-hello-bot.db/botgarden-hello-bot',
    'tcp:hello-bot',
    'static:hello-bot',
    'file:/opt/botgarden/nginx/conf/bots/hello-bot.conf',
    'limits:hello-bot',
    'jobs:hello-bot',
    'cache:hello-bot',
    'nginx:config',
    'webhook:hello-bot',
    'secrets:hello-bot',
    'bots:told',
  ]))
test('ids of bot.ts', () =>
  assert.equal(ids(deployment()), [
    'leftovers:restore',
    'directory:/opt/botgarden',
    'directory:/opt/botgarden/bots',
    'directory:/var/lib/botgarden/bots',
    'directory:/etc/botgarden/secrets/bots',
    'record:hello-bot',
    'directory:/opt/botgarden/nginx/conf/sites',
    'file:/opt/botgarden/nginx/conf/sites/_types',
    'file:/opt/botgarden/nginx/conf/sites/_common.conf',
    'nginx:sites',
    'file:/opt/botgarden/nginx/conf/sites/hello-bot.conf',
    'allocation:hello-bot',
    'network:botgarden-hello-bot',
    'directory:/etc/botgarden/secrets/bots/hello-bot',
    'secret:/etc/botgarden/secrets/bots/hello-bot/webhook-secret',
    'secret:/etc/botgarden/secrets/bots/hello-bot/database-password',
    'command:pgpass-hello_bot',
    'token:hello-bot',
    'postgres-role:hello_bot',
    'postgres-database:hello_bot',
    'data:hello-bot',
    'release:hello-bot',
    'postgres-connections:hello_bot',
    'tcp:hello-bot',
    'static:hello-bot',
    'file:/opt/botgarden/nginx/conf/bots/hello-bot.conf',
    'limits:hello-bot',
    'jobs:hello-bot',
    'cache:hello-bot',
    'webhook:hello-bot',
    'nginx:config',
    'secrets:hello-bot',
    'bots:told',
  ]))

test('with several bots each has its webhook before the next one is begun, and with site.ts all at the end', () => {
  const other = { ...hello, name: 'other' }
  const of = (deployments: ReadonlyMap<string, Deployment>) =>
    idsOf(botRole(deployments).resources(vars, facts, { ...host, bots: [hello, other] })).filter((id) =>
      /^(release|webhook|nginx|site):/.test(id),
    )
  assert.equal(of(new Map()), [
    'nginx:sites',
    'release:hello-bot',
    'release:other',
    'nginx:config',
    'webhook:hello-bot',
    'webhook:other',
  ])
  assert.equal(
    of(
      new Map([
        ['hello-bot', deployment()],
        ['other', deployment()],
      ]),
    ),
    ['nginx:sites', 'release:hello-bot', 'webhook:hello-bot', 'release:other', 'webhook:other', 'nginx:config'],
  )
})

const otherHook = { 'webhook:other https://api.telegram.org trust': { mark: '', answer: 'not asked' } }
const told = (state: Record<string, unknown>, place: object = {}) => {
  const resources = resourcesOf(undefined, {}, place)
  return outputsOf(resources, stateOf(resources, { ...bare, ...state }))
}

test('told is what serves, what is not deployed, and what nobody knows', () => {
  const other = { ...hello, name: 'other' }
  assert.equal(
    told(
      { ...served(), ...otherHook, 'releases:bots': ['hello-bot', 'stranger'], 'releases:moved': [] },
      { bots: [hello, other] },
    ),
    {
      bots: ['hello-bot 20261124-120000-abc, webhook'],
      notDeployed: ['other (npx zx playbooks/bot.ts --name other)'],
      unknownBots: ['stranger, which is not in the inventory'],
    },
  )
  assert.equal(told({}), { notDeployed: ['hello-bot (npx zx playbooks/bot.ts --name hello-bot)'] })
})

test('secrets that the host has lost are told with what sets them again', () => {
  const kept = (names: object) => told({ ...served({ secrets: ['KEY'] }), 'kept-secrets:hello-bot': names })
  const serving = { bots: ['hello-bot 20261124-120000-abc, webhook'] }
  assert.equal(kept({ token: 1, KEY: 1 }), serving)
  assert.equal(kept({}), {
    'hello-bot has lost': 'token, KEY: set them again: npx zx playbooks/bot.ts --name hello-bot',
    ...serving,
  })
})

test.run()
