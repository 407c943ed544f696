// The runner is killed when the k-th change of a first installation starts, each time on a bare VPS of its own: for every k of
// the engine's role, and for every fifteenth of the whole site, which has about a hundred.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { leftovers } from '../support/vps/leftovers.ts'

const host = 'killed'
const site = ['playbooks/site.ts', '-i', inventoryOf(host), '--json']

test.after(() => removeVps(host))

for (const [what, tags, stride] of [
  ['every change of the engine', ['--tags', 'docker'], 1],
  ['every fifteenth change of the whole site', [], 15],
] as const)
  test(`SIGKILL at the start of ${what}: the next run converges and nothing half-written stays`, () =>
    killedAt([...site, ...tags], stride))

/** The first k that is never reached ends the campaign. */
async function killedAt(args: readonly string[], stride: number): Promise<void> {
  let kills = 0
  for (let k = 1; k < 400; k += stride) {
    await freshVps(host)
    const { ended, seen, kill } = start(args)
    const reached = await seen(new RegExp(`(?:▸[^▸]*){${k}}`))
    if (reached) kill()
    await ended
    const next = resultOf(await run([...args, '--wait']), host)
    assert.is(next.error, undefined, `killed at change ${k}`)
    const after = resultOf(await run(args), host)
    assert.equal([after.changed, after.unknown, after.roundTrips], [0, 0, 1], `killed at change ${k}`)
    // The step that was cut off may have made its change, so that nothing is left to do, and still be on its way out.
    await inVps(host, 'flock /run/botgarden/lock true')
    assert.equal(await leftovers(host), [], `killed at change ${k}`)
    if (!reached) break
    kills++
  }
  process.stdout.write(`killed at ${kills} changes\n`)
  assert.ok(kills > 4, `${kills} kills`)
}

test.run()
