// A runner whose packets are dropped without a word: the lock is free again within a minute, as sshd notices.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, sshConfigFor } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, scratchFile, start } from '../support/runner.ts'
import { type CountingProxy, countingProxy } from '../support/vps/proxy.ts'
import { portOf } from '../support/vps/ssh.ts'

const host = 'lost'
let proxy: CountingProxy | undefined
const site = (inventory: string) => ['playbooks/site.ts', '-i', inventory, '--json']

test.before(async () => {
  await freshVps(host)
  assert.is((await run(site(inventoryOf(host)))).code, 0)
})
test.after(async () => {
  // Else a test that has failed would never end.
  await proxy?.close()
  await removeVps(host)
})

test('packets dropped in the middle of a long step: the step ends, the lock is free within a minute of it', async () => {
  const port = portOf(host)
  proxy = await countingProxy(port)
  const config = readFileSync(sshConfigFor(host), 'utf8').replace(
    `Port ${port}`,
    `Port ${proxy.port}\n  HostKeyAlias [127.0.0.1]:${port}`,
  )
  const inventory = inventoryOf(host, {}, { sshConfig: scratchFile('lost_ssh_config', config) })
  await inVps(host, 'dpkg --purge docker-compose')
  // The step takes as long as the other run needs to meet it.
  const wait = `DPkg::Pre-Invoke { "while [ -e /run/hold ]; do sleep 0.2; done"; };`
  await inVps(host, `touch /run/hold; echo '${wait}' >/etc/apt/apt.conf.d/99hold`)

  const { ended, seen } = start(site(inventory), { BOTGARDEN_CONTROL_PERSIST: '0' })
  assert.ok(await seen(/▸ package:docker-compose/))
  await until(60, "pgrep -f 'while \\[ -e /run/hold'")
  proxy.blackhole()
  const busy = await run(site(inventoryOf(host)))
  await inVps(host, 'rm /run/hold /etc/apt/apt.conf.d/99hold')
  assert.match(resultOf(busy, host).error, /is being changed by/)

  await until(60, 'dpkg -s docker-compose >/dev/null 2>&1 && ! systemctl is-active -q "botgarden-*.service"')
  const seconds = await until(60, 'flock -n /run/botgarden/lock flock -n /run/botgarden/step true')
  process.stdout.write(`the lock was free ${seconds} s after the step had ended\n`)
  const { code } = await ended
  assert.is(code, 4)
  assert.is((await run(site(inventoryOf(host)))).code, 0)
})

/** The seconds until a command in the VPS succeeds; fails the test when these are over. */
async function until(seconds: number, command: string): Promise<number> {
  const start = Date.now()
  while ((await inVps(host, command)).status !== 0) {
    assert.ok(Date.now() - start < seconds * 1000, `not within ${seconds} s: ${command}`)
    await pause(500)
  }
  return Math.round((Date.now() - start) / 1000)
}

test.run()
