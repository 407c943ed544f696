// Needs a bare VPS of its own: `guarded`. The playbook that cuts the operator off stands in test/support/vps/cut-off.ts.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, inVps, removeVps, restartVps } from '../../sandbox/index.ts'
import { waitUntil } from '../../sandbox/machine/process.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { overSsh, sshWith } from '../support/vps/ssh.ts'

const host = 'guarded'
const mark = '/etc/ssh/sshd_config.d/00-cut-off.conf'
// Where the host has to be left alone: short, so that the tests do not wait a minute each.
const briefly = { BOTGARDEN_GUARD_SECONDS: '20' }
const cutOff = (how: string) => [
  'test/support/vps/cut-off.ts',
  '-i',
  inventoryOf(host, { docker: undefined, 'cut-off': { how } }),
  '--json',
]

test.before(() => freshVps(host))
test.before.each(async () => {
  await inVps(host, `rm -f ${mark}; systemctl restart ssh`)
})
test.after(() => removeVps(host))

test('a change that is confirmed stays, and leaves nothing of the guard behind', async () => {
  const { code, stdout, stderr } = await run(cutOff('all is well'))
  assert.is(code, 0, stdout + stderr)
  assert.equal(await traces(), [mark])
})

test('an sshd that lets nobody in is taken back at once, with exit code 5', async () => {
  const cut = await run(cutOff('no user may log in'))
  assert.is(cut.code, 5)
  const { status, error } = resultOf(cut, host)
  assert.is(status, 'reverted')
  assert.match(error, /^sshd: the change was reverted, since no new login was possible: .*Permission denied/)
  await hostIsAsBefore()
})

test('a step that fails under a guard has its half taken back', async () => {
  const failed = await run(cutOff('the step fails'))
  assert.is(failed.code, 3)
  assert.match(resultOf(failed, host).error, /Nonsense.*was reverted/s)
  await hostIsAsBefore()
})

test('an sshd that ends for its new files is started again with the old ones', async () => {
  const ended = await run(cutOff('no listening socket'))
  assert.is(ended.code, 3, ended.stdout)
  assert.match(resultOf(ended, host).error, /was reverted/)
  await hostIsAsBefore()
})

test('a step that goes on beyond the time to confirm is ended before its change is taken back', async () => {
  const late = await run(cutOff('too late'), { BOTGARDEN_GUARD_SECONDS: '8' })
  assert.is(late.code, 3, late.stdout)
  assert.match(resultOf(late, host).error, /was reverted/)
  // For as long as it would have gone on.
  await pause(5000)
  await hostIsAsBefore()
})

for (const [what, prepare, mend] of [
  [
    'where a file cannot be replaced',
    // As after chattr +i, which the VPS may not do.
    'mount --bind /etc/ssh/moduli /etc/ssh/moduli',
    'umount /etc/ssh/moduli',
  ],
  ['where /etc/ssh is a link', 'mv /etc/ssh /srv/ssh; ln -s /srv/ssh /etc/ssh', 'rm /etc/ssh; mv /srv/ssh /etc/ssh'],
] as const) {
  test(`a change is taken back ${what}`, async () => {
    const files = "find /etc/ssh/ -type f -exec sha256sum {} + -exec stat -c '%n %a %U %G' {} + | sort"
    await inVps(host, prepare)
    const before = (await inVps(host, files)).stdout
    const cut = await run(cutOff('no user may log in'))
    assert.is(cut.code, 5, cut.stdout)
    assert.is((await inVps(host, files)).stdout, before)
    await hostIsAsBefore()
    assert.is((await inVps(host, mend)).status, 0)
  })
}

test('a change is taken back where systemd will not start what takes it back', async () => {
  const cut = await run(cutOff('systemd starts nothing any more'))
  await inVps(host, 'rm /run/systemd/system.control/botgarden-guard.service; systemctl daemon-reload')
  assert.is(cut.code, 5, cut.stdout)
  await hostIsAsBefore()
})

test('a runner that is killed right after arming: the host takes it back alone', async () => {
  await killedAfterArming('all is well', briefly)
  await stepEnded()
  await inVps(host, `printf 'DenyUsers *\\n' >${mark}; systemctl restart ssh`)
  assert.is((await overSsh(host, 'true')).code, 255)
  await hostIsAsBefore('reverted')
})

test('the same with a reboot in between', async () => {
  await killedAfterArming('all is well')
  await stepEnded()
  await inVps(host, `printf 'DenyUsers *\\n' >${mark}`)
  await restartVps(host)
  await hostIsAsBefore('reverted')
})

// It also clears away what the runs above left: the verdicts.
test('the next run takes back what nobody will confirm any more, and plans anew', async () => {
  await killedAfterArming('all is well')
  await stepEnded()
  await inVps(host, `printf 'DenyUsers nobody\\n' >${mark}; chmod 600 /etc/ssh/sshd_config`)
  await inVps(host, `rm ${mark}`)
  const next = await run(cutOff('all is well'))
  assert.is(next.code, 0, next.stdout)
  assert.equal(await traces(), [mark])
  assert.is((await inVps(host, 'stat -c %a /etc/ssh/sshd_config')).stdout.trim(), '644')
})

test('a ufw rule set that drops every packet of the runner is taken back by the host, with exit code 5', async () => {
  const install =
    'apt-get update -q && apt-get install -qy --no-install-recommends ufw && ufw allow 22/tcp && ufw --force enable'
  const { status, stderr } = await inVps(host, install)
  assert.is(status, 0, stderr)
  const before = (await inVps(host, 'ufw status verbose; cat /etc/ufw/before.rules')).stdout
  const cut = await run(cutOff('every packet is dropped'), briefly)
  assert.is(cut.code, 5, cut.stdout)
  assert.is((await inVps(host, 'ufw status verbose; cat /etc/ufw/before.rules')).stdout, before)
  assert.is((await overSsh(host, 'true')).code, 0)
})

test('the same with the runner killed and a reboot in between', async () => {
  const before = (await inVps(host, 'cat /etc/ufw/before.rules')).stdout
  await killedAfterArming('every packet is dropped')
  assert.is((await inVps(host, "until iptables-save | grep -q 'dport 22 -j DROP'; do sleep 0.1; done")).status, 0)
  assert.match((await inVps(host, 'cat /etc/ufw/before.rules')).stdout, '--dport 22 -j DROP')
  assert.is((await sshWith(['-o', 'ConnectTimeout=3'], host, 'true')).code, 255)
  await restartVps(host)
  assert.ok(await waitUntil(60, async () => (await overSsh(host, 'true')).code === 0))
  assert.is((await inVps(host, 'cat /etc/ufw/before.rules')).stdout, before)
})

/** SIGKILLs the runner when the clock runs and the change has begun, so that nobody confirms; the host still makes it. */
async function killedAfterArming(how: string, env = { BOTGARDEN_GUARD_SECONDS: '600' }): Promise<void> {
  const { ended, seen, kill } = start(cutOff(how), env)
  assert.ok(await seen(/▸ cut-off:/))
  kill()
  await ended
}

/** Waits for the lock, which the shell of a run that was killed holds until the step that it had begun has ended. */
async function stepEnded(): Promise<void> {
  assert.is((await inVps(host, 'flock /run/botgarden/lock true')).status, 0)
}

async function hostIsAsBefore(verdict?: 'reverted'): Promise<void> {
  const left = verdict === 'reverted' ? ['/var/lib/botgarden/guard'] : []
  // Left alone, it does that in its own time.
  if (verdict === 'reverted') await waitUntil(120, async () => (await traces()).join() === left.join())
  assert.equal(await traces(), left)
  assert.is((await overSsh(host, 'true')).code, 0)
}

/** What stands on the host of the change and of the guard; a clock that still runs is shown too. */
async function traces(): Promise<string[]> {
  const { stdout } = await inVps(
    host,
    `ls -d ${mark} /var/lib/botgarden/guard 2>/dev/null
     for state in armed reverting; do [ ! -e /var/lib/botgarden/guard/$state ] || echo $state; done
     systemctl list-timers --all --no-legend 'botgarden*'`,
  )
  return stdout.split('\n').filter(Boolean)
}

test.run()
