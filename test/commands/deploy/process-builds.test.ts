// The images of processes: built from the source of their bot, each by a name of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadBot } from '../../../commands/deploy/load-bot.ts'
import { historyText, selectRelease } from '../../../commands/deploy/releases.ts'
import { botImage } from '../../../roles/bot/image.ts'
import { buildsOf } from '../../../roles/bot/spec/deployment.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'

const folder = mkdtempSync(join(tmpdir(), 'process-builds-'))
test.after(() => rmSync(folder, { recursive: true }))
let sources = 0
function source(manifest: string, files: Record<string, string> = {}): string {
  const path = mkdtempSync(join(folder, `${sources++}-`))
  const all = { Dockerfile: 'FROM x\n', 'api.Dockerfile': 'FROM y\n', 'bot.yaml': manifest, ...files }
  for (const [name, text] of Object.entries(all)) writeFileSync(join(path, name), text)
  return path
}
const load = (settings: object) => loadBot({ name: 'shop', where: 'x.yaml:9:3', settings })

test('one that says how it is built has an image of its own, any other that of its bot', async () => {
  const manifest = `
target: bot
args: { A: 1 }
processes:
  api: { dockerfile: api.Dockerfile, args: { B: 2 } }
  worker: { command: [w] }
`
  const path = source(manifest)
  const deployment = await load({ source: path })
  const { spec, context, builds = [] } = deployment
  assert.is(spec.processes?.worker?.image, spec.image)
  assert.match(spec.processes?.api?.image ?? '', /^botgarden\/shop\.api:[0-9a-f]{12}$/)
  assert.equal(context?.options, ['--target', 'bot', '--build-arg', 'A=1'])
  // What it does not say is as of its bot.
  assert.equal(builds[0]?.context.options, [
    ...['--file', 'api.Dockerfile', '--target', 'bot', '--build-arg', 'A=1', '--build-arg', 'B=2'],
  ])
  assert.equal(
    buildsOf(deployment).map(({ image }) => image),
    [spec.image, spec.processes?.api?.image],
  )
  assert.equal(
    botImage(deployment, facts).map(({ id }) => id),
    [`image:${spec.image}`, `image:${spec.processes?.api?.image}`],
  )
  const other = await load({ source: source(manifest, { 'app.js': 'x' }) })
  assert.not.equal(other.spec.processes?.api?.image, spec.processes?.api?.image)
})

test('a bot without one builds what it did', async () => {
  const { builds } = await load({ source: source('processes: { worker: { command: [w] } }\n') })
  assert.is(builds, undefined)
})

for (const [what, settings, message] of [
  [
    'a process of a published image that is built',
    { image: 'x:1', processes: { api: { dockerfile: 'a' } } },
    /^x\.yaml:9:3: bots\.shop\.processes\.api\.dockerfile: a published image is not built/,
  ],
  [
    'a Dockerfile that is not there',
    { source: source('port: 1\n'), processes: { api: { dockerfile: 'none' } } },
    /bots\.shop\.processes\.api: .* has no none/,
  ],
  [
    'a second container of the bot itself',
    { image: 'x:1', processes: { api: { port: 1 } } },
    /bots\.shop\.processes\.api: would be a second container of the bot itself/,
  ],
  [
    'a reference to no process',
    { image: 'x:1', environment: { A: '${process.api.url}' } },
    /bots\.shop\.environment\.A: \$\{process\.api\.url\} has no value, since the bot has no process api/,
  ],
] as const)
  test(`refused: ${what}`, () => rejects(load(settings), message))

test('a release whose process has lost its image cannot be gone back to, and one with another image is an earlier version', () => {
  const spec = (api: string) => specOf('a:1', {}, { processes: { api: { target: 'x' } } }, undefined, { api })
  const entry = (id: string, api: string, hasImage = true) => ({
    ...{ id, spec: spec(api), colour: 'blue' as const, secrets: {}, by: 'me', serving: id === '3', hasImage },
  })
  const past = [entry('3', 'api:2'), entry('2', 'api:2'), entry('1', 'api:1')]
  assert.is(selectRelease('shop', past, undefined).id, '1')
  assert.throws(
    () => selectRelease('shop', [...past.slice(0, 2), entry('1', 'api:1', false)], '1'),
    /no longer on the host/,
  )
  assert.match(historyText(past), /^\* 3 /)
})

test.run()
