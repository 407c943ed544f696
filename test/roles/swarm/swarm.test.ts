import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { HostError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { swarm, swarmRole } from '../../../roles/swarm/index.ts'
import type { GivenSwarm, SwarmMember } from '../../../roles/swarm/member.ts'
import { parseSwarm, type SwarmNode, type SwarmState } from '../../../roles/swarm/state.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, idsOf, planOf, scriptsOf, stateAfter } from '../../support/plan-of.ts'

const member = (name: string, last: number, more: Partial<SwarmMember> = {}): SwarmMember => ({
  ...{ name, address: `10.214.0.${last}`, manager: true, bots: ['hello-bot'] },
  ...more,
})
const members = [member('vps1', 1), member('vps2', 2), member('vps3', 3)]
const own = members[0] as SwarmMember
const given = (more: Partial<GivenSwarm> = {}): GivenSwarm => ({ own, members, leads: false, ...more })
const token = new Secret(`SWMTKN-1-${'x'.repeat(60)}`)
const joining = given({ entry: { kind: 'join', token, managers: ['10.214.0.2'] } })
const resourcesOf = (told?: GivenSwarm, more = {}) =>
  swarmRole(told).resources(v.parse(swarm.vars, {}), { ...facts, ...more }, entry)
const outside: SwarmState = {
  ...{ state: 'inactive', address: '', manages: false, managers: [], error: '', nodes: [], services: [] },
}
const node = (last: number, more: Partial<SwarmNode> = {}): SwarmNode => ({
  ...{ id: `n${last}`, address: `10.214.0.${last}`, role: 'manager', state: 'ready' },
  labels: { 'botgarden.hello-bot': 'on' },
  ...more,
})
const inside = (more: Partial<SwarmState> = {}): SwarmState => ({
  ...{ ...outside, state: 'active', address: '10.214.0.1', manages: true, managers: ['10.214.0.1', '10.214.0.2'] },
  nodes: [node(1), node(2), node(3)],
  ...more,
})
const state = (now: SwarmState) => ({ 'swarm:node': now })
const summaries = (told: GivenSwarm, now: SwarmState) => planOf(resourcesOf(told), state(now))
const errorOf = (told: GivenSwarm, now: SwarmState) => {
  try {
    planOf(resourcesOf(told), state(now))
  } catch (error) {
    assert.instance(error, HostError)
    return (error as Error).message
  }
  return undefined
}

test('a host of which no bot has replicas is asked nothing', () => {
  assert.equal(resourcesOf(), [])
  assert.equal(idsOf(resourcesOf(undefined, { swarm: true })), ['swarm:absent'])
})

test('one host begins, the others join, and what is a node already stays', () => {
  const begins = given({ entry: { kind: 'begin' } })
  assert.match(summaries(begins, outside).join(), /begin a swarm for vps2, vps3 and itself/)
  assert.match(summaries(joining, outside).join(), /join the swarm/)
  assert.equal(summaries(joining, inside()), [])
  assert.equal(summaries(joining, { ...outside, state: 'pending', address: '10.214.0.1' }), [])
  assert.equal(planOf(resourcesOf(begins), stateAfter(resourcesOf(begins), state(outside))), [])
})

test('by what a host joins is in no argument and is not shown', () => {
  const [change] = changesOf(resourcesOf(joining), state(outside))
  const script = change?.script.text
  const shown = resourcesOf(joining)
    .flatMap((each) => each.plan(() => outside as never))
    .map((change) => change.script.shown)
    .join('\n')
  assert.not.match(shown, 'SWMTKN')
  assert.match(script ?? '', /printf %s SWMTKN-1-x+;/)
  assert.not.match(script ?? '', /curl[^|]*SWMTKN/)
})

test('another swarm is refused, and one that is locked or broken', () => {
  assert.match(
    errorOf(joining, inside({ address: '192.0.2.1', managers: ['192.0.2.1'] })) ?? '',
    /in another swarm already/,
  )
  assert.match(errorOf(joining, inside({ managers: ['192.0.2.1'] })) ?? '', /managed by 192\.0\.2\.1/)
  assert.match(errorOf(joining, { ...outside, state: 'locked' }) ?? '', /locked/)
  assert.match(errorOf(joining, { ...outside, state: 'error', error: 'no quorum' }) ?? '', /no quorum/)
})

test('a manager is told who manages, who may run which bot, and who is none of it any more', () => {
  const leads = given({ leads: true })
  assert.equal(summaries(leads, inside()), [])
  const differs = inside({
    nodes: [
      node(1, { labels: {} }),
      node(2, { role: 'worker' }),
      node(3, { labels: { 'botgarden.hello-bot': 'on', 'botgarden.gone': 'on', rack: '7' } }),
      node(9, { state: 'down' }),
    ],
  })
  const [text = ''] = summaries(leads, differs)
  assert.match(
    text,
    /vps1: may run hello-bot; vps2: manages; vps3: runs gone no more; 10\.214\.0\.9 is none of it any more/,
  )
  const script = scriptsOf(resourcesOf(leads), state(differs)).join('\n')
  assert.match(
    script,
    'docker node update --role manager --label-add botgarden.hello-bot=on --label-rm botgarden.gone n3',
  )
  assert.match(script, 'docker node demote n9')
  assert.match(script, 'docker node rm --force n9')
  assert.equal(planOf(resourcesOf(leads), stateAfter(resourcesOf(leads), state(differs))), [])
  const again = inside({ nodes: [...inside().nodes, node(3, { id: 'former', state: 'down' })] })
  assert.match(scriptsOf(resourcesOf(leads), state(again)).join(), 'docker node rm --force former')
  // Who does not manage is not told.
  assert.equal(summaries(leads, inside({ manages: false, nodes: [] })), [])
})

test('a node that an update was killed on takes replicas again, and one that somebody else has drained does not', () => {
  const leads = given({ leads: true })
  const labels = { 'botgarden.hello-bot': 'on', 'botgarden-drained': 'on' }
  const drained = inside({ nodes: [node(1), node(2, { labels }), node(3)] })
  assert.equal(summaries(leads, drained), ['swarm:nodes: vps2: takes replicas again'])
  assert.equal(scriptsOf(resourcesOf(leads), state(drained)), [
    'docker node update --role manager --label-add botgarden.hello-bot=on --availability active --label-rm botgarden-drained n2 >/dev/null',
  ])
  assert.equal(planOf(resourcesOf(leads), stateAfter(resourcesOf(leads), state(drained))), [])
  const others = inside({ nodes: [node(1), node(2, { labels: { 'botgarden.hello-bot': 'on', rack: '7' } }), node(3)] })
  assert.equal(summaries(leads, others), [])
})

test('a check says that a manager will be told of those that join', () => {
  const leads = given({ leads: true, entry: { kind: 'begin' }, joining: ['vps1', 'vps2', 'vps3'] })
  assert.match(
    summaries(leads, outside).join('\n'),
    /begin a swarm[\s\S]*vps1: may run hello-bot; vps2: may run hello-bot/,
  )
  const more = given({ leads: true, joining: ['vps3'] })
  assert.match(summaries(more, inside({ nodes: [node(1), node(2)] })).join(), /^swarm:nodes: vps3: may run hello-bot$/)
})

test('a host leaves when nothing of a bot is left there', () => {
  const leaving = resourcesOf(undefined, { swarm: true })
  assert.match(planOf(leaving, state(inside())).join(), /leave the swarm/)
  assert.equal(planOf(leaving, state(outside)), [])
  for (const [service, said] of [
    ['botgarden-hello-bot_bot', /still runs replicas of hello-bot.*bot\.ts --name hello-bot/],
    ['traefik', /services that are not ours, traefik/],
  ] as const)
    try {
      planOf(leaving, state(inside({ services: [service] })))
      assert.unreachable()
    } catch (error) {
      assert.match((error as Error).message, said)
    }
})

test('what an engine says is read, and what is no answer says nothing', () => {
  const said = [
    '{"state":"active","address":"10.214.0.1","manages":true,"error":""}',
    'manager 10.214.0.1:2377',
    '{"id":"abc","role":"manager","state":"ready","address":"0.0.0.0","labels":{"botgarden.x":"on"},"manager":"10.214.0.1:2377"}',
    '{"id":"def","role":"worker","state":"down","address":"10.214.0.2","labels":null}',
    '{"id":"$(rm)","role":"worker","state":"down","address":"","labels":null}',
    'service botgarden-x_bot',
    'service $(rm)',
  ].join('\n')
  const { nodes, managers, services, manages } = parseSwarm(said)
  assert.equal([manages, managers, services], [true, ['10.214.0.1'], ['botgarden-x_bot']])
  assert.equal(
    nodes.map(({ id, address, labels }) => [id, address, Object.keys(labels)]),
    [
      ['abc', '10.214.0.1', ['botgarden.x']],
      ['def', '10.214.0.2', []],
    ],
  )
  for (const text of ['', 'Cannot connect', '{"state":5}', '[]']) assert.is(parseSwarm(text).state, undefined)
})

test.run()
