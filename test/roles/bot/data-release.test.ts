// What a switch of a bot does to its data, in a real sh: one writer at a time, a copy before, and that back where it fails.
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nginxReload } from '../../../lib/platform/nginx.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { locationText } from '../../../roles/bot/release/nginx-route.ts'
import { restartScript } from '../../../roles/bot/release/restart-script.ts'
import { switchScript } from '../../../roles/bot/release/switch-script.ts'
import type { Release } from '../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { limits, place, policy } from '../../support/release-policy.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

type Mode = 'webhook' | 'polling'
const instance = {
  ...{ bot: 'hello', number: 1, ...place },
}
const manifest = { migrate: ['node', 'migrate.ts'], health: '/readyz', data: ['/app/data'] }
const spec = (mode: Mode, image: string): Spec => specOf(image, { mode }, manifest, 'a')
const conf = '/opt/botgarden/nginx/conf'
const data = '/var/lib/botgarden/data/hello'
const file = `${data}/current/app=data/db`
const state = '/var/lib/botgarden/bots/hello'

/** A host where hello:1 serves, which has written `old`; a migration and the new version write what they are called. */
async function hostWith(mode: Mode): Promise<ScratchHost> {
  const host = scratchHost()
  for (const each of [
    '/run/botgarden/nginx',
    `${conf}/bots`,
    '/opt/botgarden/nginx/generations',
    '/opt/botgarden/bots',
  ])
    host.folder(each)
  host.write(`${conf}/nginx.conf`, 'include bots/*.conf;\n')
  for (const name of ['token', 'webhook-secret']) host.write(`/etc/botgarden/secrets/bots/hello/${name}`, `the-${name}`)
  for (const name of ['nginx', 'postgres', 'hello-blue']) host.container(`botgarden-${name}`)
  for (const image of ['hello:1', 'hello:2']) host.note(`images/${image}`, '')
  host.write(`${state}/current.json`, `${JSON.stringify(releaseOf(mode))}\n`)
  host.write(`${state}/releases`, `${JSON.stringify(releaseOf(mode))}\n`)
  host.write(file, 'old')
  if (mode === 'webhook') host.write(`${conf}/bots/hello.conf`, locationText('hello', '10.210.1.2', 3000, '/webhook'))
  assert.is((await host.run(nginxReload)).code, 0)
  // Who writes while another one runs is noted.
  const writes = `printf ' %s' "$4" >>${join(host.root, file)}; cat "$STATE"/containers/botgarden-hello-blue/status >>"$STATE/beside"`
  host.note('docker', `case "$1 $4" in 'compose run' | 'compose up') ${writes} ;; esac\n`)
  return host
}

function releaseOf(mode: Mode): Release {
  return { ...{ id: '1', spec: spec(mode, 'hello:1'), colour: 'blue', secrets: {}, by: 'me' } }
}

function switched(mode: Mode, more: Partial<Spec> = {}, migrates = true) {
  return switchScript({
    ...{ instance, spec: { ...spec(mode, 'hello:2'), ...more }, colour: 'green', old: releaseOf(mode), limits },
    ...{ oldContainerExists: true, policy: { ...policy, migrates }, secrets: ['token'] },
  })
}

const bots = (host: ScratchHost) => host.containers().filter((line) => line.includes('hello'))
const copies = (host: ScratchHost) => host.list(data).filter((name) => name.startsWith('before-'))

for (const mode of ['webhook', 'polling'] as const) {
  test(`${mode}: the old version is stopped before anything is copied or written, and the copy is recorded`, async () => {
    const host = await hostWith(mode)
    const { code, output, calls } = await host.run(switched(mode))
    assert.is(code, 0, output)
    assert.equal([host.read(file), bots(host)], ['old run up', ['botgarden-hello-green running always']])
    assert.is(host.noted('beside'), 'exitedexited')
    const [copy = ''] = copies(host)
    assert.is(host.read(`${data}/${copy}/app=data/db`), 'old')
    assert.is(JSON.parse(host.read(`${state}/current.json`)).copy, `${data}/${copy}`)
    assert.is(calls.filter((call) => call === 'docker stop --time 20 botgarden-hello-blue').length, 2)
  })

  for (const [what, spoil] of [
    ['its migration fails', (host: ScratchHost) => host.note('migration', 'no such column\n')],
    ['it does not start', (host: ScratchHost) => host.fails('compose .* up ')],
    ['it is never well', (host: ScratchHost) => host.note('health', '503\n')],
  ] as const)
    test(`${mode}: where ${what} the old version serves again, with the data as it was`, async () => {
      const host = await hostWith(mode)
      spoil(host)
      const { code, output } = await host.run(switched(mode))
      assert.is(code, 1)
      assert.equal([host.read(file), bots(host)], ['old', ['botgarden-hello-blue running always']], output)
      assert.match(
        output,
        `the data from before this release was put back; what the new version left of it is in ${data}/failed`,
      )
      assert.match(output, 'the previous version is still serving: hello:1')
      assert.equal(host.list(data), ['current', 'failed'])
    })
}

test('a version that nginx may still lead to keeps the data, and the old one is not started beside it', async () => {
  const host = await hostWith('webhook')
  const undeliverable = { url: 'x', last_error_date: 99999999999, last_error_message: 'refused' }
  host.note('telegram/getWebhookInfo', JSON.stringify({ ok: true, result: undeliverable }))
  host.note(
    'docker',
    `case "$*" in *'kill -HUP'*) [ -e "$STATE/once" ] && touch "$STATE/deaf"; touch "$STATE/once" ;; esac
     case "$1 $4" in 'compose up') printf ' up' >>${join(host.root, file)} ;; esac\n`,
  )
  const { code, output } = await host.run(switched('webhook'))
  assert.is(code, 1)
  assert.match(output, /nginx could not be reverted and may still route to the new version/)
  assert.equal(bots(host), ['botgarden-hello-blue exited no', 'botgarden-hello-green running always'])
  assert.is(host.read(file), 'old up')
})

test('the old version is not stopped where the disk has no room for a copy', async () => {
  const host = await hostWith('webhook')
  host.write(`${data}/before-20260101-000000.1/app=data/db`, 'older')
  host.write(`${data}/before-20260101-000000.2/app=data/db`, 'old')
  host.program('du', 'echo "5000	x"')
  host.program('df', 'echo Avail; echo 5299')
  const { code, output, calls } = await host.run(switched('webhook'))
  assert.is(code, 1)
  assert.match(
    output,
    /the data has 5000 MiB, .* that needs 5300 MiB of disk, and 5299 MiB are free: free some, and release again; the bot was left as it is/,
  )
  assert.not(calls.some((call) => call.includes('stop')))
  assert.equal([host.read(file), bots(host)], ['old', ['botgarden-hello-blue running always']])
  // Room is made before, but for the newest.
  assert.equal(copies(host), ['before-20260101-000000.2'])
})

test('a disk that fills up while it is copied has the old version back', async () => {
  const host = await hostWith('webhook')
  host.program('cp', 'mkdir "$4"; echo "cp: no space left" >&2; exit 1')
  const { code, output } = await host.run(switched('webhook'))
  assert.is(code, 1)
  assert.match(output, /no space left\nthe data could not be copied/)
  assert.equal(
    [host.read(file), bots(host), host.list(data)],
    ['old', ['botgarden-hello-blue running always'], ['current']],
  )
})

test('the newest three copies stay, by their number', async () => {
  const host = await hostWith('webhook')
  for (const number of [9, 10, 11]) host.write(`${data}/before-20260101-000000.${number}/x`, '')
  // A clock that went back.
  host.write(`${data}/before-20300101-000000.8/x`, '')
  assert.is((await host.run(switched('webhook', {}, false))).code, 0)
  assert.equal(
    copies(host)
      .map((name) => Number(name.split('.')[1]))
      .sort((a, b) => a - b),
    [10, 11, 12],
  )
})

test('shared data is neither copied nor a reason to stop anything', async () => {
  const host = await hostWith('webhook')
  const old: Release = { ...releaseOf('webhook'), spec: { ...spec('webhook', 'hello:1'), sharedData: true } }
  const script = switchScript({
    ...{ instance, spec: { ...spec('webhook', 'hello:2'), sharedData: true }, colour: 'green', old, limits },
    ...{ oldContainerExists: true, policy, secrets: [] },
  })
  const { code, output } = await host.run(script)
  assert.is(code, 0, output)
  assert.equal([host.noted('beside'), copies(host)], ['runningrunning', []])
})

test('a bot with data is started again only when nothing else of it runs', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-green')
  const { code, output, calls } = await host.run(
    restartScript(instance, releaseOf('webhook'), limits, { start: true, bind: false }),
  )
  assert.is(code, 0, output)
  const gone = calls.indexOf('docker rm -f --volumes botgarden-hello-green')
  assert.ok(gone >= 0 && gone < calls.findIndex((call) => / up --detach/.test(call)))
  assert.match(serviceFile(instance, 'blue', spec('webhook', 'hello:1'), limits).text, 'target: /app/data')
})

test('a release that was cut off after it had copied the data is told once, with the copy', async () => {
  const host = await hostWith('webhook')
  host.container('botgarden-hello-green', { restart: 'no' })
  host.folder(`${data}/before-20261126-080000.1`)
  const repair = () => host.run(restartScript(instance, releaseOf('webhook'), limits, { start: false, bind: false }))
  const first = await repair()
  assert.is(first.code, 0, first.output)
  assert.match(
    first.output,
    `may have written to the data; the data from before it is in ${data}/before-20261126-080000.1`,
  )
  assert.not.match((await repair()).output, 'cut off')
  // A copy of a release that was recorded is that release's.
  host.container('botgarden-hello-green', { restart: 'no' })
  host.write(`${state}/releases`, `{"copy":"${host.root}${data}/before-20261126-080000.1"}\n`)
  assert.not.match((await repair()).output, 'cut off')
})

test.run()
