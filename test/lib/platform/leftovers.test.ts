import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { noLeftovers } from '../../../lib/platform/leftovers.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { changesOf, planOf, stateAfter } from '../../support/plan-of.ts'
import { scratchHost } from '../../support/scratch-host.ts'
import { shell } from '../../support/shell.ts'

const clean = {
  'left-files:restore': { busy: false, paths: [] },
  'postgres:catalog': freshCatalog,
  'container:botgarden-drill': 'absent',
}
const dump = '/var/lib/botgarden/incoming/ab12.dump'
const role = { attributes: ['LOGIN'], connectionLimit: -1, settings: {}, memberOf: [] }
const database = { owner: 'hello', grantees: ['hello'] }

test('where nothing is left there is nothing to do, nor where no server runs', () => {
  assert.equal(planOf([noLeftovers()], clean), [])
  assert.equal(planOf([noLeftovers()], { ...clean, 'postgres:catalog': undefined }), [])
})

for (const [what, state, told] of [
  ['a dump in plain', { 'left-files:restore': { busy: false, paths: [dump] } }, 'incoming/ab12.dump'],
  [
    'the database that it was read into',
    {
      'postgres:catalog': {
        ...freshCatalog,
        databases: { ...freshCatalog.databases, 'botgarden-restoring': database },
      },
    },
    'database botgarden-restoring',
  ],
  [
    'the role that read it, which can log in',
    { 'postgres:catalog': { ...freshCatalog, roles: { ...freshCatalog.roles, 'botgarden-reader': role } } },
    'role botgarden-reader',
  ],
  ['the server of a drill', { 'container:botgarden-drill': { status: 'running' } }, 'container botgarden-drill'],
] as const)
  test(`a cut restore has left ${what}: the next run removes it, and says so`, () =>
    assert.equal(planOf([noLeftovers()], { ...clean, ...state }), [
      `leftovers:restore: remove what an interrupted run has left: ${told}`,
    ]))

test('only what is left is removed', async () => {
  const host = scratchHost()
  const removed = async (state: object) => {
    host.write(dump, 'x')
    host.write('/var/lib/botgarden/incoming/other', 'x')
    host.container('botgarden-postgres')
    host.container('botgarden-drill')
    host.note('sql', '')
    const [change] = changesOf([noLeftovers()], { ...clean, ...state })
    const { code, output, calls } = await host.run(change?.script ?? '')
    assert.is(code, 0, output)
    const gone = host.there(dump) ? [] : ['dump']
    return [
      ...gone,
      ...calls.map((line) => line.split(' ').slice(0, 2).join(' ')),
      ...(host.noted('sql').match(/drop role[^;]*/) ?? []),
    ]
  }
  assert.equal(await removed({ 'left-files:restore': { busy: false, paths: [dump] } }), ['dump'])
  assert.ok(host.there('/var/lib/botgarden/incoming/other'))
  assert.equal(await removed({ 'container:botgarden-drill': { status: 'running' } }), ['docker rm'])
  assert.equal(host.containers(), ['botgarden-postgres running always'])
  const drop = 'drop role if exists "botgarden-reader"'
  const databases = { ...freshCatalog.databases, 'botgarden-restoring': database }
  assert.equal(await removed({ 'postgres:catalog': { ...freshCatalog, databases } }), ['docker exec', drop])
  const roles = { ...freshCatalog.roles, 'botgarden-reader': role }
  assert.equal(await removed({ 'postgres:catalog': { ...freshCatalog, roles } }), ['docker exec', drop])
  assert.equal(await removed({ 'postgres:catalog': { ...freshCatalog, databases, roles } }), ['docker exec', drop])
})

test('after that nothing is left, but for what this run has brought', () => {
  const databases = { ...freshCatalog.databases, 'botgarden-restoring': database }
  const roles = { ...freshCatalog.roles, 'botgarden-reader': role }
  const after = stateAfter([noLeftovers([dump])], {
    'left-files:restore': { busy: false, paths: [dump, `${dump}.new`] },
    'postgres:catalog': { ...freshCatalog, databases, roles },
    'container:botgarden-drill': { status: 'running' },
  })
  assert.equal(after, { ...clean, 'left-files:restore': { busy: false, paths: [dump] } })
})

test('a database that another one has replaced may get its name back: what comes of it is not known before', () => {
  const databases = { ...freshCatalog.databases, 'botgarden-before': database }
  const state = { ...clean, 'postgres:catalog': { ...freshCatalog, databases } }
  assert.equal(planOf([noLeftovers()], state), [
    'leftovers:restore: remove what an interrupted run has left: database botgarden-before',
  ])
  assert.equal(stateAfter([noLeftovers()], state), state)
})

test('what this run has brought stays, and so does all while another run is under way', () => {
  const state = (busy: boolean) => ({ ...clean, 'left-files:restore': { busy, paths: [dump] } })
  assert.equal(planOf([noLeftovers([dump])], state(false)), [])
  assert.equal(planOf([noLeftovers()], state(true)), [])
})

test('files are seen where they lie, and whose they are by who holds the lock: another, nobody, or we', async () => {
  const root = mkdtempSync(join(tmpdir(), 'leftovers-test-'))
  for (const each of ['incoming', 'dumps/hello', 'removed', 'bots/hello', 'run'])
    mkdirSync(join(root, each), { recursive: true })
  const left = ['allocations.new', 'bots/hello/current.json.new', 'dumps/hello/2.dump.new', 'incoming/a.dump']
  for (const each of [...left, 'bots/hello/current.json', 'dumps/hello/1.dump', 'run/lock', 'run/step'])
    writeFileSync(join(root, each), '')
  const [files] = noLeftovers().reads
  const text = (files?.kind.script(['restore']).text ?? '')
    .replaceAll('/var/lib/botgarden', root)
    .replaceAll('/run/botgarden', join(root, 'run'))
  const seen = async (before = '') => files?.kind.parse(await shell(`${before}\n${text}`), ['restore']).get('restore')
  const paths = left.map((each) => join(root, each))
  assert.equal(await seen(), { busy: false, paths })
  assert.equal(await seen(`exec 9>>${root}/run/lock; flock 9`), { busy: false, paths })
  for (const lock of ['lock', 'step']) {
    const other = spawn('flock', [join(root, 'run', lock), 'sh', '-c', 'echo held; exec cat'], { stdio: 'pipe' })
    await once(other.stdout, 'data')
    assert.equal(await seen(`exec 9>>${root}/run/lock`), { busy: true, paths })
    other.stdin.end()
    await once(other, 'close')
  }
  execFileSync('rm', paths)
  assert.equal(await seen(), { busy: false, paths: [] })
  rmSync(root, { recursive: true })
})

test.run()
