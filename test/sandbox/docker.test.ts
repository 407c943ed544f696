// Needs a bare VPS of its own: `built`.

import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
import { outputIn } from '../support/vps/inside.ts'
import { difference, snapshot } from '../support/vps/snapshot.ts'
import { overSsh } from '../support/vps/ssh.ts'

const host = 'built'
const site = (...args: string[]) =>
  run(['playbooks/site.ts', '-i', inventoryOf(host), '--tags', 'docker', '--json', ...args])

test.before(() => freshVps(host))
test.after(() => removeVps(host))

test('a check of a bare host says what a run then does, and writes nothing', async () => {
  const before = await snapshot(host)
  const check = await site('--check')
  const checked = resultOf(check, host)
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(check.code, 2)
  assert.is(checked.unknown, 0)

  const apply = await site()
  const applied = resultOf(apply, host)
  assert.is(apply.code, 0, apply.stderr)
  assert.equal([...applied.ids].sort(), [...checked.ids, ...checked.unknownIds].sort())
  assert.is(applied.roundTrips, 2)
})

test('a second run changes nothing, in one round trip', async () => {
  const second = await site()
  const { changed, unknown, failed, roundTrips } = resultOf(second, host)
  assert.equal({ changed, unknown, failed, roundTrips }, { changed: 0, unknown: 0, failed: 0, roundTrips: 1 })
  assert.is(second.code, 0)
})

test('a check of a built host finds nothing unknown and exits with 0', async () => {
  const before = await snapshot(host)
  const check = await site('--check')
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(check.code, 0)
  assert.is(resultOf(check, host).unknown, 0)
})

test('Docker works, as seen from outside of our code', async () => {
  assert.match((await overSsh(host, 'docker compose version')).stdout, /^Docker Compose version v?2\./)
  assert.match((await overSsh(host, 'docker run --rm debian:13-slim cat /etc/debian_version')).stdout, /^13/)
  assert.is((await overSsh(host, 'systemctl is-system-running')).stdout.trim(), 'running')
  const info = JSON.parse((await overSsh(host, 'docker info --format "{{json .}}"')).stdout)
  assert.is(info.LoggingDriver, 'local')
  assert.is(info.LiveRestoreEnabled, true)
  assert.is(info.DefaultAddressPools[0].Base, '10.211.0.0/16')
})

for (const [how, command, id, summary] of [
  ['the mode of a file', 'chmod 600 /etc/docker/daemon.json', 'file:/etc/docker/daemon.json', 'mode 0600 → 0644'],
  [
    'the owner of a file',
    'chown daemon:daemon /etc/docker/daemon.json',
    'file:/etc/docker/daemon.json',
    'owner daemon:daemon → root:root',
  ],
  ['the content of a file', 'echo "{}" >/etc/docker/daemon.json', 'file:/etc/docker/daemon.json', 'content'],
  ['a file', 'rm /etc/docker/daemon.json', 'file:/etc/docker/daemon.json', 'create'],
  ['a directory', 'chmod 700 /etc/docker', 'directory:/etc/docker', 'mode 0700 → 0755'],
  [
    'a drop-in',
    'echo >>/etc/systemd/system/docker.service.d/botgarden.conf && systemctl daemon-reload',
    'file:/etc/systemd/system/docker.service.d/botgarden.conf',
    'content',
  ],
  ["a unit's start", 'systemctl stop docker.socket docker.service', 'unit:docker.service', 'start'],
  ["a unit's start at boot", 'systemctl disable --quiet containerd', 'unit:containerd.service', 'enable'],
  ['a package', 'dpkg --remove docker-compose', 'package:docker-compose', 'install'],
  [
    'what the daemon runs with',
    'echo other >/run/botgarden/docker.started-with',
    'docker:config',
    'restart the daemon with its new configuration',
  ],
] as const) {
  test(`spoilt by hand, ${how} is the one change that a check sees and a run makes`, async () => {
    await outputIn(host)(command)
    const expected = [{ id, summary, role: 'docker' }]
    assert.equal(resultOf(await site('--check'), host).changes, expected)
    const mended = resultOf(await site(), host)
    assert.equal(mended.changes, expected, mended.error)
    assert.is(resultOf(await site(), host).changed, 0)
  })
}

test('containers outlive the restart of the daemon', async () => {
  await overSsh(host, 'docker run -d --name lives debian:13-slim sleep 600')
  const startedAt = 'docker inspect -f "{{.State.StartedAt}} {{.State.Running}}" lives'
  const before = (await overSsh(host, startedAt)).stdout
  await inVps(host, 'echo other >/run/botgarden/docker.started-with')
  assert.is(resultOf(await site(), host).changed, 1)
  assert.is((await overSsh(host, startedAt)).stdout, before)
  await overSsh(host, 'docker rm -f lives')
})

test('a setting that dockerd refuses stays out, in a check and in a run, and the old file stays', async () => {
  const inventory = inventoryOf(host, { docker: { daemon: { 'storage-driver': 7 } } })
  const before = (await inVps(host, 'stat -c %y%i /etc/docker/daemon.json; cat /etc/docker/daemon.json')).stdout
  for (const flags of [['--check'], []]) {
    const refused = await run(['playbooks/site.ts', '-i', inventory, '--tags', 'docker', '--json', ...flags])
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, /file:\/etc\/docker\/daemon.json.*\n.*storage-driver/s)
    assert.is((await inVps(host, 'stat -c %y%i /etc/docker/daemon.json; cat /etc/docker/daemon.json')).stdout, before)
  }
})

test('what others wrote into daemon.json stays', async () => {
  await inVps(host, `sed -i '1a "debug": true,' /etc/docker/daemon.json && systemctl restart docker`)
  assert.is(resultOf(await site(), host).changed, 0)
  assert.match((await inVps(host, 'cat /etc/docker/daemon.json')).stdout, /"debug": true/)
  await inVps(host, `sed -i 2d /etc/docker/daemon.json && systemctl restart docker`)
})

test('a daemon.json that is not JSON is left alone, and said', async () => {
  await inVps(host, 'cp -p /etc/docker/daemon.json /root/kept && echo "{broken" >/etc/docker/daemon.json')
  const refused = await site()
  assert.is(refused.code, 3)
  assert.match(resultOf(refused, host).error, /daemon.json is not JSON/)
  await inVps(host, 'mv /root/kept /etc/docker/daemon.json')
  assert.is(resultOf(await site(), host).changed, 0)
})

test.run()
