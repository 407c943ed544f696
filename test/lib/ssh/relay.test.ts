import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sh } from '../../../lib/shell/sh.ts'
import { type RelayEnd, relay } from '../../../lib/ssh/relay.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'relay-test-'))
const path = process.env.PATH
// Runs what it is sent here, with a folder of this test for that of a host. `away` is a host that is not there.
writeFileSync(
  join(folder, 'ssh'),
  `#!/bin/sh
for command; do :; done
case "$*" in *away*) echo 'ssh: connect to host away port 22: No route to host' >&2; exit 255 ;; esac
script=$(printf '%s' "$command" | sed 's/.*echo \\([A-Za-z0-9+\\/=]*\\) | base64 -d.*/\\1/' | base64 -d | sed 's#/run/botgarden#${folder}/run#g')
exec sh -c "$script"
`,
)
chmodSync(join(folder, 'ssh'), 0o755)
test.before(() => void Object.assign(process.env, { PATH: `${folder}:${path}`, BOTGARDEN_CONTROL_PERSIST: '0' }))
test.after(() => {
  process.env.PATH = path
  rmSync(folder, { recursive: true })
})

const target = (name: string) => ({ name, ssh: name, sshConfig: undefined, acceptNew: false })
const end = (name: string, text: string): RelayEnd => ({ target: target(name), relayed: { text, shown: text } })
const failed = (source: RelayEnd, sink: RelayEnd) => errorOf(relay(source, sink))

test('what one host prints the other one reads, byte for byte', async () => {
  const file = join(folder, 'out')
  const bytes = await relay(end('one', `relayed() { head -c 3000000 /dev/urandom | tee ${folder}/in; }`), {
    target: target('two'),
    relayed: sh`relayed() { cat >${file}; }`,
  })
  assert.is(bytes, 3_000_000)
  const { local } = await import('../../../lib/shell/local.ts')
  assert.is((await local({ nothrow: true })`cmp ${`${folder}/in`} ${file}`).exitCode, 0)
  assert.equal(readdirSync(join(folder, 'run')), [], 'nothing is left of it')
})

test('a side that fails is told with what it has said, and nothing counts as brought over', async () => {
  const source = await failed(
    end('one', 'relayed() { echo half; echo no such thing >&2; return 3; }'),
    end('two', 'relayed() { cat >/dev/null; }'),
  )
  assert.instance(source, HostError)
  assert.match(source.message, /^one: no such thing/)
  const sink = await failed(
    end('one', 'relayed() { head -c 1000000 /dev/zero; }'),
    end('two', 'relayed() { echo its disk is full; return 1; }'),
  )
  assert.instance(sink, HostError)
  assert.match(sink.message, /^two: its disk is full/)
})

test('what has failed on one host is not sent to the end', async () => {
  const error = await failed(
    end('one', 'relayed() { yes || return 1; }'),
    end('two', 'relayed() { head -c 1000 >/dev/null; echo its disk is full; return 1; }'),
  )
  assert.match(error.message, /^two: its disk is full/)
})

test('a host that is away is a host that was not reached', async () => {
  const error = await failed(end('one', 'relayed() { echo x; }'), end('away', 'relayed() { cat; }'))
  assert.instance(error, ConnectError)
  assert.match(error.message, /away.*No route to host/)
})

test.run()
