// Needs a bare VPS of its own: `counted`.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { connect } from '../../lib/ssh/connection.ts'
import { freshVps, inVps, removeVps, sshConfigFor } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, scratchFile } from '../support/runner.ts'
import { type CountingProxy, countingProxy } from '../support/vps/proxy.ts'
import { portOf } from '../support/vps/ssh.ts'

const host = 'counted'
// A kept connection would be another one than the proxy sees.
const cold = { BOTGARDEN_CONTROL_PERSIST: '0' }
let proxy: CountingProxy
let inventory: string

test.before(async () => {
  await freshVps(host)
  const config = readFileSync(sshConfigFor(host), 'utf8')
  const port = portOf(host)
  proxy = await countingProxy(port)
  const through = config.replace(`Port ${port}`, `Port ${proxy.port}\n  HostKeyAlias [127.0.0.1]:${port}`)
  inventory = inventoryOf(host, {}, { sshConfig: scratchFile('ssh_config', through) })
  assert.is((await site()).code, 0)
})
test.after(async () => {
  await proxy.close()
  await removeVps(host)
})

test('the wire shows as many turns as requests, beyond those of the connection itself', async () => {
  const none = await turnsOf(0)
  assert.equal([await turnsOf(1), await turnsOf(2), await turnsOf(5)], [none + 1, none + 2, none + 5])
})

test('nothing to change is one round trip, counted on the wire', async () => {
  const { changed, roundTrips, onTheWire } = await counted(async () => {})
  assert.equal({ changed, roundTrips, onTheWire }, { changed: 0, roundTrips: 1, onTheWire: 1 })
})

test('changes are one round trip more, counted on the wire', async () => {
  const { changed, roundTrips, onTheWire } = await counted(() => inVps(host, 'chmod 600 /etc/docker/daemon.json'))
  assert.equal({ changed, roundTrips, onTheWire }, { changed: 1, roundTrips: 2, onTheWire: 2 })
})

/** A run of its own after this, and the turns of its connection beyond those that any has. */
async function counted(before: () => Promise<unknown>) {
  await before()
  const none = await turnsOf(0)
  const start = proxy.turns()
  const result = resultOf(await site(), host)
  return { ...result, onTheWire: proxy.turns() - start - none }
}

function site() {
  return run(['playbooks/site.ts', '-i', inventory, '--tags', 'docker', '--json'], cold)
}

/** How often the direction turns for a connection with so many requests. */
async function turnsOf(requests: number): Promise<number> {
  process.env.BOTGARDEN_CONTROL_PERSIST = '0'
  const before = proxy.turns()
  const sshConfig = inventory && readFileSync(inventory, 'utf8').match(/^sshConfig: (.*)$/m)?.[1]
  const connection = await connect({ name: host, ssh: host, sshConfig, acceptNew: false })
  for (let i = 0; i < requests; i++) await connection.request(() => 'echo answer', {})
  await connection.close()
  return proxy.turns() - before
}

test.run()
