// The runner is killed when the k-th change of a first installation starts, for every k, each on a bare VPS of its own.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps } from '../../sandbox/index.ts'
import { leftovers } from '../support/leftovers.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'

const host = 'killed'
const site = ['playbooks/site.ts', '-i', inventoryOf(host), '--json']
// More than there are: the first k that is never reached ends the campaign.
const most = 40

test.after(() => removeVps(host))

test('SIGKILL at the start of every change: the next run converges and nothing half-written stays', async () => {
  let kills = 0
  for (let k = 1; k <= most; k++) {
    await freshVps(host)
    const { child, ended, seen } = start(site)
    const reached = await seen(new RegExp(`(▸[^]*){${k}}`))
    if (reached && child.pid) process.kill(-child.pid, 'SIGKILL')
    await ended
    const next = resultOf(await run([...site, '--wait']), host)
    assert.is(next.error, undefined, `killed at change ${k}`)
    const after = resultOf(await run(site), host)
    assert.equal([after.changed, after.unknown, after.roundTrips], [0, 0, 1], `killed at change ${k}`)
    assert.equal(await leftovers(host), [], `killed at change ${k}`)
    if (!reached) break
    kills++
  }
  process.stdout.write(`killed at ${kills} changes\n`)
  assert.ok(kills > 4 && kills < most, `${kills} kills`)
})

test.run()
