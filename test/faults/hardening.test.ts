// Needs a bare VPS of its own: `hardened`. What an auditor that is not ours says of a host that has every role.
import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { freshVps, removeVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'
import { outputIn } from '../support/vps/inside.ts'
import { overSsh } from '../support/vps/ssh.ts'

const host = 'hardened'
const inventory = inventoryOf(host, { base: { packages: ['lynis'] } })
const site = () => run(['playbooks/site.ts', '-i', inventory, '--json'])
const inside = outputIn(host)

/** Warnings that stay, by lynis's id, each with its reason: there are none. */
const warningsLeft: Readonly<Record<string, string>> = {}

test.before(() => freshVps(host))
test.after(() => removeVps(host))

test('lynis gives the host 80 points or more, and warns of nothing', async () => {
  const applied = await site()
  assert.is(applied.code, 0, applied.stderr)
  // The night that comes after it: the image may be older than the last security update.
  const nightly = 'apt-daily-upgrade.service'
  await inside(`systemctl start --no-block ${nightly}`)
  // Asked again and again: systemd may be among the updates, which ends what waits for it.
  const ended = '^ActiveState=(inactive|failed) ExecMainExitTimestampMonotonic=[1-9]'
  await inside(
    `until systemctl show -p ActiveState -p ExecMainExitTimestampMonotonic ${nightly} | sort | paste -sd ' ' | grep -qE '${ended}'; do sleep 1; done`,
  )
  assert.match(await inside(`systemctl show --value -p Result ${nightly}`), /^success$/m)
  await inside('cd / && lynis audit system --quick --no-colors >/dev/null 2>&1 || :')
  const report = await inside('cat /var/log/lynis-report.dat')
  const values = (key: string) => [...report.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, value = '']) => value)
  assert.equal(
    values('warning\\[\\]').filter((warning) => !((warning.split('|')[0] ?? '') in warningsLeft)),
    [],
  )
  const [index] = values('hardening_index')
  assert.ok(Number(index) >= 80, `hardening index ${index}: ${values('suggestion\\[\\]').join('\n')}`)
})

test('docs/security.md says why a suggestion is left', async () => {
  const report = await inside('cat /var/log/lynis-report.dat')
  const left = [...report.matchAll(/^suggestion\[\]=([^|]+)/gm)].map(([, id = '']) => id)
  const docs = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8')
  assert.ok(left.includes('AUTH-9328'))
  assert.equal(
    [...new Set(left)].filter((id) => !docs.includes(id)),
    [],
  )
})

test('a second run changes nothing', async () => {
  const { changed, unknown, failed, error } = resultOf(await site(), host)
  assert.equal({ changed, unknown, failed }, { changed: 0, unknown: 0, failed: 0 }, error)
})

test('no login and no child of it leaves a core dump, and each has its own directory for temporary files', async () => {
  const { stdout } = await overSsh(host, 'ulimit -Hc; ulimit -Sc; echo $TMPDIR; stat -c %a $TMPDIR')
  assert.is(stdout, '0\n0\n/tmp/user/0\n700\n')
})

test('what changes in the configuration is in the journal the next day, and only once', async () => {
  const report = () =>
    inside(`
      cursor=$(journalctl --lines 1 --show-cursor | sed -n 's/^-- cursor: //p')
      systemctl start botgarden-changes
      journalctl --sync
      journalctl -o cat -u botgarden-changes --after-cursor "$cursor"`)
  await report()
  await inside('mkdir -p /root/.ssh && echo "# somebody" >>/root/.ssh/authorized_keys && touch /usr/local/bin/new')
  const said = await report()
  assert.match(said, '/root/.ssh/authorized_keys')
  assert.match(said, '/usr/local/bin/new')
  assert.not.match(await report(), '/usr/local/bin/new')
})

test('the files of packages are compared, and what differs is in the journal', async () => {
  await inside('echo "# spoilt" >>/usr/bin/c_rehash')
  await inside('/etc/cron.weekly/debsums >/dev/null; journalctl --sync')
  assert.match(await inside('journalctl -o cat -t debsums'), '/usr/bin/c_rehash')
})

test.run()
