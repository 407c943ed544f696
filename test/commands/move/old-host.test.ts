// What decides a move, by a real sh on this machine: with a folder of the test's own for the host's, and an engine that notes its calls.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { bringBackScript, giveAwayScript, stopScript, takeBackScript } from '../../../commands/move/old-host/index.ts'
import type { Script } from '../../../lib/shell/sh.ts'
import { spec } from '../../support/hello-bot.ts'
import { withPrograms } from '../../support/stubs.ts'

const root = mkdtempSync(join(tmpdir(), 'old-host-'))
const state = join(root, 'var/bots/hello')
const calls = join(root, 'calls')
const started = '2026-11-26T12:00:00Z'
const place = { number: 2, serves: 'two', from: 'one', at: '2026-11-26T12:00:00.000Z' }

test.before.each(() => {
  rmSync(root, { recursive: true, force: true })
  mkdirSync(state, { recursive: true })
  mkdirSync(join(root, 'run'))
  writeFileSync(calls, '')
  writeFileSync(join(state, 'current.json'), '{"id":"1","by":"me"}\n')
  writeFileSync(join(state, 'stopped'), '{"id":"1",\nbotgarden-hello-cache\nbotgarden-hello-blue\n')
})
test.after(() => rmSync(root, { recursive: true }))

/** `runs`: what the engine says that runs; `at`: when it was started last. */
const ran = ({ text }: Script, { runs = '', at = started } = {}) => {
  const engine = `printf '%s\\n' "docker $*" >>${calls}
    case "$*" in
    'ps --all '*) echo botgarden-hello-blue ;;
    'ps '*'name='*) ;;
    'ps '*'label='*) [ -z '${runs}' ] || echo '${runs}' ;;
    'container inspect '*) echo '${at}' ;;
    esac`
  const note = (name: string) => `[ ! -e ${state}/current.json ] || echo "${name} before" >>${calls}`
  const programs = { docker: engine, systemctl: note('systemctl'), sync: ':', flock: ':' }
  return withPrograms(
    programs,
    text.replaceAll('/var/lib/botgarden', join(root, 'var')).replaceAll('/run/botgarden', join(root, 'run')),
  )
}
const has = (name: string) => existsSync(join(state, name))
const called = () => readFileSync(calls, 'utf8')

test('a host gives a bot away by one rename, after which no boot starts it', async () => {
  const { code, said } = await ran(giveAwayScript('hello', started, place))
  assert.is(code, 0, said)
  assert.equal([has('current.json'), has('released.json')], [false, true])
  assert.equal(JSON.parse(readFileSync(join(state, 'place.json'), 'utf8')), place)
  assert.match(called(), /docker update --restart no botgarden-hello-blue botgarden-hello-cache/)
  assert.match(called(), /systemctl before/, 'a job that waits is ended before')
  assert.is((await ran(giveAwayScript('hello', started, place))).code, 0, 'once more is no matter')
})

for (const [why, engine] of [
  ['runs', { runs: 'botgarden-hello-blue' }],
  ['has run since it was stopped', { at: '2026-11-26T12:00:09Z' }],
] as const)
  test(`nothing is decided of a bot that ${why}`, async () => {
    const { code, said } = await ran(giveAwayScript('hello', started, place), engine)
    assert.is(code, 1)
    assert.match(said, /it was started (and stopped )?meanwhile/)
    assert.equal([has('current.json'), has('released.json'), has('place.json')], [true, false, false])
    assert.not.match(called(), /update/)
  })

test('a bot that was stopped for a move is brought back, its cache first, unless it was given away', async () => {
  const { said } = await ran(bringBackScript('hello'))
  assert.match(said, /started/)
  assert.match(
    called(),
    /--restart always botgarden-hello-cache\ndocker start botgarden-hello-cache\n.*\ndocker update --restart always botgarden-hello-blue\ndocker start/,
  )
  assert.not(has('stopped'))
  writeFileSync(calls, '')
  assert.is((await ran(bringBackScript('hello'))).said, '', 'once is enough')
  writeFileSync(join(state, 'stopped'), '{"id":"1",\nbotgarden-hello-blue\n')
  await ran(giveAwayScript('hello', started, place))
  writeFileSync(calls, '')
  assert.equal([(await ran(bringBackScript('hello'))).said, called()], ['', ''])
})

test('what a run that was cut has stopped is not started any more where another release serves by now', async () => {
  writeFileSync(join(state, 'current.json'), '{"id":"2","by":"me"}\n')
  const { said } = await ran(bringBackScript('hello'))
  assert.match(said, /started/)
  assert.not.match(called(), /docker (start|update)/)
  assert.not(has('stopped'))
})

test('who stops a bot once more still knows what the first one has stopped', async () => {
  const { code, said } = await ran(stopScript('hello', { id: '1', spec }), { runs: 'botgarden-hello.worker-blue' })
  assert.is(code, 0, said)
  assert.is(said.trim(), started)
  assert.equal(readFileSync(join(state, 'stopped'), 'utf8').trim().split('\n'), [
    ...['{"id":"1",', 'botgarden-hello-cache', 'botgarden-hello-blue', 'botgarden-hello.worker-blue'],
  ])
  assert.match(
    called(),
    /stop --time 20 botgarden-hello-blue botgarden-hello.worker-blue\n.*stop --time 20 botgarden-hello-cache/s,
  )
})

test('what was given away is taken back under a higher number', async () => {
  await ran(giveAwayScript('hello', started, place))
  const { code } = await ran(takeBackScript('hello', { ...place, number: 3, serves: 'one', from: 'two' }))
  assert.equal([code, has('current.json'), has('released.json'), has('stopped')], [0, true, false, false])
  assert.is(JSON.parse(readFileSync(join(state, 'place.json'), 'utf8')).number, 3)
  const again = await ran(takeBackScript('hello', place))
  assert.is(again.code, 1)
  assert.match(again.said, /released\.json is gone/)
})

test.run()
