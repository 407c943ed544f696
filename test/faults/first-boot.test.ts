// Needs a bare VPS of its own, `young`, in which a real cloud-init is at work for a while after the boot.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, restartVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, start } from '../support/runner.ts'

const host = 'young'
const config = `datasource_list: [NoCloud]
ssh_deletekeys: false
disable_root: false
preserve_hostname: true
network: { config: disabled }
apt: { preserve_sources_list: true }
`

test.before(async () => {
  await freshVps(host)
  const { status, stderr } = await inVps(
    host,
    `apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends cloud-init
     mkdir -p /var/lib/cloud/seed/nocloud
     printf '%s' '${config}' >/etc/cloud/cloud.cfg.d/99-test.cfg
     echo 'instance-id: young' >/var/lib/cloud/seed/nocloud/meta-data
     printf '#cloud-config\\nruncmd: [[sleep, "15"], [touch, /root/set-up]]\\n' >/var/lib/cloud/seed/nocloud/user-data`,
    { seconds: 180 },
  )
  assert.is(status, 0, stderr)
})
test.after(() => removeVps(host))

test('a first boot that is still under way is waited for, and said', async () => {
  // Ready is when sshd answers, which is long before cloud-init has ended.
  const rebooted = restartVps(host).catch(() => {})
  const atWork = '[ -e /run/cloud-init/enabled ] && ! [ -e /run/cloud-init/result.json ] && systemctl is-active ssh'
  for (let tries = 0; tries < 300 && (await inVps(host, atWork)).status !== 0; tries++) await pause(200)
  const check = start(['playbooks/site.ts', '-i', inventoryOf(host), '--tags', 'docker', '--check', '--json'])
  assert.ok(await check.seen(/waiting for cloud-init/))
  const result = resultOf(await check.ended, host)
  assert.is(result.error, undefined)
  assert.is((await inVps(host, 'cloud-init status; ls /root/set-up')).stdout, 'status: done\n/root/set-up\n')
  await rebooted
})

test.run()
