// The lasting folders of a bot: what a plan says of them, and how they are made on a host.
import { chmodSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { faultOf, planAll } from '../../../lib/engine/plan.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { dataFolders, dataState } from '../../../roles/bot/data/folders.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { conflictsIn } from '../../../roles/bot/spec/conflicts.ts'
import { botSettings } from '../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { deployment, plan, resourcesOf, served, spec } from '../../support/hello-bot.ts'
import { changesOf, stateOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const root = '/var/lib/botgarden/data/hello-bot'

test('data is a list of folders, or says that several may write to them', () => {
  assert.equal(specOf('x:1', {}, { data: ['/b', '/a', '/b'] }).data, ['/a', '/b'])
  const shared = specOf('x:1', {}, { data: { paths: ['/a'], shared: true } })
  assert.equal([shared.data, shared.sharedData], [['/a'], true])
  assert.not('sharedData' in specOf('x:1', {}, { data: { paths: ['/a'], shared: false } }))
  for (const none of [{}, { data: [] }]) assert.not('data' in specOf('x:1', {}, none))
})

for (const data of [
  '/app',
  ['app'],
  ['/'],
  ['/tmp'],
  ['/a/../b'],
  ['/a,b'],
  ['/run/secrets/x'],
  { paths: [] },
  { shared: true },
])
  test(`refuses ${JSON.stringify(data)} as data`, () => assert.not(v.is(botSettings, { data })))

test('a folder that is emptied at every start, or is a part of another, is refused', () => {
  assert.equal(conflictsIn({ ...spec, data: ['/app/data', '/b'], scratch: ['/c'] }), [])
  const [scratch = '', nested = ''] = conflictsIn({ ...spec, data: ['/a', '/a/b'], scratch: ['/a'] })
  assert.match(scratch, /^data: \/a is under "scratch:" as well/)
  assert.match(nested, /^data: \/a\/b is a part of \/a/)
})

test('a container has its folders at their paths, and may write there', () => {
  const instance = { bot: 'hello-bot', number: 1, base: '10.210', telegram: 'x', origin: 'https://bots.example.org' }
  const { text } = serviceFile(instance, 'blue', { ...spec, data: ['/app/data'] }, { memoryMB: 160, cpus: 0.5 })
  assert.match(text, `source: ${root}/current/app=data\n        target: /app/data\n        read_only: false`)
})

test('a release makes its folders before it starts, and says what it stops', () => {
  const first = plan(deployment({ data: ['/app/data'] }))
  const made = first.indexOf('data:hello-bot: create /app/data')
  assert.ok(made >= 0 && made < first.indexOf('release:hello-bot: release botgarden/hello-bot:abc'))
  const serving = { 'container:botgarden-hello-bot-blue': { status: 'running', restart: 'always' } }
  const there = { 'data:hello-bot': { 'app=data': 20_001 } }
  const line = (more: object, before: object) =>
    plan(deployment({ ...more, port: 4000 }), { ...served(before), ...serving, ...there }).find((each) =>
      each.startsWith('release:'),
    ) ?? ''
  const stops = /stops the version before it, since one alone may write to the data, and copies that$/
  assert.match(line({ data: ['/app/data'] }, { data: ['/app/data'] }), stops)
  assert.match(line({}, { data: ['/app/data'] }), stops)
  assert.not.match(line({ data: ['/app/data'], sharedData: true }, {}), stops)
  assert.not.match(line({}, {}), stops)
})

test('data that is gone is neither made anew nor done without', () => {
  const before = served({ data: ['/app/data'] })
  assert.throws(
    () => plan(deployment({ data: ['/app/data'] }), before),
    /the data of hello-bot is gone: .*\/current\/app=data; nothing was changed; .*restore\.ts --name hello-bot/,
  )
  // Where nothing is released, the bot is left as it is, and the run ends with the reason.
  const resources = resourcesOf(undefined)
  const state = stateOf(resources, { ...before, 'kept-secrets:hello-bot': { token: 1 } })
  const planned = planAll(resources, new Map([...state, ...stateOf([], plainState)]))
  assert.match(
    faultOf(planned, new Map([...state, ...stateOf([], plainState)]))?.message ?? '',
    /the data of hello-bot is gone/,
  )
  assert.not(planned.some(({ status, resource }) => status === 'change' && /^(release|data):/.test(resource.id)))
  // A version that does not keep it any more may come.
  assert.ok(plan(deployment({ port: 4000 }), before).some((each) => each.startsWith('release:')))
})

const plainState = {
  'allocations:bots': { 'hello-bot': 1 },
  'routes:ipv4': [],
  'token-owners:bots': {},
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'nginx:config': { current: true, whole: true, inForce: true },
  'webhook:hello-bot https://api.telegram.org trust': { mark: '', answer: 'not asked' },
  'postgres:catalog': freshCatalog,
}

/** A host whose docker copies /app/data of the image from this folder; undefined: the image does not have it. */
function hostWith(
  files: ((folder: string) => void) | undefined,
  error = 'Could not find the file /app/data',
): ScratchHost {
  const host = scratchHost()
  if (files !== undefined) {
    mkdirSync(join(host.state, 'image'))
    files(join(host.state, 'image'))
  }
  host.note(
    'docker',
    `case "$1" in
    create) echo made; exit ;;
    cp) [ -d "$STATE/image" ] || { echo '${error}' >&2; exit 1; }; tar --create --directory "$STATE/image" .; exit ;;
    esac`,
  )
  return host
}

async function made(host: ScratchHost, data = ['/app/data']) {
  const [change] = changesOf([dataFolders('hello-bot', '20001', { ...spec, data })], {})
  return host.run(change?.script ?? '')
}

test('a folder begins with what the image has there, as the bot’s own', async () => {
  const host = hostWith((folder) => {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub/seed.json'), '{}')
    chmodSync(join(folder, 'sub/seed.json'), 0o4755)
    symlinkSync('/etc/passwd', join(folder, 'link'))
  })
  const { code, output, calls } = await made(host)
  assert.is(code, 0, output)
  assert.equal(host.list(`${root}/current/app=data`), ['link', 'sub'])
  assert.is(host.read(`${root}/current/app=data/sub/seed.json`), '{}')
  assert.is(statSync(join(host.root, root, 'current/app=data/sub/seed.json')).mode & 0o7000, 0)
  assert.is(host.mode(`${root}/current/app=data`), '700')
  assert.ok(calls.includes('docker create --pull never --network none botgarden/hello-bot:abc none'))
  assert.ok(calls.some((call) => /^setpriv --reuid \d+ .*--no-new-privs tar --extract/.test(call)))
  assert.ok(calls.includes('docker rm --force --volumes made'))
  assert.equal(host.list('/var/lib/botgarden/incoming'), [])
  const owner = statSync(join(host.root, root)).uid
  assert.equal(await host.reads(dataState('hello-bot')), { 'app=data': owner })
  assert.is(await host.reads(dataState('hello')), undefined)
})

test('an image that has no such folder begins with an empty one; one that cannot be read is an error', async () => {
  const host = hostWith(undefined)
  const { code, output } = await made(host, ['/app/data', '/more'])
  assert.is(code, 0, output)
  assert.equal(host.list(`${root}/current`), ['app=data', 'more'])
  const broken = hostWith(undefined, 'no space left on device')
  const failed = await made(broken)
  assert.is(failed.code, 1)
  assert.match(
    failed.output,
    /no space left on device\n.*\/app\/data of the image botgarden\/hello-bot:abc could not be copied/s,
  )
  assert.equal([broken.list(`${root}/current`), broken.list('/var/lib/botgarden/incoming')], [[], []])
})

test('a folder of another owner gets its own again', async () => {
  const resource = dataFolders('hello-bot', '20001', undefined)
  const state = { ...served({ data: ['/a', '/b'] }), 'data:hello-bot': { a: 0, b: 20_001 } }
  const changes = changesOf([resource], state)
  assert.equal(
    changes.map(({ summary }) => summary),
    ['owner of /a → 20001'],
  )
  assert.match(changes[0]?.script.text ?? '', `chown -R -h 20001:20001 ${root}/current/a`)
})

test('no bot with data costs no process', async () => {
  const host = scratchHost({ stat: 'exit 1' })
  assert.is(await host.reads(dataState('hello-bot')), undefined)
  assert.equal((await host.run(dataState('x').kind.script(['x']))).calls, [])
})

test.run()
