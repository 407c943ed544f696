import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { renewedServerSecrets } from '../../../../commands/update/rotate/server-secrets.ts'
import { botRole } from '../../../../roles/bot/index.ts'
import { renewedSecrets } from '../../../../roles/bot/renewal/resource.ts'
import { type Spec, specOf } from '../../../../roles/bot/spec/spec.ts'
import { entry, facts } from '../../../support/fake-host.ts'
import { changesOf, idsOf, planOf } from '../../../support/plan-of.ts'

const telegram = 'https://api.telegram.org'
const instance = { bot: 'hello', base: '10.210', telegram, origin: 'https://b.example.org' }
const hook = { bot: 'hello', url: 'https://b.example.org/tg/hello', name: 'b.example.org', telegram, ask: false }
const resource = renewedSecrets(instance, hook, () => ({ memoryMB: 160, cpus: 0.5 }), 100)
const all = { token: 1, KEY: 1, 'webhook-secret': 1, 'database-password': 1, 'cache-password': 1 }
const spec = (more: Partial<Spec> = {}) => ({ ...specOf('hello:1', {}, {}), ...more })

function state(kept: Record<string, number>, serving: Spec | undefined = spec()): Record<string, unknown> {
  return {
    'kept-secrets:hello': kept,
    'allocations:bots': { hello: 1 },
    ...(serving && {
      'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify({
        ...{ id: '1', spec: serving, colour: 'blue', secrets: { token: '' }, by: 'me' },
      }),
    }),
  }
}
const script = (kept: Record<string, number>, serving?: Spec) =>
  changesOf([resource], state(kept, serving))[0]?.script.text ?? ''

test('what the host has made and is older than the run is made anew, and nothing that the operator has given', () => {
  assert.match(
    planOf([resource], state(all))[0] ?? '',
    /: make webhook-secret, database-password, cache-password anew,/,
  )
  assert.match(
    planOf([resource], state({ ...all, 'webhook-secret': 100, 'cache-password': 101 }))[0] ?? '',
    /: make database-password anew,/,
  )
  assert.equal(planOf([resource], state({ token: 1, KEY: 1, 'database-password': 100 })), [])
})

test('a bot that was never released has nothing to start with them', () => {
  assert.equal(planOf([resource], { 'kept-secrets:hello': all, 'allocations:bots': { hello: 1 } }), [])
})

/** Where the containers are stopped, not where that is defined. */
const stops = /^ *stop_containers$/m

test('the bot is stopped before a secret changes, and starts when server and Telegram know it', () => {
  const text = script({ 'webhook-secret': 1, 'database-password': 1 })
  const calls = [
    /^ *no_job_runs$/m,
    stops,
    /mv -fT "\$secrets\/\$name\.new"/,
    /\\password "hello"/,
    / setWebhook$/m,
    /up --detach/,
  ]
  const places = calls.map((call) => text.search(call))
  assert.equal(
    places,
    [...places].sort((one, other) => one - other),
  )
  assert.ok(
    places.every((place) => place > 0),
    String(places),
  )
})

test('Telegram is asked before anything is changed, and only where the webhook is ours', () => {
  const webhook = { 'webhook-secret': 1 }
  assert.ok(script(webhook).indexOf('getWebhookInfo') < script(webhook).search(stops))
  for (const other of [spec({ mode: 'polling' }), spec({ webhook: 'bot' })])
    assert.not.match(script(webhook, other), / setWebhook$|nothing was changed'; exit 1 ;; esac$/m)
})

test('the password of a cache changes while it runs, so that it forgets nothing', () => {
  const text = script({ 'cache-password': 1 }, spec({ cache: { server: 'redis', memoryMB: 32 } }))
  assert.match(text, 'renew_cache botgarden-hello-cache redis-cli /etc/botgarden/secrets/bots/hello/cache/server.conf')
  assert.not.match(text, 'docker restart botgarden-hello-cache')
})

test('site.ts and bot.ts know nothing of it', () => {
  const vars = v.parse(botRole(new Map()).vars, {})
  const host = { ...entry, bots: [{ name: 'hello', where: 'x', settings: {} }] }
  const ids = (since?: number) =>
    idsOf(botRole(new Map(), since === undefined ? {} : { since }).resources(vars, facts, host))
  assert.not.ok(ids().includes('renewed-secrets:hello'))
  assert.ok(ids(1).includes('renewed-secrets:hello'))
})

test('the secrets of the server are made anew without a restart', () => {
  const server = renewedServerSecrets(100)
  const plan = (written: object) => planOf([server], { 'server-secrets:postgres': written })
  assert.match(plan({ superuser: 1, 'server.pem': 1 })[0] ?? '', /make superuser, server.pem anew; no bot has them/)
  assert.match(plan({ superuser: 1, 'server.pem': 100 })[0] ?? '', /make superuser anew; no bot has it/)
  assert.equal(plan({ superuser: 100, 'server.pem': 100 }), [])
  assert.equal(plan({}), [])
  const [change] = changesOf([server], { 'server-secrets:postgres': { superuser: 1, 'server.pem': 1 } })
  assert.not.match(change?.script.text ?? '', /docker (restart|stop)/)
})

test.run()
