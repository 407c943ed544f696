import { createHash } from 'node:crypto'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { bot, botRole } from '../../../roles/bot/index.ts'
import { facts } from '../../support/fake-host.ts'
import { bare, deployment, hello, host, plan, served, tokenFile, vars } from '../../support/hello-bot.ts'
import { planOf, scriptsOf, stateAfter, stateOf } from '../../support/plan-of.ts'

test('a first release is known to the last detail before anything of it is there', () => {
  assert.equal(plan(deployment()), [
    'allocation:hello-bot: network 10.210.1.0/24, user 20001',
    'network:botgarden-hello-bot: create, 10.210.1.0/24',
    'secret:/etc/botgarden/secrets/bots/hello-bot/webhook-secret: generate',
    'secret:/etc/botgarden/secrets/bots/hello-bot/database-password: generate',
    'command:pgpass-hello_bot: write /etc/botgarden/secrets/bots/hello-bot/pgpass',
    'token:hello-bot: install',
    'postgres-role:hello_bot: create',
    'postgres-database:hello_bot: create',
    'release:hello-bot: release botgarden/hello-bot:abc',
    'file:/opt/botgarden/nginx/conf/bots/hello-bot.conf: comes-with release:hello-bot',
    'webhook:hello-bot: set to https://bots.example.org/tg/hello-bot',
  ])
})

test('where a host has a standby nothing is released until its gate is open', () => {
  const role = botRole(new Map([['hello-bot', deployment()]]))
  const resources = role.resources(vars, facts, { ...host, vars: { postgres: { standby: 'vps2' } } })
  assert.throws(
    () => planOf(resources, bare),
    /^the gate of .* is not open, .*npx zx playbooks\/site\.ts makes and opens it/,
  )
  const folder = { type: 'directory', mode: '0700', owner: 'root', group: 'root' }
  const open = planOf(resources, { ...bare, 'file:/run/botgarden/gate/bots': folder })
  assert.ok(open.includes('release:hello-bot: release botgarden/hello-bot:abc'))
})

test('a domain is served when the host has something to serve it with, which the other roles bring', () => {
  const own = { ...hello, settings: { ...hello.settings, domains: ['shop.example.org'] } }
  const resources = bot.resources(vars, facts, { ...host, bots: [own] })
  const [site, folder] = ['/opt/botgarden/nginx/conf/sites/hello-bot.conf', 'file:/etc/botgarden/tls/shop.example.org']
  assert.throws(
    () => planOf(resources, bare),
    /^shop\.example\.org of hello-bot is new on this host, .*: run npx zx playbooks\/site\.ts without --tags first$/,
  )
  const there = { ...bare, [folder]: { type: 'directory', mode: '0700', owner: 'root', group: 'root' } }
  assert.ok(planOf(resources, there).includes(`file:${site}: create`))
  // What is as it should be needs nothing.
  const after = stateAfter(resources, there)
  assert.equal(
    planOf(resources, { ...after, [folder]: 'absent' }).filter((line) => line.includes(site)),
    [],
  )
})

test('a bot has its webhook before the next one, which may fail, is begun', () => {
  const both = { ...host, bots: [hello, { ...hello, name: 'next-bot' }] }
  const next = { ...deployment(), token: new Secret('654321:another-token-of-a-bot-in-a-test') }
  const role = botRole(
    new Map([
      ['hello-bot', deployment()],
      ['next-bot', next],
    ]),
  )
  const hook = { mark: '', answer: 'not asked' }
  const lines = planOf(role.resources(vars, facts, both), {
    ...bare,
    'webhook:next-bot https://api.telegram.org ask': hook,
  })
  const at = (id: string) => lines.findIndex((line) => line.startsWith(id))
  assert.ok(at('release:hello-bot') < at('webhook:hello-bot'))
  assert.ok(at('webhook:hello-bot') < at('release:next-bot'), lines.join('\n'))
  assert.ok(at('webhook:next-bot') > at('release:next-bot'))
})

const serving = { status: 'running', health: '', config: '', restart: 'always', memoryMB: 160, cpus: 0.5, startedAt: 5 }
const reasonOf = (more: Record<string, unknown>) =>
  plan(undefined, { ...served(), ...more }).find((line) => line.startsWith('release:'))

test('what serves is started again where a folder that it has mounted is gone, or a secret of the host is newer than it', () => {
  const secrets = '/etc/botgarden/secrets/bots/hello-bot'
  const blue = 'container:botgarden-hello-bot-blue'
  const made = (mode: string) => ({ type: 'file', mode, owner: '20001', group: '20001', sha256: 'x' })
  const files = Object.fromEntries(
    ['webhook-secret', 'database-password'].map((name) => [`file:${secrets}/${name}`, made('0400')]),
  )
  const kept = { token: 9, 'webhook-secret': 1, 'database-password': 2 }
  const again = 'release:hello-bot: restart, since'
  const there = { ...files, [blue]: serving, 'kept-secrets:hello-bot': kept }
  assert.is(
    reasonOf({ ...there, [blue]: { ...serving, stale: [secrets] } }),
    `${again} ${secrets} is not the folder that its container has mounted`,
  )
  const newer = { ...kept, 'webhook-secret': 6 }
  assert.is(
    reasonOf({ ...there, 'kept-secrets:hello-bot': newer }),
    `${again} webhook-secret is newer than its container`,
  )
  assert.is(
    reasonOf({ ...there, [`file:${secrets}/database-password`]: 'absent' }),
    `${again} database-password is newer than its container`,
  )
  const empty = { ...made('0400'), sha256: createHash('sha256').digest('hex') }
  assert.is(
    reasonOf({ ...there, [`file:${secrets}/webhook-secret`]: empty }),
    `${again} webhook-secret is newer than its container`,
  )
  // It is not as its release says here: that a token is newer is none of site.ts's business.
  assert.is(reasonOf(there), `${again} its container differs from its release`)
})

test('a bot whose token is lost is left as it runs by site.ts, which says who brings it back', () => {
  const state = { ...bare, ...served(), [tokenFile]: 'absent', 'kept-secrets:hello-bot': {} }
  const resources = bot.resources(vars, facts, host)
  assert.equal(
    planOf(resources, state).filter((line) => !line.startsWith('directory:')),
    [],
  )
  const told = outputsOf(resources, stateOf(resources, state))
  assert.is(told['hello-bot has lost'], 'token: set them again: npx zx playbooks/bot.ts --name hello-bot')
})

test('a token is never shown, and two bots on a host never share one', () => {
  const all = botRole(new Map([['hello-bot', deployment()]])).resources(vars, facts, host)
  const shown = scriptsOf(all, bare).join('\n')
  assert.not.match(shown, 'a-token-of-a-bot')
  assert.throws(
    () => plan(deployment(), { 'token-owners:bots': { other: '123456' } }),
    /hello-bot and other, .* use the same token of bot 123456/,
  )
  assert.throws(() => plan({ ...deployment(), token: undefined }), /hello-bot has no token: set HELLO_BOT_TOKEN/)
})

test.run()
