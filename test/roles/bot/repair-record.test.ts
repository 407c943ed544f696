import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { history } from '../../../commands/deploy/releases.ts'
import { applyHost, checkHost } from '../../../lib/engine/converge.ts'
import { planAll } from '../../../lib/engine/plan.ts'
import type { Reading } from '../../../lib/model/reading.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { frames } from '../../../lib/ssh/framing.ts'
import { bot } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { repairedRecord, servingContainer } from '../../../roles/bot/release/repair-record.ts'
import { switchScript } from '../../../roles/bot/release/switch-script.ts'
import { corruption, parseRelease, type Release } from '../../../roles/bot/spec/release-record.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, stateOf } from '../../support/plan-of.ts'
import { place } from '../../support/release-policy.ts'
import { scratchHost } from '../../support/scratch-host.ts'
import { shell } from '../../support/shell.ts'

const limits = { memoryMB: 160, cpus: 0.5 }
const instance = {
  bot: 'hello-bot',
  ...place,
}
const releaseOf = (id: string, image: string, colour: 'blue' | 'green', more = {}): Release => ({
  ...{ id, spec: specOf(image, more, {}), colour, secrets: { token: 'x' }, by: 'ops@laptop', limits },
})
const [first, second, third] = [
  releaseOf('1', 'a:1', 'blue'),
  releaseOf('2', 'a:2', 'green'),
  releaseOf('3', 'a:1', 'blue', { environment: { X: '1' } }),
]
const lineOf = (release: Release) => JSON.stringify(release)
const past = (...releases: Release[]) => releases.map((each) => `${lineOf(each)}\n`).join('')
const checksumOf = ({ colour, spec }: Release) => serviceFile({ ...instance, number: 1 }, colour, spec, limits).checksum
const runs = (release: Release, config = checksumOf(release), running = true) => ({
  ...{ name: `/botgarden-hello-bot-${release.colour}`, running, restart: 'always', image: release.spec.image },
  ...{ labels: { 'botgarden.config': config }, polls: false },
})

const folders: string[] = []
test.after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true })
})

/** A host whose only bot has these files, and these containers by a stand-in for docker. */
function hostWith(files: Record<string, string>, containers: readonly ReturnType<typeof runs>[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'record-test-'))
  folders.push(folder)
  const state = join(folder, 'bots/hello-bot')
  mkdirSync(state, { recursive: true })
  writeFileSync(join(folder, 'allocations'), 'hello-bot 1\n')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(state, name), text)
  const inspected = join(folder, 'inspected')
  mkdirSync(inspected)
  for (const each of containers) appendFileSync(join(inspected, each.name), `${JSON.stringify(each)}\n`)
  const docker = `#!/bin/sh\nfor word; do [ ! -f "${inspected}/$word" ] || cat "${inspected}/$word"; done\n`
  writeFileSync(join(folder, 'docker'), docker)
  chmodSync(join(folder, 'docker'), 0o755)
  const here = (script: string) =>
    `export PATH="${folder}:$PATH"\nexec 9>${folder}/lock\n${script.replaceAll('/var/lib/botgarden', folder).replaceAll('/run/botgarden', `${folder}/run`)}`
  mkdirSync(join(folder, 'run'))
  const connection: Connection = {
    ...{ facts, roundTrips: 0, fresh: async () => connection, close: async () => {} },
    request: async (script, { mark, text }) => {
      const output = await shell(`(${here(script('N'))}\n) 2>&1; printf '\\036N done %s\\n' $?`)
      let status = 70
      frames('N', {
        mark: (words) => {
          if (words[0] === 'done') status = Number(words[1])
          else mark?.(words)
        },
        text: (bytes) => text?.(bytes),
      })(Buffer.from(output))
      return status
    },
  }
  return { connection, current: () => readFileSync(join(state, 'current.json'), 'utf8'), state, here }
}

const silent = { begin: () => {}, output: () => {}, waiting: () => {}, end: () => {} }
const claim = { holder: 'me', wait: false }

const shapes = [
  '',
  '\n',
  'null\n',
  '{}\n',
  '[]\n',
  '1\n',
  '"x"\n',
  '{"id":"1"}\n',
  `${lineOf(second).slice(0, 50)}`,
  `${lineOf(second).slice(0, -1)}`,
  '\0'.repeat(200),
  `${lineOf(second).replace('"port":3000', '"port":"x"')}\n`,
  `${lineOf(second).replace('webhook', 'other')}\n`,
  `${lineOf(second).replace('ops@', 'o\\u0000@')}\n`,
]

for (const torn of shapes) {
  const shown = JSON.stringify(torn.length > 60 ? `${torn.slice(0, 40)}…${torn.slice(-10)}` : torn)
  test(`a record that is torn is named, and healed from what runs: ${shown}`, async () => {
    assert.is(parseRelease(torn), undefined)
    assert.type(corruption(torn), 'string')
    const host = hostWith({ 'current.json': torn, releases: past(first, second) }, [runs(second)])
    const resources = [repairedRecord(instance, false)]
    const check = await checkHost(host.connection, resources, silent)
    assert.is(check.error, undefined)
    assert.match(
      check.changes[0]?.summary ?? '',
      /^recover current\.json, since it is .*: 2, which its container was created from$/,
    )
    assert.is(host.current(), torn, 'a check writes nothing')
    const { error, changes } = await applyHost(host.connection, resources, silent, claim)
    assert.is(error, undefined, error?.message)
    assert.is(changes.length, 1)
    assert.is(host.current(), `${lineOf(second)}\n`)
  })
}

test('a record is corrupt in whichever of its members it is', () => {
  const odd = { no: 'member of a record is like this' }
  const whole = JSON.parse(lineOf(first))
  assert.is(corruption(JSON.stringify(whole)), undefined)
  for (const key of ['id', 'colour', 'by', 'limits', 'dump', 'copy'])
    assert.match(corruption(JSON.stringify({ ...whole, [key]: odd })) ?? '', key)
  const members = [
    'image',
    'mode',
    'port',
    'health',
    'migrate',
    'migrations',
    'webhookPath',
    'allowedUpdates',
    'secrets',
  ]
  const added = [
    'maxConnections',
    'database',
    'tcp',
    'connections',
    'extensions',
    'command',
    'data',
    'sharedData',
    'cache',
  ]
  for (const key of [...members, ...added, 'webhook', 'init'])
    assert.match(corruption(JSON.stringify({ ...whole, spec: { ...whole.spec, [key]: odd } })) ?? '', `spec: ${key}`)
  for (const key of ['environment', 'references'])
    assert.match(corruption(JSON.stringify({ ...whole, spec: { ...whole.spec, [key]: 7 } })) ?? '', `spec: ${key}`)
})

for (const [what, releases, containers, wanted] of [
  [
    'what it was made from, though an older one is of that image and colour too',
    past(first, second, third),
    [runs(third)],
    '3',
  ],
  ['the older of two of an image, where its container says so', past(first, second, third), [runs(first)], '1'],
  [
    'the one that runs, beside what a cut release left',
    past(first, second),
    [runs(second), runs(first, '', false)],
    '2',
  ],
  ['the last, where another botgarden has made its container', past(first, second), [runs(second, 'other')], '2'],
  ['one that is stopped', past(first, second), [runs(second, checksumOf(second), false)], '2'],
  ['a whole line before a torn one', `${past(first, second)}{"id":"3","sp`, [runs(second)], '2'],
  ['a whole line after a torn one', `${lineOf(first).slice(0, 80)}\n${past(second)}`, [runs(second)], '2'],
  [
    'nothing where a line is glued to a torn one',
    `${lineOf(first).slice(0, 80)}${past(second)}`,
    [runs(second)],
    undefined,
  ],
  ['nothing where nothing is there', past(first, second), [], undefined],
  ['nothing where both run', past(first, second), [runs(first), runs(second)], undefined],
  ['nothing where nobody knows of the releases', '', [runs(second)], undefined],
  [
    'nothing where another image runs',
    past(first, second),
    [runs({ ...second, spec: specOf('a:9', {}, {}) })],
    undefined,
  ],
  [
    'nothing where what was made elsewhere is not the last',
    past(first, second, third),
    [runs(second, 'other')],
    undefined,
  ],
] as const)
  test(`a torn record is healed from ${what}`, async () => {
    const host = hostWith({ 'current.json': '{"id":', releases }, containers)
    const { error } = await applyHost(host.connection, [repairedRecord(instance, false)], silent, claim)
    if (wanted !== undefined) {
      assert.is(error, undefined, error?.message)
      assert.is(parseRelease(host.current())?.id, wanted)
      return
    }
    assert.match(
      error?.message ?? '',
      /bots\/hello-bot\/current\.json: it is not valid JSON, .*npx zx playbooks\/bot\.ts --name hello-bot/,
    )
    assert.is(error?.exitCode, 3)
    assert.is(host.current(), '{"id":')
    const releasing = await applyHost(host.connection, [repairedRecord(instance, true)], silent, claim)
    assert.is(releasing.error, undefined, 'a release replaces it')
  })

test('a record that is gone is healed from the releases, if what serves says which', async () => {
  const host = hostWith({ releases: past(first, second) }, [runs(second)])
  const { error } = await applyHost(host.connection, [repairedRecord(instance, false)], silent, claim)
  assert.is(error, undefined, error?.message)
  assert.is(parseRelease(host.current())?.id, '2')
})

test('a record that is gone with all of them is told, and a release replaces it', async () => {
  const host = hostWith({}, [runs(second)])
  const { error, changes } = await applyHost(host.connection, [repairedRecord(instance, false)], silent, claim)
  assert.match(error?.message ?? '', /current\.json: it is missing, .*npx zx playbooks\/bot\.ts --name hello-bot/)
  assert.equal([error?.exitCode, changes], [3, []])
  assert.is((await applyHost(host.connection, [repairedRecord(instance, true)], silent, claim)).error, undefined)
})

for (const [what, containers] of [
  ['nothing runs', []],
  ['a first release was cut', [{ ...runs(first), restart: 'no' }]],
] as const)
  test(`a record that never was is not missed where ${what}`, async () => {
    const { connection } = hostWith({}, containers)
    const { error, changes } = await applyHost(connection, [repairedRecord(instance, false)], silent, claim)
    assert.equal([error, changes], [undefined, []])
  })

for (const [what, containers, wanted] of [
  ['the one that runs', [runs(second)], 'green'],
  ['the one that every boot brings back', [runs(first), { ...runs(second), restart: 'no' }], 'blue'],
  ['none where that is two', [runs(first), runs(second)], undefined],
] as const)
  test(`what serves is ${what}`, () => {
    const found = containers.map(({ name: _, ...each }, i) => ({
      ...{ ...each, colour: i === 0 && containers.length > 1 ? ('blue' as const) : ('green' as const) },
    }))
    assert.is(servingContainer({ past: '', containers: found })?.colour, wanted)
  })

test('a record that is whole is asked no further', async () => {
  const host = hostWith({ 'current.json': past(second), releases: past(first, second) })
  const { connection, here } = host
  const { kind, name } = repairedRecord(instance, false).reads.find(({ key }) => key.startsWith('record:')) as Reading
  assert.is(await shell(here(kind.script([name]).text)), '')
  const { error, changes } = await applyHost(connection, [repairedRecord(instance, false)], silent, claim)
  assert.equal([error, changes], [undefined, []])
})

test('one torn record stops neither another bot nor the host', async () => {
  const bots = ['hello-bot', 'other-bot'].map((name) => ({ name, where: 'x', settings: {} }))
  const host = { ...entry, domain: 'b.example.org', bots }
  const state = {
    'allocations:bots': { 'hello-bot': 1, 'other-bot': 2 },
    'text:/var/lib/botgarden/bots/hello-bot/current.json': 'null\n',
    'text:/var/lib/botgarden/bots/other-bot/current.json': lineOf(first),
    ...{
      'releases:bots': [],
      'releases:moved': [],
      'token-owners:bots': {},
      'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
    },
    ...{ 'nginx:config': { current: true, whole: true, inForce: true }, 'routes:ipv4': [] },
    'postgres:catalog': { roles: {}, databases: {}, pendingRestart: [], extensions: [], config: undefined },
    'file:/etc/botgarden/secrets/bots/other-bot/token': { type: 'file' },
    'kept-secrets:other-bot': { token: 0 },
    ...Object.fromEntries(
      bots.map(({ name }) => [`webhook:${name} https://api.telegram.org trust`, { mark: '', answer: 'not asked' }]),
    ),
  }
  const changed = (role: typeof bot) => {
    const resources = role.resources(v.parse(bot.vars, {}), facts, host)
    return planAll(resources, stateOf(resources, state)).flatMap(({ resource, status }) =>
      status === 'ok' ? [] : [resource.id],
    )
  }
  assert.ok(changed(bot).includes('release:other-bot'))
  assert.equal(
    changed(bot).filter((id) => id.includes('hello')),
    [],
  )
})

test('the history leaves out what is no whole record, and says so', async () => {
  const releases = `${past(first)}${lineOf(second).slice(0, 90)}\n${past(third)}`
  const { connection } = hostWith({ 'current.json': '{', releases })
  const said: string[] = []
  const all = await history('hello-bot', connection, (line) => said.push(line))
  assert.equal(
    all.map(({ id, serving }) => [id, serving]),
    [
      ['3', true],
      ['1', false],
    ],
  )
  assert.match(said.join('\n'), /releases: 1 line is not valid and left out\n.*current\.json: it is not valid JSON/)
})

test('what is recorded joins no line that was cut before, and takes none along', async () => {
  const { state, here } = hostWith({
    releases: `${past(first)}${lineOf(second).slice(0, 90)}`,
    'current.json': past(first),
  })
  const { text } = switchScript({
    ...{
      instance: { ...instance, number: 1 },
      spec: third.spec,
      colour: 'green',
      old: first,
      oldContainerExists: true,
      limits,
      secrets: [],
    },
    policy: {
      ...{ limits: () => limits, settle: 1, drain: 1, keep: 3, by: 'me', migrates: false, bots: 1, startsAtOnce: 2 },
      hook: { bot: 'hello-bot', url: '', name: '', telegram: '', ask: false },
    },
  })
  const [, functions = ''] = /^( *state=.*)^ *revert_switch\(\)/ms.exec(text) ?? []
  const [call = ''] = /^ *record_release .*$/m.exec(text.slice(text.indexOf('trap revert_switch EXIT'))) ?? []
  execFileSync('sh', ['-e'], { input: here(`dump=\n${functions}\n${call}\n`) })
  const lines = readFileSync(join(state, 'releases'), 'utf8').split('\n')
  assert.is(lines.length, 4)
  assert.is(lines[2], readFileSync(join(state, 'current.json'), 'utf8').trimEnd())
  assert.is(parseRelease(lines[2])?.spec.image, 'a:1')
})

test('a record comes to the disk before it takes the place of the torn one, and so does its folder', async () => {
  const state = { 'text:/var/lib/botgarden/bots/hello-bot/current.json': '{', 'allocations:bots': { 'hello-bot': 1 } }
  const { name: _, ...container } = runs(second)
  const found = { past: past(first, second), containers: [{ ...container, colour: 'green' }] }
  const [change] = changesOf([repairedRecord(instance, false)], { ...state, 'record:hello-bot': found })
  const host = scratchHost()
  host.write('/var/lib/botgarden/bots/hello-bot/current.json', '{')
  const { code, output, calls } = await host.run(change?.script ?? '')
  assert.is(code, 0, output)
  const folder = '/var/lib/botgarden/bots/hello-bot'
  assert.equal(calls, [`sync ${folder}/current.json.new`, `sync ${folder}`])
  assert.equal([host.read(`${folder}/current.json`), host.list(folder)], [past(second), ['current.json']])
})

test.run()
