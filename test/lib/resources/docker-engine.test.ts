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

const stopped = `echo 'Cannot connect to the Docker daemon' >&2; exit 1`
const running = `[ "$1" = version ] || { echo 'No such thing' >&2; exit 1; }`

async function readBy(thing: Reading, programs: Record<string, string>): Promise<unknown> {
  const { said } = await withPrograms(programs, thing.kind.script([thing.name]).text)
  return thing.kind.parse(said, [thing.name]).get(thing.name)
}

for (const [thing, absent] of [
  [containerState('a'), 'absent'],
  [imageState('a'), 'absent'],
  [networkState('a'), undefined],
  [postgresCatalog, undefined],
] as const)
  test(`${thing.kind.name}: absent where Docker says so or is not installed, untold where it does not answer`, async () => {
    assert.equal(await readBy(thing, { docker: running, dockerd: '' }), absent)
    assert.ok((await readBy(thing, { docker: stopped, dockerd: '' })) instanceof Untold)
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
