import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hiddenCandidate, installFile } from '../../../lib/shell/install-file.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { scratchHost } from '../../support/scratch-host.ts'

const path = '/etc/secret'
const write = sh`printf new >"$candidate"`
const owner = 'root:root'

test('installs a file with its content and mode, and leaves no candidate', async () => {
  const host = scratchHost()
  host.write(path, 'old')
  host.write(`${path}.new`, 'of a run that was cut')
  const { code, calls } = await host.run(installFile(path, { owner, mode: '0440', write }))
  assert.equal([code, host.read(path), host.mode(path)], [0, 'new', '440'])
  assert.equal(calls.slice(0, 2), [`chown root:root ${path}.new`, 'was 600'])
  assert.equal(host.list('/etc'), ['secret'])
})

for (const [what, broken] of [
  ['cannot be written', { write: sh`printf half >"$candidate"; false` }],
  ['is not accepted', { check: sh`[ "$(cat "$candidate")" = other ]` }],
] as const)
  test(`a candidate that ${what} changes nothing, and is removed`, async () => {
    const host = scratchHost()
    host.write(path, 'old')
    const { code } = await host.run(installFile(path, { owner, mode: '0400', write, ...broken }))
    assert.is(code, 1)
    assert.is(host.read(path), 'old')
    assert.equal(host.list('/etc'), ['secret'])
  })

test('hides a candidate where daemons read what is dropped into a folder', () =>
  assert.is(hiddenCandidate('/etc/cron.d/backup'), '/etc/cron.d/.backup.botgarden'))

test.run()
