// What a host does alone with a change that nobody confirmed: run in a real sh on a folder that stands for the host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { guardFolder, takeBack, takeBackUnit } from '../../../lib/engine/revert-script.ts'
import { scratchHost } from '../../support/scratch-host.ts'

/** A host whose /etc/ssh was kept as it was, and changed since. */
function changed() {
  const host = scratchHost()
  const old = `${guardFolder}/old${host.root}/etc/ssh`
  host.write(`${guardFolder}/armed`, '')
  host.write(`${guardFolder}/paths`, `${host.root.slice(1)}/etc/ssh\n${host.root.slice(1)}/etc/never-there\n`)
  host.write(`${guardFolder}/restore`, `{ echo restarted; cat ${host.root}/etc/ssh/sshd_config; } >>"$STATE/calls"\n`)
  host.write(`${old}/sshd_config`, 'old\n', 0o600)
  host.write(`${old}/same`, 'same\n')
  host.write(`${old}/was-folder/file`, 'inside\n')
  host.write('/etc/ssh/sshd_config', 'new\n')
  host.write('/etc/ssh/same', 'same\n')
  host.write('/etc/ssh/was-folder', 'now a file\n')
  host.write('/etc/ssh/sshd_config.d/00-new.conf', 'DenyUsers *\n')
  host.write('/etc/never-there', 'new\n')
  host.write('/etc/other', 'not guarded\n')
  return host
}
const verdict = (host: ReturnType<typeof changed>) =>
  ['armed', 'reverting', 'reverted', 'confirmed'].filter((each) => host.there(`${guardFolder}/${each}`)).join()

for (const begun of ['armed', 'reverting'])
  test(`old files come back, new ones go, and only then their daemon is told: ${begun}`, async () => {
    const host = changed()
    await host.run(`mv -f ${guardFolder}/armed ${guardFolder}/${begun} 2>/dev/null`, { args: [] })
    const { output, calls } = await host.run(takeBack, { args: [] })
    assert.is(output, '')
    assert.equal(host.list('/etc/ssh'), ['same', 'sshd_config', 'was-folder'])
    assert.is(host.read('/etc/ssh/sshd_config'), 'old\n')
    assert.is(host.mode('/etc/ssh/sshd_config'), '600')
    assert.is(host.read('/etc/ssh/was-folder/file'), 'inside\n')
    assert.not.ok(host.there('/etc/never-there'))
    assert.is(host.read('/etc/other'), 'not guarded\n')
    assert.equal(calls.slice(-3), ['restarted', 'old', 'sync -f .'])
    assert.is(verdict(host), 'reverted')
  })

test('what the guarded step still does is ended before', async () => {
  const host = changed()
  const { calls } = await host.run(takeBack, { args: [] })
  assert.equal(calls.slice(0, 2), [
    'systemctl kill --signal=KILL botgarden-guarded-*',
    'systemctl stop botgarden-guarded-*',
  ])
})

test('what was confirmed stays, and so does all where nothing is guarded', async () => {
  const host = changed()
  await host.run(`mv ${guardFolder}/armed ${guardFolder}/confirmed`)
  const { calls } = await host.run(takeBack, { args: [] })
  assert.equal(calls, [])
  assert.is(host.read('/etc/ssh/sshd_config'), 'new\n')
  assert.is(verdict(host), 'confirmed')
  const { code, output } = await scratchHost().run(`rm -rf ${guardFolder}\n${takeBack}`, { args: [] })
  assert.is(code, 0)
  assert.match(output, /^(sh: .*)?/)
})

test('a link comes back as the link that it was', async () => {
  const host = changed()
  await host.run(
    `ln -s somewhere ${guardFolder}/old${host.root}/etc/ssh/link; rm -rf /etc/ssh/link; mkdir /etc/ssh/link; touch /etc/ssh/link/x`,
  )
  await host.run(takeBack, { args: [] })
  assert.is((await host.run('readlink /etc/ssh/link')).stdout, 'somewhere\n')
})

test('a folder that went comes back, with all that was in it', async () => {
  const host = changed()
  await host.run('rm -r /etc/ssh')
  await host.run(takeBack, { args: [] })
  assert.equal(host.list('/etc/ssh'), ['same', 'sshd_config', 'was-folder'])
  assert.is(host.read('/etc/ssh/was-folder/file'), 'inside\n')
})

test('systemd does it by the clock and after a boot, where it was begun or is still to be done', () => {
  const unit = takeBackUnit.split('\n')
  assert.equal(
    unit.filter((line) => line.startsWith('Condition')),
    ['armed', 'reverting'].map((each) => `ConditionPathExists=|/var/lib/botgarden/guard/${each}`),
  )
  assert.ok(unit.includes('WantedBy=multi-user.target'))
  assert.ok(unit.includes('ExecStart=/bin/sh /var/lib/botgarden/guard/take-back'))
})

test.run()
