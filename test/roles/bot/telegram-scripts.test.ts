// What Telegram is told of a bot, and what of its answers: our scripts in a real sh, with a stand-in for curl.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { outputsOf } from '../../../lib/engine/plan.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { botStatus } from '../../../roles/bot/status.ts'
import { deliveryFunctions } from '../../../roles/bot/telegram/delivery.ts'
import { deleteWebhook, dropPending, restoreWebhook, setWebhook } from '../../../roles/bot/telegram/set-webhook.ts'
import { webhook } from '../../../roles/bot/telegram/webhook.ts'
import { type WebhookState, type WebhookTarget, webhookState } from '../../../roles/bot/telegram/webhook-state.ts'
import { changesOf, planOf, stateOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'
import { sha256 } from '../../support/sha256.ts'

const api = 'https://api.telegram.org'
const hook: WebhookTarget = {
  bot: 'hello',
  url: 'https://b.example.org/tg/hello',
  name: 'b.example.org',
  telegram: api,
  ask: true,
}
const spec = (more: Partial<Spec> = {}): Spec => ({ ...specOf('x:1', {}, {}), ...more })
const state = '/var/lib/botgarden/bots/hello'
const pem = '/etc/botgarden/tls/b.example.org/current/fullchain.pem'
const asked = (method: string) => `curl ${api}/bot11:token/${method}`
const plainForm = `"url=${hook.url}" "max_connections=10" "secret_token=the-secret"`
const mark = (host: ScratchHost) => (host.there(`${state}/webhook`) ? host.read(`${state}/webhook`) : undefined)

function hostWith(answers: Record<string, string> = {}): ScratchHost {
  const host = scratchHost()
  host.write('/etc/botgarden/secrets/bots/hello/token', '11:token')
  host.write('/etc/botgarden/secrets/bots/hello/webhook-secret', 'the-secret')
  host.folder(state)
  for (const [method, answer] of Object.entries(answers)) host.note(`telegram/${method}`, answer)
  return host
}

const folder = mkdtempSync(join(tmpdir(), 'telegram-test-'))
test.after(() => rmSync(folder, { recursive: true }))
function certificate(subject: string, issuer?: string): string {
  const to = join(folder, 'c.pem')
  const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-noenc']
  execFileSync(
    'openssl',
    [...make, '-subj', `/CN=${issuer ?? subject}`, '-keyout', join(folder, 'ca.key'), '-out', join(folder, 'ca.pem')],
    { stdio: 'ignore' },
  )
  const by = issuer === undefined ? [] : ['-CA', join(folder, 'ca.pem'), '-CAkey', join(folder, 'ca.key')]
  execFileSync('openssl', [...make, '-subj', `/CN=${subject}`, ...by, '-keyout', join(folder, 'k'), '-out', to], {
    stdio: 'ignore',
  })
  return readFileSync(to, 'utf8')
}

test('a webhook is set with its secret by stdin, and what it was set with is noted', async () => {
  const host = hostWith()
  const { code, output, calls } = await host.run(
    setWebhook(hook, spec({ allowedUpdates: ['message', 'callback_query'] }), false, 'mark'),
  )
  assert.is(code, 0, output)
  assert.equal(calls, [
    `${asked('setWebhook')} "url=${hook.url}" "max_connections=10" "allowed_updates=[\\"message\\",\\"callback_query\\"]" "secret_token=the-secret"`,
    `${asked('getWebhookInfo')} `,
  ])
  // The first half of what the secret's checksum is.
  assert.match(mark(host) ?? '', /^mark-[0-9a-f]{16}-$/)
  assert.is(setWebhook(hook, spec(), false, 'mark').shown, `setWebhook url=${hook.url}`)
})

test('what waits at Telegram must get through when a webhook was set', async () => {
  const info = (more: object) => JSON.stringify({ ok: true, result: { url: hook.url, ...more } })
  const error = {
    last_error_date: 99999999999,
    last_error_message: 'Wrong response from the webhook: 401 Unauthorized',
  }
  for (const [answer, code, said] of [
    [info({ pending_update_count: 0, ...error, last_error_date: 1 }), 0, ''],
    [
      info({ pending_update_count: 3 }),
      0,
      /^warning: 3 updates wait at Telegram, and none of them was delivered within 10 s$/m,
    ],
    [info({ pending_update_count: 3, ...error }), 1, /cannot deliver .*401 Unauthorized\n.*\$\{webhook.secret\}/],
    ['not JSON', 0, /delivery was not verified/],
  ] as const) {
    const host = hostWith({ getWebhookInfo: answer })
    const outcome = await host.run(setWebhook(hook, spec(), false, 'mark'))
    assert.is(outcome.code, code, outcome.output)
    assert.match(outcome.output, said)
    assert.match(mark(host) ?? '', /^mark-/, 'it is set, so the next run does not set it')
  }
})

test('what Telegram cannot deliver is an output of every run that asks', () => {
  const outputs = (answer: object, more: Partial<Spec> = {}) => {
    const record = { id: '1', colour: 'blue', by: 'me', secrets: {}, spec: spec(more) }
    const told = { mark: 'x', answer: { url: hook.url, ...answer } }
    return outputsOf(
      [webhook(hook)],
      stateOf([webhook(hook)], {
        [`webhook:hello ${api} ask`]: told,
        [`text:${state}/current.json`]: JSON.stringify(record),
      }),
    )
  }
  assert.equal(outputs({ pending: 2, error: 'connection refused' }), {
    'hello webhook': '2 updates wait at Telegram, which could not deliver: connection refused',
  })
  assert.equal([outputs({ pending: 2 }), outputs({ error: 'x' })], [{}, {}])
})

test('a certificate that signs itself goes along, and into the mark', async () => {
  const host = hostWith()
  host.write(pem, certificate('b.example.org'))
  const { calls } = await host.run(setWebhook(hook, spec(), true, 'mark'))
  assert.match(calls[0] ?? '', new RegExp(`${plainForm.replace(/[.+]/g, '.')} "certificate=@${pem}"$`))
  assert.match(mark(host) ?? '', /^mark-[0-9a-f]{16}-[0-9a-f]{16}$/)
})

for (const [what, answer, code, said, left] of [
  [
    'says no',
    '{"ok":false,"error_code":400,"description":"Bad Request: bad webhook"}',
    1,
    'Telegram: Bad Request: bad webhook\n',
    undefined,
  ],
  [
    'does not answer',
    'curl: (28) timeout for https://api.telegram.org/bot11:token/setWebhook',
    0,
    /^warning: Telegram does not answer: curl: \(28\) timeout for https:\/\/api.telegram.org\/bot\*\*\*\/setWebhook\n$/,
    'unreachable',
  ],
  [
    'has trouble of its own',
    '{"ok":false,"error_code":502,"description":"Bad Gateway"}',
    0,
    'warning: Telegram does not answer: Bad Gateway\n',
    'unreachable',
  ],
] as const)
  test(`a Telegram that ${what} when a webhook is set`, async () => {
    const host = hostWith({ setWebhook: answer })
    const ran = await host.run(setWebhook(hook, spec(), false, 'mark'))
    assert.is(ran.code, code)
    assert.match(ran.output, said)
    assert.is(mark(host), left)
  })

for (const [what, answer, code, said, left] of [
  ['does', '{"ok":true}', 0, /^$/, undefined],
  ['says no', '{"ok":false,"error_code":401,"description":"Unauthorized"}', 1, 'Telegram: Unauthorized\n', undefined],
  ['does not answer', 'nothing', 0, 'warning: Telegram does not answer: nothing\n', 'unreachable'],
] as const)
  test(`asked to forget a webhook, Telegram ${what}`, async () => {
    const host = hostWith({ deleteWebhook: answer })
    host.write(`${state}/webhook`, 'mark')
    const ran = await host.run(deleteWebhook(hook))
    assert.equal([ran.code, ran.calls.map((each) => each.trim())], [code, [asked('deleteWebhook')]])
    assert.match(ran.output, said)
    assert.is(mark(host), left)
    assert.is(deleteWebhook(hook).shown, 'deleteWebhook')
  })

for (const [what, pair, upload] of [
  ['an authority’s', ['b.example.org', 'Authority'], false],
  ['its own', ['b.example.org'], true],
] as const)
  test(`set again, with a certificate that is ${what}`, async () => {
    const host = hostWith()
    host.write(pem, certificate(pair[0], pair[1]))
    const { calls, output } = await host.run(restoreWebhook(hook, spec()))
    assert.is(calls[0], `${asked('setWebhook')} ${plainForm}${upload ? ` "certificate=@${pem}"` : ''}`)
    assert.is(output, '')
    assert.is(mark(host), undefined)
  })

test('one that is not set again is told', async () => {
  const host = hostWith({ setWebhook: 'nothing' })
  host.write(pem, certificate('b.example.org'))
  assert.match(
    (await host.run(restoreWebhook(hook, spec()))).output,
    'the webhook could not be set again: the next run sets it',
  )
})

for (const [mode, method] of [
  ['webhook', 'setWebhook'],
  ['polling', 'deleteWebhook'],
] as const)
  test(`what waits is dropped by the call that says how a bot gets its updates: ${mode}`, async () => {
    const host = hostWith({ [method]: '{"ok":true,"result":true}' })
    host.write(pem, certificate('b.example.org', 'Authority'))
    const { calls, stdout } = await host.run(dropPending(hook, spec({ mode })))
    assert.is(calls.length, 1)
    assert.match(calls[0] ?? '', `${asked(method)} `)
    assert.match(calls[0] ?? '', '"drop_pending_updates=true"')
    assert.is((calls[0] ?? '').includes('secret_token'), mode === 'webhook')
    assert.is(stdout, '{"ok":true,"result":true}')
  })

/** What is read of a webhook, with this mark and this answer. */
async function read(
  ask: boolean,
  { was, answer, released = true }: { was?: string; answer?: string; released?: boolean },
) {
  const host = hostWith(answer === undefined ? {} : { getWebhookInfo: answer })
  if (was !== undefined) host.write(`${state}/webhook`, was)
  if (released) host.write(`${state}/current.json`, '{}')
  const found = await host.reads(webhookState({ ...hook, ask }))
  return { found, asked: host.noted('asked.last') !== '' }
}
const isSet = '{"ok":true,"result":{"url":"https://b.example.org/tg/hello"}}'
for (const [what, ask, given, found, wasAsked] of [
  ['where that is wanted', true, { was: 'mark', answer: isSet }, { mark: 'mark', answer: { url: hook.url } }, true],
  ['not where all is well', false, { was: 'mark', answer: isSet }, { mark: 'mark', answer: 'not asked' }, false],
  [
    'where it did not answer the last time',
    false,
    { was: 'unreachable', answer: isSet },
    { mark: 'unreachable', answer: { url: hook.url } },
    true,
  ],
  ['not for a bot that was never released', true, { released: false }, { mark: '', answer: 'not asked' }, false],
  ['and refuses the token', true, { answer: '{"ok":false,"error_code":401}' }, { mark: '', answer: 'refused' }, true],
  ['and knows no such token', true, { answer: '{"ok":false,"error_code":404}' }, { mark: '', answer: 'refused' }, true],
  [
    'and has trouble of its own',
    true,
    { answer: '{"ok":false,"error_code":500}' },
    { mark: '', answer: 'unreachable' },
    true,
  ],
  ['and says nonsense', true, { answer: '<html>' }, { mark: '', answer: 'unreachable' }, true],
] as const)
  test(`Telegram is asked ${what}`, async () => {
    assert.equal(await read(ask, given), { found, asked: wasAsked })
  })

test('a Telegram out of reach is that, and is asked by stdin as ever', async () => {
  const host = hostWith()
  host.write(`${state}/current.json`, '{}')
  host.program('curl', 'cat >/dev/null; exit 28')
  assert.equal(await host.reads(webhookState(hook)), { mark: '', answer: 'unreachable' })
})

test('the URL that a bot sets is known as a whole, or up to what it appends, which no run prints', async () => {
  const said = async (url: string, how: string) => {
    const host = hostWith({ getWebhookInfo: JSON.stringify({ ok: true, result: { url } }) })
    const { code, output } = await host.run(sh`
      ${deliveryFunctions('hello', api, { webhook: 'bot' })}
      await_webhook ${hook.url} 1 ${how}`)
    return code === 0 ? 'set' : output.split('\n')[0]
  }
  assert.is(await said(hook.url, 'whole'), 'set')
  assert.is(await said(`${hook.url}/7:secret`, 'begin'), 'set')
  const missing = `the bot has not set its webhook to ${hook.url}/… within 1 s: Telegram has`
  assert.is(await said('https://x.example.org/7:secret', 'begin'), `${missing} https://x.example.org/…`)
  assert.is(await said(`${hook.url}-x/7:secret`, 'begin'), `${missing} https://b.example.org/…`)
  assert.is(await said('', 'begin'), `${missing} none`)
  assert.match((await said(`${hook.url}/x`, 'whole')) ?? '', `Telegram has ${hook.url}/x`)
})

test('several bots are asked each for itself', async () => {
  const host = hostWith({ getWebhookInfo: isSet })
  for (const bot of ['a', 'ab']) {
    host.write(`/var/lib/botgarden/bots/${bot}/webhook`, `mark-of-${bot}`)
    host.write(`/var/lib/botgarden/bots/${bot}/current.json`, '{}')
    host.write(`/etc/botgarden/secrets/bots/${bot}/token`, `1:${bot}`)
  }
  const { kind } = webhookState(hook)
  const names = [`ab ${api} ask`, `a ${api} trust`]
  const { stdout } = await host.run(kind.script(names), { args: [] })
  const found = kind.parse(stdout, names) as Map<string, WebhookState>
  assert.equal(found.get(names[0] ?? ''), { mark: 'mark-of-ab', answer: { url: hook.url } })
  assert.equal(found.get(names[1] ?? ''), { mark: 'mark-of-a', answer: 'not asked' })
})

const current = `text:${state}/current.json`
const release = (more: Partial<Spec> = {}) => ({
  [current]: JSON.stringify({ id: '1', spec: spec(more), colour: 'blue', secrets: {}, by: 'me' }),
})
const plan = (now: WebhookState, more: Record<string, unknown> = {}, ask = true) => {
  const given = { ...hook, ask }
  return planOf([webhook(given)], { ...release(), [webhookState(given).key]: now, ...more })
}

test('what was set with the same things stays, and anything else is set', async () => {
  const none: WebhookState = { mark: '', answer: 'not asked' }
  const secret = {
    'file:/etc/botgarden/secrets/bots/hello/webhook-secret': { type: 'file', sha256: 'ab'.repeat(32) },
  }
  const [line] = plan(none, secret)
  assert.is(line, `webhook:hello: set to ${hook.url}`)
  // What the script notes is what the plan expects.
  const host = hostWith()
  const sum = sha256('the-secret')
  const real = { 'file:/etc/botgarden/secrets/bots/hello/webhook-secret': { type: 'file', sha256: sum } }
  const [change] = changesOf([webhook(hook)], { ...release(), ...real, [webhookState(hook).key]: none })
  await host.run(change?.script ?? '')
  const noted: WebhookState = { mark: mark(host) ?? '', answer: 'not asked' }
  assert.equal(plan(noted, real), [])
  assert.equal(plan(noted, secret), [line], 'another secret')
  assert.equal(plan(noted, { ...real, ...release({ maxConnections: 11 }) }), [line])
  assert.equal(plan(noted, { ...real, ...release({ allowedUpdates: ['message'] }) }), [line])
  const own = { [`certificate:${hook.name}`]: { selfSigned: true, fingerprint: 'cd'.repeat(32) } }
  assert.equal(plan(noted, { ...real, ...own }), [line])
  assert.equal(plan(noted, { ...real, [`certificate:${hook.name}`]: { selfSigned: false, fingerprint: 'cd' } }), [])
  assert.equal(plan({ ...noted, answer: { url: hook.url } }, real), [])
  assert.equal(plan({ ...noted, answer: { url: 'https://elsewhere.example.org' } }, real), [
    'webhook:hello: set again: Telegram has a different URL',
  ])
  assert.equal(plan(none, { ...real, [current]: undefined }), [])
})

test('a token that is refused is an error of who deploys, and no matter of who looks after the host', () => {
  assert.throws(
    () => plan({ mark: 'x', answer: 'refused' }),
    /Telegram rejects the token of hello: check that it is complete and not revoked/,
  )
  assert.equal(plan({ mark: 'x', answer: 'refused' }, {}, false), [])
  assert.equal(plan({ mark: 'unreachable', answer: 'unreachable' }), [])
  assert.is(plan({ mark: 'x', answer: 'unreachable' }).length, 1)
})

for (const [what, now, more, told] of [
  [
    'not set',
    { mark: 'unreachable', answer: 'unreachable' },
    {},
    'not set: Telegram did not answer; the next run tries again',
  ],
  [
    'may still be set',
    { mark: 'unreachable', answer: 'unreachable' },
    { mode: 'polling' },
    'may still be set: Telegram did not answer; the next run tries again',
  ],
  ['refused', { mark: 'unreachable', answer: 'refused' }, {}, 'not set: Telegram rejects its token'],
  ['well', { mark: 'x', answer: 'not asked' }, {}, undefined],
] as const)
  test(`a run tells of a webhook that is ${what}`, () => {
    const resource = webhook(hook)
    const outputs = outputsOf([resource], stateOf([resource], { ...release(more), [webhookState(hook).key]: now }))
    assert.equal(outputs, told === undefined ? {} : { 'hello webhook': told })
  })

test('a run tells which release of each bot serves, what waits for its first, and whom nobody knows', async () => {
  const bots = ['one', 'two'].map((name) => ({ name, where: 'x', settings: {} }))
  const resource = botStatus(bots)
  const host = scratchHost()
  const outputs = async () => {
    const read = await Promise.all(resource.reads.map(async (each) => [each.key, await host.reads(each)] as const))
    return outputsOf([resource], stateOf([resource], Object.fromEntries(read)))
  }
  assert.equal(await outputs(), {
    notDeployed: ['one (npx zx playbooks/bot.ts --name one)', 'two (npx zx playbooks/bot.ts --name two)'],
  })
  const put = (bot: string, id: string, mode: 'webhook' | 'polling') =>
    host.write(
      `/var/lib/botgarden/bots/${bot}/current.json`,
      `${JSON.stringify({ id, colour: 'blue', by: 'me', secrets: {}, spec: specOf('a:1', { mode }, {}) })}\n`,
    )
  put('one', '7', 'webhook')
  put('other', '8', 'polling')
  assert.equal(await outputs(), {
    bots: ['one 7, webhook'],
    notDeployed: ['two (npx zx playbooks/bot.ts --name two)'],
    unknownBots: ['other, which is not in the inventory'],
  })
  host.write('/var/lib/botgarden/bots/one/current.json', '{"id":')
  assert.equal((await outputs()).bots, ['one its current.json cannot be read: it is not valid JSON'])
  assert.equal(planOf([resource], {}), [])
})

test.run()
