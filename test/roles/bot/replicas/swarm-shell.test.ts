// What a release of replicas tells the swarm, by a real shell: an engine of files stands in for the one of a host.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { replicasState } from '../../../../roles/bot/release/replicas/state.ts'
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
'service inspect '*Secrets*) cat used ;;
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
function released(
  given: readonly string[],
  { of = spec, name = 'hello', end = '', used = '', secrets = {} } = {},
): Swarm {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'secrets'))
  mkdirSync(join(folder, 'own'))
  const files = { token: '1:a', 'webhook-secret': 'b', ...secrets }
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, 'own', file), content)
  for (const file of ['told', 'created', ...given]) writeFileSync(join(folder, file), '')
  writeFileSync(join(folder, 'served'), 'former\n')
  writeFileSync(join(folder, 'used'), `${used}\n`)
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

const longest = 'a-bot-of-thirty-two-characters-x'
const variable = 'THE_KEY_OF_A_PROVIDER_WITH_A_NAME_OF_ITS_OWN'

test('secrets have names that Docker takes, however long those of the bot and its variables are, and labels that say whose they are', () => {
  const of = { ...spec, secrets: [variable] }
  const { folder, told, said } = released([], { of, name: longest, secrets: { [variable]: 'x' } })
  assert.is(told, 'post', said)
  const names = readdirSync(join(folder, 'secrets'))
  assert.is(names.length, 3)
  for (const name of names) assert.match(name, /^botgarden\.[0-9a-f]{32}$/)
  assert.match(
    readFileSync(join(folder, 'created'), 'utf8'),
    `botgarden.bot=${longest} --label botgarden.secret=${variable}`,
  )
  const body = readFileSync(join(folder, 'body'), 'utf8')
  assert.not.match(body, /@[a-z-]+@/i)
  const { Secrets: given } = JSON.parse(body).TaskTemplate.ContainerSpec
  assert.equal(given.map(({ SecretName }: { SecretName: string }) => SecretName).sort(), names.sort())
})

test('secrets of the same content are not one: each is of one bot and one variable', () => {
  const same = { token: 'x', 'webhook-secret': 'x' }
  assert.is(readdirSync(join(released([], { secrets: same }).folder, 'secrets')).length, 2)
  const of = (name: string) => readdirSync(join(released([], { name }).folder, 'secrets'))
  assert.equal(of('hello'), of('hello'))
  assert.ok(of('hello').every((each) => !of('other').includes(each)))
})

test('those of a release before names were bounded stay while replicas have them, and are not taken for changed ones', () => {
  const folder = scratchFolder()
  const sum = (content: string) => createHash('sha256').update(content).digest('hex')
  const service = 'botgarden-hello_bot'
  mkdirSync(join(folder, 'hello'))
  writeFileSync(join(folder, 'hello', 'token'), '1:a')
  const docker = (name: string) => `#!/bin/sh
case $* in 'service inspect '*) echo 'checksum token=${name}' ;; esac
`
  const script = replicasState('hello').kind.script(['hello']).text.replaceAll('/etc/botgarden/secrets/bots', folder)
  const stale = (name: string) => {
    writeFileSync(join(folder, 'docker'), docker(name), { mode: 0o755 })
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
    return spawnSync('sh', ['-c', script], { encoding: 'utf8', env }).stdout.includes('stale hello token')
  }
  assert.not(stale(`${service}.token.${sum('1:a').slice(0, 16)}`))
  assert.ok(stale(`${service}.token.${sum('1:b').slice(0, 16)}`))
  assert.not(stale(`botgarden.${sum(`${service} token\n1:a`).slice(0, 32)}`))
  assert.ok(stale(`botgarden.${sum(`${service} token\n1:b`).slice(0, 32)}`))
  const former = `${service}.token.0123456789abcdef`
  const kept = readdirSync(
    join(released([`secrets/${former}`, `secrets/${service}.token.old`], { used: former }).folder, 'secrets'),
  )
  assert.equal([kept.length, kept.includes(former)], [3, true])
})

test.run()
