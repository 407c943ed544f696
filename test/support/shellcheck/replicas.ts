// What site.ts and bot.ts send where a bot runs several times: the swarm of its hosts, its releases, its images.
import * as v from 'valibot'
import { backScript, drainScript, spreadScript } from '../../../commands/mesh/swarm/drain.ts'
import { saveScript } from '../../../commands/move/images.ts'
import { builtImages, layersScript, pruneImages } from '../../../commands/replicas/index.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { relayScript } from '../../../lib/ssh/relay.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { healthCommand, healthTools } from '../../../roles/bot/release/replicas/health.ts'
import { botAbsent } from '../../../roles/bot/remove.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { dockerRole } from '../../../roles/docker/index.ts'
import { swarm, swarmRole } from '../../../roles/swarm/index.ts'
import type { GivenSwarm } from '../../../roles/swarm/member.ts'
import { question, type SwarmState } from '../../../roles/swarm/state.ts'
import { tokenScript } from '../../../roles/swarm/token.ts'
import { entry, facts } from '../fake-host.ts'
import { request, runScripts, type Shell, shell } from './scripts.ts'

const telegram = 'https://api.telegram.org'
const several = { replicas: 2, hosts: ['vps1', 'vps2'] }
const host = { ...entry, domain: 'b.example.org', bots: [{ name: 'hello', where: 'x', settings: several }] }
const vars = v.parse(botRole(new Map()).vars, {})
const limits = { memoryMB: 160, cpus: 0.5 }
const spec = (more: Partial<Spec> = {}): Spec => ({
  ...specOf('hello:1', several, { health: '/readyz', migrate: ['node', 'migrate.ts'], stateless: true }),
  ...more,
})
const member = (name: string, last: number, manager: boolean) => ({
  ...{ name, address: `10.214.0.${last}`, manager, bots: ['hello'] },
})
const members = [member('vps1', 1, true), member('vps2', 2, false)]
const outside: SwarmState = {
  ...{ state: 'inactive', address: '', manages: false, managers: [], error: '', nodes: [], services: [] },
}
const node = {
  id: 'n',
  address: '10.214.0.2',
  role: 'manager' as const,
  state: 'ready',
  labels: { 'botgarden.old': 'on' },
}
const inside: SwarmState = {
  ...{ ...outside, state: 'active', address: '10.214.0.1', manages: true, managers: ['10.214.0.1'] },
  nodes: [node, { ...node, address: '10.214.0.9' }, { ...node, address: '10.214.0.8', role: 'worker' }],
}

export function replicaScripts(): Shell[] {
  const asked = {
    swarm: question,
    'join tokens': tokenScript,
    layers: layersScript(),
    'layers of an image': layersScript(['hello:1']),
    'images built': builtImages('hello'),
    'prune images': pruneImages('hello', ['botgarden/hello:1']),
    'drain a node': drainScript('n1'),
    'end of a drain': backScript('n1'),
    'spread replicas': spreadScript,
    save: relayScript(saveScript(['hello:1'], ['sha256:ab']), 'relay_source'),
  }
  return [
    ...Object.entries(asked).map(([name, { text }]) => request(name, text)),
    shell('health of a replica', healthCommand(3000, '/readyz')),
    shell('tools of an image', healthTools),
    ...swarmScripts(),
    ...releases(),
    ...runScripts('remove replicas', [botAbsent('hello', telegram, { purge: false })], stateWith(spec())),
  ]
}

function swarmScripts(): Shell[] {
  const own = members[0] ?? member('vps1', 1, true)
  const token = new Secret(`SWMTKN-1-${'x'.repeat(50)}`)
  const run = (given: GivenSwarm | undefined, now: SwarmState, reads = false) =>
    runScripts(
      'swarm',
      swarmRole(given).resources(v.parse(swarm.vars, {}), { ...facts, swarm: true }, host),
      { 'swarm:node': now },
      { reads },
    )
  const engine = dockerRole({ swarm: true }).resources(v.parse(dockerRole().vars, {}), facts, host)
  return [
    ...run({ own, members, entry: { kind: 'begin' }, leads: false }, outside, true),
    ...run({ own, members, entry: { kind: 'join', token, managers: ['10.214.0.2'] }, leads: false }, outside),
    ...run({ own, members, leads: true }, inside),
    ...run(undefined, inside),
    ...['{"live-restore": true}', '{}'].flatMap((text) =>
      runScripts(
        'no live-restore',
        engine,
        {
          ...{ 'live-restore:engine': true, 'text:/etc/docker/daemon.json': text, 'unit:docker.service': runningUnit },
          'file:/etc/docker/daemon.json': { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256: 'a' },
          'text:/run/botgarden/docker.started-with': 'f',
        },
        { reads: true },
      ),
    ),
  ]
}

function releases(): Shell[] {
  const to = (after: Spec) => ({
    ...{ spec: after, manifest: {}, context: undefined, pull: false, by: 'me', isRollback: false },
    ...{ token: undefined, secrets: new Map() },
  })
  const from = (before: Spec | undefined, after: Spec, reads = false) =>
    runScripts(
      'release with replicas',
      botRole(new Map([['hello', to(after)]])).resources(vars, facts, host),
      stateWith(before),
      { reads },
    )
  const { replicas: _, tcp: __, ...alone } = spec()
  const site = (state: Record<string, unknown>) =>
    runScripts('site, replicas', botRole(new Map()).resources(vars, facts, host), state)
  return [
    ...from(undefined, spec(), true),
    ...from(spec(), spec({ image: 'hello:2', references: { A: 'a ${token}' } })),
    ...from(alone, spec({ health: undefined, database: false })),
    ...from(spec(), alone),
    ...site(stateWith(spec())),
    ...site({ ...stateWith(spec()), 'container:botgarden-hello-blue': 'absent' }),
  ]
}

/** A host where this serves, in blue. */
function stateWith(before: Spec | undefined): Record<string, unknown> {
  const instance = {
    ...{ bot: 'hello', number: 1, base: '10.210', telegram, origin: 'https://b.example.org' },
    swarm: { mtu: 1420, router: 'nginx:1.30.6' },
  }
  const record = before && JSON.stringify({ id: '1', spec: before, colour: 'blue', secrets: { token: '' }, by: 'me' })
  const running = (config: string) => ({ status: 'running', health: '', config, restart: 'always', ...limits })
  return {
    ...{ 'postgres:catalog': freshCatalog, 'routes:ipv4': [], 'token-owners:bots': {} },
    ...{ 'releases:bots': [], 'releases:moved': [] },
    ...{ 'free-capacity:host': { totalMB: 4000, memoryMB: 3000, diskMB: 9000 }, 'kept-secrets:hello': { token: 1 } },
    ...{ 'nginx:config': { current: true, whole: true, inForce: true }, 'allocations:bots': { hello: 1 } },
    'file:/etc/botgarden/secrets/bots/hello/token': { type: 'file', mode: '0400', owner: '20001', group: '20001' },
    ...{ 'image:hello:1': { volumes: [] }, 'image:hello:2': { volumes: [] } },
    [`webhook:hello ${telegram} ask`]: { mark: '', answer: 'not asked' },
    [`webhook:hello ${telegram} trust`]: { mark: '', answer: 'not asked' },
    ...(before && {
      'text:/var/lib/botgarden/bots/hello/current.json': record,
      'container:botgarden-hello-blue': running(serviceFile(instance, 'blue', before, limits).checksum),
    }),
  }
}
