// Needs a bare VPS for each story: what is cut short is a first installation.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { leftovers } from '../support/vps/leftovers.ts'

const host = 'cut'
const site = ['playbooks/site.ts', '-i', inventoryOf(host), '--tags', 'docker', '--json']

test.before.each(() => freshVps(host))
test.after(() => removeVps(host))

test('Ctrl-C inside apt: exit code 130, a clear last line, and the host goes on to the next whole state', async () => {
  const { child, ended, seen } = start([...site, '-v'])
  assert.ok(await seen(/Unpacking docker\.io/))
  if (child.pid) process.kill(-child.pid, 'SIGINT')
  const { code, stderr } = await ended
  assert.is(code, 130)
  const lines = stderr.trim().split('\n')
  assert.match(lines.at(-2) ?? '', /^cut {2}while running package:.*run again for the rest$/)
  assert.is(lines.at(-1), 'botgarden: stopped by Ctrl-C')
  await hostIsIntact()
})

test('SIGKILL of the runner inside apt: apt runs to its end, and the next run does the rest', async () => {
  const { ended, seen, kill } = start([...site, '-v'])
  assert.ok(await seen(/Unpacking docker\.io/))
  kill()
  await ended
  await hostIsIntact()
})

async function hostIsIntact(): Promise<void> {
  const next = await run([...site, '--wait'])
  assert.is(next.code, 0, resultOf(next, host).error)
  const after = resultOf(await run(site), host)
  assert.equal([after.changed, after.unknown, after.roundTrips], [0, 0, 1])
  assert.is((await inVps(host, 'dpkg --audit')).stdout, '')
  await pause(1000)
  assert.equal(await leftovers(host), [])
}

test.run()
