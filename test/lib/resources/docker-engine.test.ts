import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { planAll } from '../../../lib/engine/plan.ts'
import { type Reading, reading, Untold } from '../../../lib/model/reading.ts'
import { resource } from '../../../lib/model/resource.ts'
import { postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { containerState } from '../../../lib/resources/container.ts'
import { imageState } from '../../../lib/resources/image.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { networkState } from '../../../roles/bot/network.ts'
import { planOf } from '../../support/plan-of.ts'
import { withPrograms } from '../../support/stubs.ts'

const stopped = { docker: `echo 'Cannot connect to the Docker daemon' >&2; exit 1`, curl: 'exit 7', dockerd: '' }
const running = {
  docker: `[ "$1" = version ] || { echo 'No such thing' >&2; exit 1; }`,
  curl: `echo '{"message":"No such thing"}'`,
  dockerd: '',
}
/** The host has no curl. */
const bare = 'command() { [ "$2" != curl ]; }'

async function readBy(thing: Reading, programs: Record<string, string>, before = ''): Promise<unknown> {
  const { said } = await withPrograms(programs, `${before}\n${thing.kind.script([thing.name]).text}`)
  return thing.kind.parse(said, [thing.name]).get(thing.name)
}

for (const [thing, absent] of [
  [containerState('a'), 'absent'],
  [imageState('a'), 'absent'],
  [networkState('a'), undefined],
  [postgresCatalog, undefined],
] as const)
  test(`${thing.kind.name}: absent where Docker says so or is not installed, untold where it does not answer`, async () => {
    for (const host of ['', bare]) {
      assert.equal(await readBy(thing, running, host), absent)
      assert.ok((await readBy(thing, stopped, host)) instanceof Untold)
    }
  })

const image = { Id: 'sha256:a', Config: { Volumes: { '/data': {} } } }
const bridge = {
  Name: 'net',
  IPAM: { Config: [{ Subnet: '10.1.0.0/24' }] },
  Containers: { a1: { Name: 'b', IPv4Address: '10.1.0.2/24' }, c2: { Name: 'd' } },
  Options: { 'com.docker.network.bridge.name': 'br-bot-7' },
}
for (const [thing, answer, url, call, state] of [
  [
    imageState('reg.example:5000/a/b:1'),
    image,
    'http://docker/images/reg.example:5000/a/b:1/json',
    'image inspect --format {{json .}} -- reg.example:5000/a/b:1',
    { volumes: ['/data'] },
  ],
  [
    networkState('net'),
    bridge,
    'http://docker/networks/net',
    'network inspect --format {{json .}} -- net',
    { subnet: '10.1.0.0/24', number: 7 },
  ],
] as const)
  test(`${thing.kind.name}: the engine is asked by its socket, or by its client where there is no curl`, async () => {
    const said = `echo '${JSON.stringify(answer)}'`
    const curl = `for url; do :; done; [ "$*" = "--silent --max-time 60 --unix-socket /run/docker.sock ${url}" ] && ${said}`
    assert.equal(await readBy(thing, { docker: 'exit 9', curl }), state)
    const docker = `case "$*" in version) ;; '${call}') ${said} ;; *) exit 1 ;; esac`
    assert.equal(await readBy(thing, { docker, curl: 'exit 9' }, bare), state)
  })

test('a container that joins a network or leaves it does not change what is read of the network', async () => {
  const output = async (containers: object) => {
    const answer = JSON.stringify({ ...bridge, Containers: containers })
    return (await withPrograms({ curl: `echo '${answer}'` }, networkState('net').kind.script(['net']).text)).said
  }
  assert.is(await output(bridge.Containers), await output({}))
})

const thing = (name: string) => reading({ name: 'thing', script: () => sh`:`, parse: () => new Map() }, name)
const want = (id: string, wanted: unknown) =>
  resource({
    id,
    wants: wanted,
    reads: { now: thing(id) },
    plan: ({ now }) => (now === wanted ? [] : [{ summary: 'mend', script: sh`:` }]),
  })
const untold = new Untold('a is silent: start it', 'a')

test('what the host cannot tell is known after the change that has it tell, and planned on by nobody before', () => {
  const resources = [want('a', 'on'), want('b', 'on'), want('c', 'on')]
  const state = { 'thing:a': 'off', 'thing:b': untold, 'thing:c': 'off' }
  assert.equal(planOf(resources, state), ['a: mend', 'b: unknown a', 'c: mend'])
})

test('where nothing has it tell, the plan says why it is none', () => {
  const state = { 'thing:a': 'on', 'thing:b': untold }
  let error: unknown
  try {
    planAll([want('a', 'on'), want('b', 'on')], new Map(Object.entries(state)))
  } catch (thrown) {
    error = thrown
  }
  assert.ok(error instanceof HostError)
  assert.equal([error.message, error.id], ['a is silent: start it', 'b'])
})

test.run()
