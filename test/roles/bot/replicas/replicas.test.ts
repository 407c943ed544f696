// A bot that runs several times: what its keys say, what is refused, its router and its service, and what is planned for them.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { outputsOf } from '../../../../lib/engine/plan.ts'
import { serviceFile } from '../../../../roles/bot/release/compose-file.ts'
import { limits as limitsResource } from '../../../../roles/bot/release/limits.ts'
import { replicasService } from '../../../../roles/bot/release/replicas/service.ts'
import { replicasState } from '../../../../roles/bot/release/replicas/state.ts'
import { release as releasing } from '../../../../roles/bot/release/resource.ts'
import type { Release } from '../../../../roles/bot/spec/release-record.ts'
import { replicaFaults } from '../../../../roles/bot/spec/replicas/faults.ts'
import type { BotManifest, BotSettings } from '../../../../roles/bot/spec/schema.ts'
import { type Spec, specOf } from '../../../../roles/bot/spec/spec.ts'
import { changesOf, planOf, stateOf } from '../../../support/plan-of.ts'
import { place, policy } from '../../../support/release-policy.ts'
import { scratchFile } from '../../../support/runner.ts'

const image = 'botgarden/hello:1'
const several = { replicas: 3, hosts: ['vps3', 'vps1', 'vps2'] }
const manifest: BotManifest = { health: '/readyz', stateless: true }
const spec = specOf(image, several, manifest)
const limits = { memoryMB: 160, cpus: 0.5 }
const instance = { bot: 'hello', number: 3, ...place, swarm: { mtu: 1420, router: 'nginx:1' } }
const settings = (more: Partial<BotSettings>) => ({ ...several, ...more })
const faultsOf = (said: Partial<BotSettings>, own: BotManifest = manifest) =>
  replicaFaults({ ...own, ...said }, specOf(image, said, own)).join('\n')

test('a bot without replicas is as it was', () => {
  const plain = specOf(image, {}, manifest)
  assert.not('replicas' in plain)
  assert.not('tcp' in plain)
  assert.is(plain.maxConnections, 10)
  assert.is(faultsOf({}), '')
})

test('each replica has connections of its own, to Telegram and to the database, which it reaches by TCP', () => {
  assert.equal(spec.replicas, { count: 3, hosts: ['vps1', 'vps2', 'vps3'] })
  assert.equal([spec.maxConnections, spec.connections, spec.tcp], [30, 12, true])
  assert.equal(specOf(image, { ...several, replicas: 20, maxConnections: 7 }, manifest).maxConnections, 7)
  assert.not('tcp' in specOf(image, { ...several, database: false }, manifest))
  assert.is(faultsOf(several), '')
})

test('what cannot run several times is refused, each with what to change', () => {
  const refused: readonly (readonly [Partial<BotSettings>, RegExp, BotManifest?])[] = [
    [{ replicas: 2 }, /^replicas: 2 of them need hosts/],
    [{ hosts: ['vps1'] }, /^hosts: .*set "replicas:" as well/],
    [several, /^replicas: needs "stateless: true"/, {}],
    [settings({ stateless: false }), /stateless: true/],
    [settings({ mode: 'polling' }), /^mode: polling/],
    [settings({ mode: 'none' }), /^mode: none/],
    [settings({ webhook: 'bot' }), /^webhook: /],
    [settings({ data: ['/data'] }), /^data: /],
    [settings({ cache: 'valkey' }), /^cache: /],
    [settings({ processes: { w: { command: ['x'] } } }), /^processes: /],
    [settings({ jobs: { d: { schedule: '@daily', command: ['x'] } } }), /^jobs: /],
  ]
  for (const [said, message, own] of refused) assert.match(faultsOf(said, own ?? manifest), message)
})

const router = (given: Spec, colour: 'blue' | 'green' = 'blue') => serviceFile(instance, colour, given, limits)

test('in the place of its container is a router, which does not change with the version', () => {
  const { services, networks } = parse(router(spec).text)
  const service = services['botgarden-hello-blue']
  assert.is(service.image, 'nginx:1')
  assert.equal([service.user, service.read_only, service.cap_drop], ['20003:20003', true, ['ALL']])
  assert.is(service.networks.bot.ipv4_address, '10.210.3.2')
  assert.is(networks.replicas.name, 'botgarden-hello--replicas')
  assert.match(service.environment.ROUTER, 'server botgarden-hello_bot:3000 resolve')
  assert.match(service.environment.ROUTER, 'proxy_pass 10.213.3.4:5432;')
  assert.not.match(service.environment.ROUTER, 'non_idempotent;')
  assert.is(router({ ...spec, image: 'botgarden/hello:2' }).checksum, router(spec).checksum)
  assert.is.not(router({ ...spec, port: 4000 }).checksum, router(spec).checksum)
  assert.not.match(
    parse(router({ ...spec, database: false }).text).services['botgarden-hello-blue'].environment.ROUTER,
    /^stream /m,
  )
})

test('a replica is as shut in as a bot, and has nothing of a host', () => {
  const { body, secrets } = replicasService(instance, spec, limits, 20)
  const text = JSON.parse(/^printf %s '(.*)'$/s.exec(body.text)?.[1]?.replaceAll("'\\''", "'") ?? '')
  const { ContainerSpec: container, Resources, Placement } = text.TaskTemplate
  assert.equal(
    [container.ReadOnly, container.CapabilityDrop, container.Privileges, container.User],
    [true, ['ALL'], { NoNewPrivileges: true }, '20003:20003'],
  )
  assert.equal(
    container.Mounts.map(({ Type }: { Type: string }) => Type),
    ['tmpfs'],
  )
  assert.equal(Resources.Limits, { NanoCPUs: 5e8, MemoryBytes: 160 * 2 ** 20, Pids: 100 })
  assert.equal(Placement.Constraints, ['node.labels.botgarden.hello==on'])
  assert.ok(Placement.MaxReplicas > 1, 'a new replica starts before the old one ends')
  assert.equal([text.UpdateConfig.FailureAction, text.UpdateConfig.Order], ['rollback', 'start-first'])
  assert.is(text.EndpointSpec.Mode, 'dnsrr')
  assert.equal(secrets, ['token', 'webhook-secret', 'database-password', 'pgpass', 'postgres.crt'])
  for (const { File } of container.Secrets) assert.equal([File.UID, File.Mode], ['20003', 0o400])
})

test('a variable with a secret comes from its file, whatever it holds, and is in no argument', () => {
  const given = specOf(image, { ...several, environment: { URL: 'x"${token}\\y', PLAIN: '$HOME' } }, manifest)
  const { body } = replicasService(instance, given, limits, 20)
  const file = scratchFile('token', 'to"k\\en\n')
  const text = body.text.replace('/etc/botgarden/secrets/bots/hello/token', file)
  const functions = readFileSync(new URL('../../../../roles/bot/release/replicas/replicas.sh', import.meta.url), 'utf8')
  const printed = execFileSync('sh', ['-c', `${functions}\n${text}`], { encoding: 'utf8' })
  const { Env: all } = JSON.parse(printed).TaskTemplate.ContainerSpec
  assert.ok(all.includes('URL=x"to"k\\en\\y'), all.join(' '))
  assert.ok(all.includes('PLAIN=$HOME'))
})

const released = (given: Spec): Release => ({
  ...{ id: '1', spec: given, colour: 'blue' as const, secrets: { token: '' }, by: 'me', limits },
})
const running = (checksum: string) => ({
  ...{ status: 'running', health: '', config: checksum, restart: 'always', memoryMB: 64, cpus: 0.5 },
})
const service = (given: Spec, settle = policy.settle) => replicasService(instance, given, limits, settle).checksum
const stateWith = (more: Record<string, unknown> = {}) => ({
  'text:/var/lib/botgarden/bots/hello/current.json': JSON.stringify(released(spec)),
  'allocations:bots': { hello: 3 },
  'container:botgarden-hello-blue': running(router(spec).checksum),
  'image:botgarden/hello:2': { id: 'sha256:1' },
  'free-capacity:host': { totalMB: 2000, memoryMB: 1000, diskMB: 9000 },
  'replicas:hello': { config: service(spec), stale: [], on: ['vps1', 'vps2', 'vps2'] },
  ...more,
})
const resource = (target?: Spec) => [releasing(instance, target, { ...policy, limits: () => limits }, true)]

test('what runs as released stays, and a run says how many there are and where', () => {
  assert.equal(planOf(resource(), stateWith()), [])
  const told = outputsOf(resource(), stateOf(resource(), stateWith()) as never)
  assert.match(JSON.stringify(told), 'hello replicas":"3 of 3: vps1, vps2 (2)')
})

test('a service that is gone, or differs, or has old secrets, is deployed again', () => {
  for (const [now, said] of [
    [undefined, /the swarm has none/],
    [{ config: 'other', stale: [], on: [] }, /differ from their release/],
    [{ config: service(spec), stale: ['webhook-secret'], on: [] }, /webhook-secret changed/],
  ] as const)
    assert.match(planOf(resource(), stateWith({ 'replicas:hello': now })).join(), said)
})

test('a new version replaces one replica after another behind the same router; without replicas it is a switch', () => {
  const next = { ...spec, image: 'botgarden/hello:2' }
  const [roll] = changesOf(resource(next), stateWith())
  assert.match(roll?.script.shown ?? '', /^roll hello out/)
  assert.match(roll?.script.text ?? '', 'replicas_await')
  const { replicas: _, tcp: __, ...alone } = next
  const [back] = changesOf(resource(alone), stateWith())
  assert.match(back?.script.shown ?? '', /^switch hello/)
  assert.match(back?.script.text ?? '', 'replicas_remove')
  const [moved] = changesOf(resource({ ...next, port: 4000 }), stateWith())
  assert.match(moved?.script.shown ?? '', /^switch hello/)
})

test('the limits of the router are not those of the bot', () => {
  assert.equal(planOf([limitsResource('hello', () => ({ memoryMB: 999, cpus: 2 }))], stateWith()), [])
})

test('what the swarm says is read', () => {
  const { parse: read } = replicasState('hello').kind
  const said = 'service hello abc token=x.1\nstale hello token\non hello vps1\non hello vps2\nservice other def\n'
  const states = read(said, ['hello', 'other', 'none'])
  assert.equal(states.get('hello'), { config: 'abc', stale: ['token'], on: ['vps1', 'vps2'] })
  assert.equal(states.get('other'), { config: 'def', stale: [], on: [] })
  assert.is(states.get('none'), undefined)
})

test.run()
