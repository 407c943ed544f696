// Needs a bare VPS of its own: `locked`.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../lib/shell/sh.ts'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, scratchInventory, start } from '../support/runner.ts'

const host = 'locked'
const site = ['playbooks/site.ts', '-i', inventoryOf(host), '--tags', 'docker', '--json']

test.before(async () => {
  await freshVps(host)
  // An installation takes for as long as a test wants.
  const hook = `APT::Update::Pre-Invoke {"while [ -e /run/held ]; do sleep 0.1; done";};`
  await inVps(host, `printf '%s\\n' ${quote(hook)} >/etc/apt/apt.conf.d/99held`)
})
test.after(() => removeVps(host))

test('a second run names the first, its start and its step, and touches nothing; with --wait it waits its turn', async () => {
  await inVps(host, 'touch /run/held')
  const first = start(site)
  assert.ok(await first.seen(/▸ package:/))
  const second = await run(site)
  assert.is(second.code, 3)
  const { error, changed } = resultOf(second, host)
  assert.match(
    error,
    /^is being changed by \S+@\S+, site\.ts, since 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC, at package:.*install: --wait waits for it$/,
  )
  assert.is(changed, 0)
  const check = await run([...site, '--check'])
  assert.is(check.code, 2, 'a check takes no lock and waits for none')

  const third = start([...site, '--wait'])
  assert.ok(await third.seen(/waiting for .*site\.ts, since/))
  await inVps(host, 'rm /run/held')
  const [one, other] = [await first.ended, await third.ended]
  assert.equal([one.code, other.code], [0, 0], resultOf(other, host).error)
})

test('a long step keeps the lock when its runner is gone, and its daemons do not', async () => {
  await inVps(host, 'dpkg --purge docker-compose; touch /run/held')
  const { child, ended, seen } = start(site)
  assert.ok(await seen(/▸ package:docker-compose/))
  await inVps(host, 'while flock -n /run/botgarden/step true; do sleep 0.1; done')
  if (child.pid) process.kill(-child.pid, 'SIGKILL')
  await ended
  await inVps(host, 'echo >>/etc/docker/daemon.json')
  const busy = await run(site)
  assert.match(resultOf(busy, host).error ?? '', /is being changed by/)
  await inVps(host, 'rm /run/held')
  const next = await run([...site, '--wait'])
  assert.is(next.code, 0, resultOf(next, host).error)
  await inVps(host, 'chmod 600 /etc/docker/daemon.json')
  assert.is((await run(site)).code, 0, 'nothing holds the lock any more')
})

test('the kernel frees the lock of a connection that ends', async () => {
  const { stdout } = await inVps(host, 'flock -n /run/botgarden/lock echo free; flock -n /run/botgarden/step echo free')
  assert.is(stdout, 'free\nfree\n')
})

test('what changes between the plan and its turn is planned anew, and then done right', async () => {
  await inVps(host, 'chmod 600 /etc/docker/daemon.json')
  await begin('exec flock /run/botgarden/lock sh -c "systemd-notify --ready; exec sleep infinity"')
  const waiting = start([...site, '--wait'])
  assert.ok(await waiting.seen(/waiting for/))
  await inVps(host, 'chmod 755 /etc/docker/daemon.json; chmod 700 /etc/docker')
  await end()
  const result = resultOf(await waiting.ended, host)
  assert.is(result.error, undefined)
  assert.equal(
    result.changes.map(({ id, summary }: Record<string, string>) => `${id}: ${summary}`),
    ['directory:/etc/docker: mode 0700 → 0755', 'file:/etc/docker/daemon.json: mode 0755 → 0644'],
  )
  assert.is(result.roundTrips, 4)
})

test('a host that will not hold still is left alone', async () => {
  await inVps(host, 'chmod 700 /etc/docker')
  await begin(
    'systemd-notify --ready; while :; do date +%N >/run/next; mv /run/next /run/botgarden/docker.started-with; done',
  )
  const stopped = await run(site)
  assert.is(stopped.code, 3)
  assert.match(resultOf(stopped, host).error, /another program is changing this host/)
  assert.is(resultOf(stopped, host).changed, 0)
  await end()
  assert.is((await run(site)).code, 0)
})

/** Has something go on in the host, and returns when it says that it does. */
async function begin(script: string): Promise<void> {
  const unit = 'systemd-run --quiet --unit=meanwhile --property=Type=notify --property=NotifyAccess=all'
  const { status, stderr } = await inVps(host, `${unit} sh -c ${quote(script)}`)
  assert.is(status, 0, stderr)
}

async function end(): Promise<void> {
  await inVps(host, 'systemctl stop meanwhile')
}

test('a long step that prints a flood takes a bounded part of /run, and its last line is shown', async () => {
  const script =
    "yes 'a line of a build' | head -c 30000000; du -sk /run/botgarden/steps >/run/kept; echo; echo its last line"
  const flood = await run(['test/support/vps/flood.ts', '-i', scratchInventory(host, { flood: { script } }), '-v'])
  assert.is(flood.code, 0, flood.stdout)
  assert.match(flood.stderr, 'its last line')
  assert.ok(Number.parseInt((await inVps(host, 'cat /run/kept')).stdout, 10) < 6000)
  assert.is((await inVps(host, 'ls /run/botgarden/steps')).stdout, '')
})

test.run()
