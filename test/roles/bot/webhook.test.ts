import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { bot, botRole } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { locationText, originOf, webhookUrl } from '../../../roles/bot/release/nginx-route.ts'
import { conflictsIn } from '../../../roles/bot/spec/conflicts.ts'
import type { Spec } from '../../../roles/bot/spec/spec.ts'
import { facts } from '../../support/fake-host.ts'
import { deployment, host, plan, served, tokenFile, vars } from '../../support/hello-bot.ts'

test('a webhook that somebody took away is set again, and Telegram out of reach breaks no run', () => {
  const state = served()
  const ask = 'webhook:hello-bot https://api.telegram.org ask'
  const hook = (answer: unknown, mark = 'x') =>
    plan({ ...deployment(), token: undefined }, { ...state, [ask]: { mark, answer } }).filter((line) =>
      line.startsWith('webhook:'),
    )
  assert.equal(hook({ url: '' }), ['webhook:hello-bot: set to https://bots.example.org/tg/hello-bot'])
  assert.equal(hook('unreachable', 'unreachable'), [])
  assert.throws(() => hook('refused'), /Telegram rejects the token of hello-bot/)
})

test('a webhook that anybody has set is taken from a bot that asks for its updates itself', () => {
  const state = { ...served({ mode: 'polling' }, { token: 'x' }), [tokenFile]: { type: 'file', sha256: 'x' } }
  const hook = (mark: string, answer: unknown) =>
    plan(
      { ...deployment({ mode: 'polling' }), token: undefined },
      { ...state, 'webhook:hello-bot https://api.telegram.org ask': { mark, answer } },
    ).filter((line) => line.startsWith('webhook:'))
  const forget = ['webhook:hello-bot: delete the webhook: the bot polls for its updates']
  assert.equal(hook('', { url: 'https://elsewhere.example.org/' }), forget)
  assert.equal(hook('unreachable', { url: '' }), forget)
  for (const [mark, answer] of [
    ['', { url: '' }],
    ['', 'unreachable'],
    ['unreachable', 'unreachable'],
    ['', 'refused'],
  ] as const)
    assert.equal(hook(mark, answer), [])
})

test('a bot that sets its webhook itself is started again where Telegram has another one', () => {
  const state = { ...served({ webhook: 'bot' }, { token: 'x' }), [tokenFile]: { type: 'file', sha256: 'x' } }
  const own = (answer: unknown, more: object = {}) =>
    plan(
      { ...deployment({ webhook: 'bot' }), token: undefined },
      { ...state, 'webhook:hello-bot https://api.telegram.org ask': { mark: '', answer }, ...more },
    ).filter((line) => line.startsWith('webhook:'))
  const restart = 'webhook:hello-bot: restart the bot, which sets its webhook itself: Telegram has'
  assert.equal(own({ url: 'https://bots.example.org/tg/hello-bot' }), [])
  assert.equal(own({ url: '' }), [`${restart} none`])
  assert.equal(own({ url: 'https://elsewhere.example.org/' }), [`${restart} a different URL`])
  for (const answer of ['unreachable', 'not asked']) assert.equal(own(answer), [])
  const untrusted = {
    'certificate:bots.example.org': { names: [], selfSigned: true, keyMatches: true, fingerprint: 'f' },
  }
  assert.throws(() => own({ url: '' }, untrusted), /would not trust the certificate of this host/)
})

test('where Telegram cannot deliver to nothing is released', () => {
  const at = (name: string | undefined, more: Partial<Spec> = {}, telegram = 'https://api.telegram.org') => {
    const { domain: _, ...nameless } = host
    const role = botRole(new Map([['hello-bot', deployment(more)]]))
    const where = { ...facts, address: name ?? '' }
    return () => role.resources(v.parse(bot.vars, { telegram }), where, nameless)
  }
  for (const address of ['10.1.2.3', '172.31.0.1', '192.168.0.9', '100.64.0.1', '169.254.0.1', '127.0.0.1', undefined])
    assert.throws(at(address), /Telegram cannot deliver to hello-bot: this host has .*Set "domain:" of the host/)
  for (const address of ['192.0.2.1', '172.32.0.1', '100.128.0.1']) assert.not.throws(at(address))
  assert.not.throws(at('10.1.2.3', { mode: 'polling' }))
  assert.not.throws(at('10.1.2.3', {}, 'http://telegram.sandbox:8081'))
  const named = botRole(new Map([['hello-bot', deployment()]]))
  assert.not.throws(() => named.resources(vars, { ...facts, address: '10.1.2.3' }, host))
})

test('a token that was revoked can be rotated, though Telegram refuses the old one', () => {
  const ask = 'webhook:hello-bot https://api.telegram.org ask'
  const state = { ...served(), [tokenFile]: { type: 'file', sha256: 'old' } }
  const lines = plan(deployment(), { ...state, [ask]: { mark: 'x', answer: 'refused' } })
  assert.ok(lines.includes('token:hello-bot: rotate'))
  assert.ok(lines.includes('webhook:hello-bot: set to https://bots.example.org/tg/hello-bot'))
})

test('the address that Telegram is told has the port, unless it is the usual one', () => {
  assert.is(webhookUrl(originOf('b.example.org', 8443), 'a'), 'https://b.example.org:8443/tg/a')
  assert.is(webhookUrl(originOf('b.example.org', 443), 'a'), 'https://b.example.org/tg/a')
})

test('what a bot appends to its URL is passed on to it, and is in no log', () => {
  const text = locationText('hello-bot', '10.210.1.2', 3000, '/hook/*')
  assert.match(text, 'proxy_pass http://10.210.1.2:3000/hook/$appended$is_args$args;')
  assert.match(locationText('hello-bot', '10.210.1.2', 3000, '/*'), 'proxy_pass http://10.210.1.2:3000/$appended')
  // Taken off before a location is chosen: too large a body is refused there, and logged.
  assert.match(
    text,
    /^if \(\$uri ~ "\^\/tg\/hello-bot\/\(\?<appended>.*\)\\z"\) \{\n {4}rewrite \^ \/tg\/hello-bot last;/m,
  )
  const locations = text.split(/^(?=location)/m).slice(1)
  assert.is(locations.length, 2)
  for (const each of locations) assert.match(each, 'error_log /dev/null emerg;')
  assert.not.match(locationText('hello-bot', '10.210.1.2', 3000, '/hook'), /appended|error_log/)
})

test('the URL of a bot that appends something is known by its beginning', () => {
  const url = 'https://bots.example.org/tg/hello-bot'
  const ask = 'webhook:hello-bot https://api.telegram.org ask'
  const own = { webhook: 'bot', webhookPath: '/hook/*' } as const
  const hook = (webhookPath: string, set: string) =>
    plan(
      { ...deployment({ ...own, webhookPath }), token: undefined },
      {
        ...served({ ...own, webhookPath }, { token: 'x' }),
        [tokenFile]: { type: 'file', sha256: 'x' },
        [ask]: { mark: '', answer: { url: set } },
      },
    ).filter((line) => line.startsWith('webhook:')).length
  assert.equal(
    [url, `${url}/`, `${url}/123:abc`, `${url}-x/1`, 'https://x.example.org/1', ''].map((each) =>
      hook('/hook/*', each),
    ),
    [1, 1, 0, 1, 1, 1],
  )
  assert.equal(
    [url, `${url}/x`].map((each) => hook('/hook', each)),
    [0, 1],
  )
})

test('a path that ends in /* is for a bot that sets its webhook itself', () => {
  const { webhook: _, ...without } = deployment({ webhookPath: '/hook/*' }).spec
  assert.match(conflictsIn(without)[0] ?? '', 'webhookPath: /hook/* is for a bot that appends something to its URL')
  assert.equal(conflictsIn({ ...without, webhook: 'bot' }), [])
  const { text } = serviceFile(
    { bot: 'a', number: 1, base: '10.210', telegram: 'https://t', origin: 'https://b' },
    'blue',
    { ...without, webhook: 'bot', references: { HOOK: '${webhook.path}' } },
    { memoryMB: 1, cpus: 1 },
  )
  assert.match(text, 'WEBHOOK_PATH: /hook\n')
  assert.match(text, 'HOOK: /hook\n')
})

test.run()
