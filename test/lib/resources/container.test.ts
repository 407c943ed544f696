import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { containerState } from '../../../lib/resources/container.ts'
import { shell } from '../../support/shell.ts'

const folder = mkdtempSync(join(tmpdir(), 'container-test-'))
test.after(() => rmSync(folder, { recursive: true }))
const [kept, other] = [join(folder, 'kept'), join(folder, 'other one')]
mkdirSync(kept)
mkdirSync(other)

/** A docker that says this of one container, which is this process: what it has mounted is what lies there. */
async function stateOf(
  mounts: readonly (readonly [source: string, destination: string])[],
  pid = process.pid,
  restarts = 0,
) {
  const state = { Status: 'running', Pid: pid, StartedAt: '2026-11-25T18:00:00.5Z' }
  const json = {
    ...{ name: '/one', state, labels: null, restarts, restart: 'always', memory: 2 ** 20, nanoCpus: 0 },
    mounts: mounts.map(([Source, Destination]) => ({ Type: 'bind', Source, Destination })),
  }
  const said = [JSON.stringify(json), ...mounts.flatMap(([from, to]) => [from, `/proc/${pid}/root${to}`])].join('\n')
  writeFileSync(join(folder, 'said'), `${said}\n`)
  writeFileSync(join(folder, 'docker'), `#!/bin/sh\ncat '${folder}/said'\n`)
  chmodSync(join(folder, 'docker'), 0o755)
  const { kind } = containerState('one')
  const output = await shell(`PATH='${folder}':$PATH\n${kind.script(['one']).text}`)
  return kind.parse(output, ['one', 'two'])
}

test('a folder that stands where it was mounted from is no matter, another one or none is', async () => {
  const missing = join(folder, 'missing')
  const states = await stateOf([
    [kept, kept],
    [other, kept],
    [missing, kept],
  ])
  assert.is(states.get('two'), 'absent')
  const state = states.get('one')
  assert.equal(state, {
    ...{ status: 'running', health: '', config: '', restart: 'always', memoryMB: 1, cpus: 0 },
    ...{ startedAt: Date.parse('2026-11-25T18:00:00.5Z'), stale: [other, missing], volumes: [] },
  })
})

test('how often it ended by itself is told where it has', async () => {
  const restarts = async (times: number) => {
    const state = (await stateOf([], process.pid, times)).get('one')
    return state !== undefined && state !== 'absent' && 'restarts' in state ? state.restarts : undefined
  }
  assert.equal([await restarts(0), await restarts(5)], [undefined, 5])
})

test('of a container that has ended meanwhile nothing is said', async () => {
  const state = (await stateOf([[kept, kept]], 4_194_305)).get('one')
  assert.equal(state !== undefined && state !== 'absent' && 'stale' in state ? state.stale : state, [])
})

test.run()
