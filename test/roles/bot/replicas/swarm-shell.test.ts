// What a release of replicas tells the swarm, by a real shell: an engine of files stands in for the one of a host.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { replicaSteps } from '../../../../roles/bot/release/replicas/steps.ts'
import { specOf } from '../../../../roles/bot/spec/spec.ts'
import { scratchFolder } from '../../../support/copies.ts'
import { place } from '../../../support/release-policy.ts'

const instance = { bot: 'hello', number: 3, ...place, swarm: { mtu: 1420, router: 'nginx:1' } }
const several = { replicas: 3, hosts: ['vps1', 'vps2', 'vps3'], database: false }
const spec = specOf('botgarden/hello:2', several, { stateless: true })
const old = specOf('botgarden/hello:1', several, { stateless: true })
const limits = { memoryMB: 160, cpus: 0.5 }

/** Keeps the version that the swarm runs in `served`, its secrets in `secrets/`, and what it is told in `told`. */
const engine = `#!/bin/sh
case "$*" in
*' rollback '*) echo rollback >>told ;;
'network inspect '*) exit 1 ;;
'network create '*) [ ! -e no-network ] ;;
'node ls '*) [ -e no-node ] || echo n1 ;;
'service inspect '*botgarden.version*) cat served ;;
'service inspect '*Secrets*) cat used 2>/dev/null ;;
'service inspect '*UpdateStatus*) cat rollout ;;
'service inspect '*) echo 'id/update?version=7' ;;
'secret inspect '*) for name; do :; done; [ ! -e "secrets/$name" ] || echo "id-$name" | cut -c 1-9; [ -e "secrets/$name" ] ;;
'secret create '*) for name; do [ "$name" = - ] || last=$name; done; [ \${#last} -le 64 ] || exit 1; [ ! -e no-secret ] || exit 1; cat >"secrets/$last"; echo "$*" >>created; echo id-new ;;
'secret ls '*) ls secrets ;;
'secret rm '*) rm "secrets/$3" ;;
esac
`

interface Swarm {
  readonly folder: string
  /** What the release has printed. */
  readonly said: string
  /** What the swarm was told to do. */
  readonly told: string
}

/** A host where version 1 serves, and a release of the next one that ends as `end` says; then `back`, as its trap has it. */
function released(given: readonly string[], { of = spec, name = 'hello', end = '', secrets = {} } = {}): Swarm {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'secrets'))
  mkdirSync(join(folder, 'own'))
  const files = { token: '1:a', 'webhook-secret': 'b', ...secrets }
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, 'own', file), content)
  for (const file of ['told', 'created', ...given]) writeFileSync(join(folder, file), '')
  writeFileSync(join(folder, 'served'), 'former\n')
  writeFileSync(join(folder, 'rollout'), 'completed\n')
  writeFileSync(join(folder, 'docker'), engine, { mode: 0o755 })
  const { functions, network, up, back } = replicaSteps({ ...instance, bot: name }, of, old, limits, 5)
  const { stdout } = spawnSync('sh', ['-s'], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    input: `set -eu
${functions.text}
secrets=own
engine_post() { [ ! -e refuses ] || return 1; cat >body; echo post >>told; printf '%s\\n' "$replicas_version" >served; }
replicas_await() { ${end || ':'}; }
trap '${back.text}' EXIT
${network.text}
${up.text}
trap - EXIT`,
  })
  return { folder, said: stdout, told: readFileSync(join(folder, 'told'), 'utf8').trim().replaceAll('\n', ' ') }
}

test('a release that the swarm was never told of goes back to nothing: the version before the one that serves stays away', () => {
  assert.is(released([]).told, 'post')
  for (const why of ['no-network', 'no-node', 'no-secret', 'refuses']) assert.is(released([why]).told, '', why)
})

test('one that was told and fails goes back, unless the swarm has done so by itself', () => {
  assert.is(released([], { end: 'return 1' }).told, 'post rollback')
  assert.is(released([], { end: 'echo former >served; return 1' }).told, 'post')
})

test.run()
