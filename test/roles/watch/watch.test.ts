import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { Secret } from '../../../lib/std/secret.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { watch } from '../../../roles/index.ts'
import { watchRole } from '../../../roles/watch/index.ts'
import { provedReading } from '../../../roles/watch/proof.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, planOf, scriptsOf, stateAfter, wantsOf } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const telegram = 'https://api.telegram.org'
const chat = { chat: 5, token: { env: 'WATCH_TOKEN' } }
const given = new Secret('7000:the-token-of-the-one-that-alerts')
const resourcesOf = (vars: object, token?: Secret, timers: readonly string[] = []) =>
  watchRole({ telegram, ...(token && { token }) }).resources(
    v.parse(watch.vars, vars),
    { ...facts, timers },
    {
      ...entry,
      domain: 'b.example.org',
      bots: [{ name: 'shop', where: 'x', settings: { domains: ['shop.example.org'] } }],
    },
  )

test('without a word in the inventory nothing is read of a host that was never watched', () => {
  assert.equal(resourcesOf({}), [])
  assert.equal(resourcesOf({}, undefined, ['botgarden-changes.timer']), [])
})

test('without its key a host that was watched is not any more', () => {
  const file = { type: 'file', mode: '0644', owner: 'root', group: 'root' }
  const state = { 'file:/etc/systemd/system/botgarden-watch.timer': file }
  const former = resourcesOf({}, undefined, ['botgarden-changes.timer', 'botgarden-watch.timer'])
  assert.equal(planOf(former, state), ['watch:absent: stop the watch and remove it'])
  assert.equal(planOf(former, stateAfter(former, state)), [])
  assert.match(scriptsOf(former, state).join('\n'), /rm -f .*watch-token .*botgarden-watch\.timer/)
})

test('the token comes first, then the program, then its message, and last the timer', () => {
  const plan = planOf(resourcesOf(chat, given), {})
  const at = (id: string) => plan.findIndex((line) => line.startsWith(id))
  const order = [
    'token:watch: install',
    'file:/opt/botgarden/watch/watch',
    'watch:message: send',
    'file:/etc/systemd/system/botgarden-watch.timer',
    'unit:botgarden-watch.timer: start',
  ]
  assert.equal(
    order.map(at).toSorted((a, b) => a - b),
    order.map(at),
  )
  assert.ok(
    order.every((id) => at(id) >= 0),
    plan.join('\n'),
  )
  assert.not.match(scriptsOf(resourcesOf(chat, given), {}).join('\n'), given.reveal())
})

test('what a run leaves is what the next one wants', () => {
  const resources = resourcesOf(chat, given)
  assert.equal(planOf(resources, stateAfter(resources, {})), [])
})

test('a host without a token says what it waits for', () => {
  assert.throws(() => planOf(resourcesOf(chat), {}), /watch\.token: this host has no token yet/)
})

test('another token or another chat has the message sent again, and nothing else has', () => {
  const resources = resourcesOf(chat, given)
  const settled = stateAfter(resources, {})
  const next = resourcesOf(chat, new Secret('7000:another-token-of-the-same-bot'))
  assert.equal(planOf(next, settled), ['token:watch: rotate', 'watch:message: send a message to where alerts go'])
  const ids = planOf(resourcesOf({ ...chat, chat: 6 }, given), settled)
  assert.ok(
    ids.some((line) => line.startsWith('watch:message')),
    ids.join('\n'),
  )
  const more = planOf(resourcesOf({ ...chat, thresholds: { disk: 80 } }, given), settled)
  assert.equal(more, ['file:/opt/botgarden/watch/watch: content'])
})

test('a url needs no token', () => {
  const plan = planOf(resourcesOf({ url: 'https://a.example/x' }), {})
  assert.not.ok(plan.some((line) => line.startsWith('token:')))
  assert.ok(plan.some((line) => line.startsWith('watch:message')))
})

test('the program knows the names that the host serves, and its file is for root alone', () => {
  const resources = resourcesOf(chat, given)
  assert.match(
    contentOf(resources, '/watch/watch'),
    /names='b\.example\.org shop\.example\.org' port=443 origin=https:\/\/b\.example\.org/,
  )
  const { mode } = wantsOf(resources, 'file:/opt/botgarden/watch/watch') as { mode: string }
  assert.is(mode, '0700')
})

test('the mark of the message holds for one token and one chat', async () => {
  const host = scratchHost()
  const proved = provedReading({ chat: 5 }, telegram)
  assert.is(await host.reads(proved), false)
  host.write('/etc/botgarden/secrets/watch-token', given.reveal())
  assert.is(await host.reads(proved), false)
  host.write('/var/lib/botgarden/watch/proved', `${proved.name} ${sha256Of(given.reveal())}\n`)
  assert.is(await host.reads(proved), true)
  assert.is(await host.reads(provedReading({ chat: 6 }, telegram)), false)
  host.write('/etc/botgarden/secrets/watch-token', 'another')
  assert.is(await host.reads(proved), false)
})

test('the message is sent by the program itself, and noted only where it was taken', async () => {
  const host = scratchHost()
  host.folder('/var/lib/botgarden/watch')
  host.install(
    '/opt/botgarden/watch/watch',
    '#!/bin/sh\necho "$*" >>"$STATE/told"; cat "$STATE/refuses" 2>/dev/null && exit 1; exit 0\n',
  )
  const resources = resourcesOf({ url: 'https://a.example/x' })
  const message = resources.find(({ id }) => id === 'watch:message')
  const [change] = message?.plan(() => false as never) ?? []
  host.note('refuses', 'Telegram refuses: chat not found\n')
  const refused = await host.run(change?.script ?? '')
  assert.equal([refused.code, refused.stdout], [1, 'Telegram refuses: chat not found\n'])
  assert.not.ok(host.there('/var/lib/botgarden/watch/proved'))
  await host.run('rm "$STATE/refuses"')
  assert.is((await host.run(change?.script ?? '')).code, 0)
  assert.is(host.noted('told'), '--prove\n--prove\n')
  assert.is(await host.reads(provedReading({ url: 'https://a.example/x' }, telegram)), true)
})

test.run()
