import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { Busy } from '../../../lib/engine/host-lock.ts'
import { failureJson, failureLines, meaningOf } from '../../../lib/report/failure.ts'
import { plain } from '../../../lib/std/colour.ts'
import { CommandFailed, HostError } from '../../../lib/std/errors.ts'

const sources = {
  roleOf: () => 'docker',
  sourceOf: (id: string) => (id === 'x' ? undefined : 'roles/docker/index.ts:48'),
}
const apt = new CommandFailed(
  'package:a, package:b: install',
  100,
  'apt-get install -- a b',
  'one\n\x1b[31mE: Failed to fetch\n',
  ['package:a', 'package:b'],
)

test('tells a failed step with its role, command, exit code, output and next step', () => {
  assert.equal(failureLines('vps1', 'failed', apt, sources, plain), [
    'vps1  failed: package:a, package:b: install',
    '    role       docker, roles/docker/index.ts:48',
    '    command    apt-get install -- a b',
    '    exit code  100: apt failed',
    '    output     one',
    '               E: Failed to fetch',
    '    next       see /etc/apt/sources.list and sources.list.d on the host, and its way out',
  ])
})

test('says what became of it, and that nothing was printed', () => {
  const error = new CommandFailed('x: y', 127, 'nonesuch', '').with('it was taken back')
  const text = failureLines('vps1', 'failed', error, sources, plain).join('\n')
  assert.match(text, /exit code {2}127: command not found\n {4}output {5}none\n {4}then {7}it was taken back\n {4}next/)
})

test('names the resource whose plan gave up, where there is one', () => {
  const error = Object.assign(new HostError('/etc/x: should be a file'), { id: 'file:/etc/x' })
  assert.equal(failureLines('vps1', 'failed', error, sources, plain), [
    'vps1  failed: /etc/x: should be a file',
    '    resource   file:/etc/x, docker, roles/docker/index.ts:48',
  ])
  assert.equal(failureLines('vps1', 'failed', new Busy('is being changed'), sources, plain).length, 1)
})

test('tells programs the same', () => {
  const source = 'roles/docker/index.ts:48'
  const { output: _, ...failure } = failureJson(apt, sources) ?? {}
  const ids = ['package:a', 'package:b']
  assert.equal(failure, {
    id: 'package:a',
    ids,
    role: 'docker',
    source,
    command: 'apt-get install -- a b',
    exitCode: 100,
  })
  assert.is(failureJson(new HostError('no'), sources), undefined)
})

test('knows what exit codes say, and says nothing of the others', () => {
  assert.equal(
    [100, 124, 127, 137, 1, 255].map((code) => meaningOf(code, 'sh')),
    [undefined, 'timed out', 'command not found', 'killed by SIGKILL', undefined, undefined],
  )
})

test.run()
