// A guarded change: what is kept, how it is taken back, and who decides.
import { existsSync, lstatSync, mkdirSync, readdirSync, readlinkSync, statSync, symlinkSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { applyWithGuard } from '../../../lib/engine/confirm-guard.ts'
import {
  confirmScript,
  guardSeconds,
  revertOrphan,
  revertScript,
  underGuard,
  withGuard,
} from '../../../lib/engine/revert-guard.ts'
import { guardFolder, takeBack, takeBackUnit } from '../../../lib/engine/revert-script.ts'
import type { Step } from '../../../lib/engine/step.ts'
import type { Guard } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { CommandFailed, ConnectError, HostError, Reverted } from '../../../lib/std/errors.ts'
import { type Bench, bench } from '../../support/bench.ts'
import { facts } from '../../support/fake-host.ts'

const guard: Guard = {
  name: 'sshd',
  paths: ['/etc/a', '/etc/d', '/etc/new', '/etc/link', '/etc/gone'],
  note: sh`echo noted >notes`,
  restore: sh`cat notes >/run/restored`,
}
const step = (guards: Guard[], title = 'change'): Step => ({ changes: [], title, script: sh`:`, long: false, guards })

// By the folder's own paths: what the host runs alone is written by the script, in base64.
function guardedHost(): { host: Bench; real: (text: string) => string; arm: () => Promise<{ code: number | null }> } {
  const host = bench(['/etc', '/run', '/var'], {
    systemctl:
      '[ "$*" != "start botgarden-guard.service" ] || [ -e /run/halting ] || sh /var/lib/botgarden/guard/take-back',
    'systemd-run': ':',
  })
  const moved = /(?<![\w./}-])\/(etc|run|var)(?![\w-])/g
  const real = (text: string) => text.replace(moved, (path) => host.at(path))
  const coded = (text: string) =>
    text.replace(/(?<=printf %s )\S+(?= \| base64)/g, (word) =>
      Buffer.from(real(Buffer.from(word, 'base64').toString())).toString('base64'),
    )
  for (const place of ['/etc/systemd/system', '/var/lib']) mkdirSync(host.at(place), { recursive: true })
  const [arm] = withGuard([step([{ ...guard, paths: guard.paths.map((path) => host.at(path)) }])])
  return { host, real, arm: () => host.run(`set -e\n${coded(arm?.script.text ?? '')}`) }
}

async function changed(host: Bench): Promise<void> {
  host.write('/etc/a', 'old\n', 0o640)
  host.write('/etc/d/one', 'one\n')
  mkdirSync(host.at('/etc/d/deep'))
  host.write('/etc/real', 'behind a link\n')
  symlinkSync('real', host.at('/etc/link'))
}

const home = '/var/lib/botgarden/guard'

test('arming keeps the old files, what links lead to, and starts the clock', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  assert.equal(await arm(), { code: 0, output: '' })
  const old = `${home}/old${host.folder}`
  assert.equal(
    [host.text(`${old}/etc/a`), host.text(`${old}/etc/d/one`), host.text(`${old}/etc/real`)],
    [...['old\n', 'one\n', 'behind a link\n']],
  )
  assert.is(statSync(host.at(`${old}/etc/a`)).mode & 0o777, 0o640)
  assert.ok(lstatSync(host.at(`${old}/etc/link`)).isSymbolicLink())
  assert.equal(readdirSync(host.at(home)).sort(), ['armed', 'notes', 'old', 'paths', 'restore', 'take-back'])
  assert.is(statSync(host.at(home)).mode & 0o777, 0o700)
  assert.match(host.text('/etc/systemd/system/botgarden-guard.service') ?? '', /ExecStart=\/bin\/sh \S+take-back\n/)
  assert.equal(host.calls(), [
    'systemctl daemon-reload',
    'systemctl enable --quiet botgarden-guard.service',
    'systemd-run --quiet --on-active=60 --timer-property=AccuracySec=1s --unit=botgarden-guard.service',
  ])
  // Once more, over what is left of the first.
  assert.is((await arm()).code, 0)
  assert.equal(readdirSync(host.at('/var/lib/botgarden')), ['guard'])
  host.remove()
})

test('what is taken back is as it was: contents, modes, links, and nothing that is new', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  await arm()
  const inode = statSync(host.at('/etc/d/one')).ino
  host.write('/etc/a', 'new\n', 0o600)
  host.write('/etc/new', 'new\n')
  host.write('/etc/d/two', 'new\n')
  host.write('/etc/d/more/three', 'new\n')
  host.write('/etc/real', 'changed\n')
  const { output } = await host.run(`export LC_ALL=C\n${revertScript.text}`)
  assert.is(output.trim().split('\n').at(-1), 'verdict reverted')
  assert.equal(
    [host.text('/etc/a'), host.text('/etc/real'), readdirSync(host.at('/etc/d')).sort()],
    [...['old\n', 'behind a link\n', ['deep', 'one']]],
  )
  assert.is(statSync(host.at('/etc/a')).mode & 0o777, 0o640)
  assert.is(readlinkSync(host.at('/etc/link')), 'real')
  assert.not.ok(existsSync(host.at('/etc/new')))
  // What had not changed is not touched.
  assert.is(statSync(host.at('/etc/d/one')).ino, inode)
  assert.is(host.text('/run/restored'), 'noted\n')
  assert.not.ok(existsSync(host.at(home)))
  assert.not.ok(existsSync(host.at('/etc/systemd/system/botgarden-guard.service')))
  const calls = host.calls().slice(3)
  assert.equal(calls, [
    'systemctl start botgarden-guard.service',
    'systemctl kill --signal=KILL botgarden-guarded-*',
    'systemctl stop botgarden-guarded-*',
    'systemctl stop botgarden-guard.timer',
    'systemctl disable --quiet botgarden-guard.service',
    'systemctl daemon-reload',
  ])
  host.remove()
})

test('a directory where a file was, a file where a directory was, and a link that became a file', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  await arm()
  await host.run('rm -r /etc/a /etc/d /etc/link; mkdir /etc/a; : >/etc/a/x; echo file >/etc/d; echo own >/etc/link')
  await host.run(revertScript)
  assert.equal(
    [host.text('/etc/a'), host.text('/etc/d/one'), readlinkSync(host.at('/etc/link'))],
    ['old\n', 'one\n', 'real'],
  )
  assert.ok(statSync(host.at('/etc/d/deep')).isDirectory())
  host.remove()
})

test('a host on its way down takes it back itself, and one that was cut in the middle goes on', async () => {
  const { host, arm, real } = guardedHost()
  await changed(host)
  await arm()
  host.write('/etc/a', 'new\n')
  host.write('/run/halting', '')
  assert.match((await host.run(revertScript)).output, /verdict reverted\n$/)
  assert.is(host.text('/etc/a'), 'old\n')
  await arm()
  host.write('/etc/a', 'new\n')
  await host.run(`mv ${home}/armed ${home}/reverting`)
  assert.is((await host.run(`export LC_ALL=C\n${real(takeBack)}`)).code, 0)
  assert.equal(
    [host.text('/etc/a'), existsSync(host.at(`${home}/reverted`)), existsSync(host.at(`${home}/reverting`))],
    [...['old\n', true, false]],
  )
  // Once decided, it does nothing more.
  host.write('/etc/a', 'new\n')
  await host.run(`export LC_ALL=C\n${real(takeBack)}`)
  assert.is(host.text('/etc/a'), 'new\n')
  host.remove()
})

test('a confirmation is one rename: who comes second is told what the first decided', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  await arm()
  assert.equal(await host.run(confirmScript), { code: 0, output: 'verdict confirmed\n' })
  assert.not.ok(existsSync(host.at(home)))
  // The answer was lost, and is asked for again.
  assert.is((await host.run(confirmScript)).output, 'verdict confirmed\n')
  await arm()
  await host.run(`mv ${home}/armed ${home}/reverted`)
  assert.is((await host.run(confirmScript)).output, 'verdict reverted\n')
  // So is who asks over another connection, since the first one's answer takes its time.
  assert.match((await host.run(revertScript)).output, /^verdict reverted$/m)
  await arm()
  await host.run(`mv ${home}/armed ${home}/reverting`)
  const waiting = await host.run(`seq() { echo 1; }; sleep() { :; }\n${confirmScript.text}`)
  assert.equal(waiting, { code: 1, output: 'the host is still reverting it\n' })
  const late = await host.run(`sleep() { mv ${home}/reverting ${home}/reverted; }\n${confirmScript.text}`)
  assert.is(late.output, 'verdict reverted\n')
  await arm()
  await host.run(`mv ${home}/armed ${home}/reverting`)
  const both = await host.run(
    `sleep() { mv ${home}/reverting ${home}/reverted; (${confirmScript.text}\n); }\n${confirmScript.text}`,
  )
  assert.is(both.output, 'verdict reverted\nverdict reverted\n')
  host.remove()
})

test('what an earlier run left is taken back in silence, where there is something', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  assert.equal(await host.run(revertOrphan), { code: 0, output: '' })
  assert.equal(host.calls(), [])
  await arm()
  host.write('/etc/a', 'new\n')
  assert.equal(await host.run(revertOrphan), { code: 0, output: '' })
  assert.equal([host.text('/etc/a'), existsSync(host.at(home))], ['old\n', false])
  host.remove()
})

test('a guarded step does not begin once its change was taken back', async () => {
  const { host, arm } = guardedHost()
  await changed(host)
  const late = await host.run(underGuard('echo begun'))
  assert.equal(late, {
    code: 1,
    output: 'the host has reverted it: it was not confirmed within 60 s ($BOTGARDEN_GUARD_SECONDS)\n',
  })
  await arm()
  assert.is((await host.run(underGuard('echo begun'))).output, 'begun\n')
  host.remove()
})

test('the guard stands before the first guarded step, once for each name', () => {
  const other: Guard = { name: 'ufw', paths: ['/etc/u'], restore: sh`ufw` }
  const plain = step([])
  assert.equal(withGuard([plain]), [plain])
  const steps = withGuard([plain, step([guard]), step([guard, other]), plain])
  assert.equal(
    steps.map(({ title }) => title),
    [
      ...['change', 'guard: keep the old sshd and ufw, to be reverted in 60 s unless confirmed'],
      ...['change', 'change', 'change'],
    ],
  )
  assert.is(steps[1]?.script.shown, 'keep /etc/a /etc/d /etc/new /etc/link /etc/gone /etc/u')
  assert.equal([steps[1]?.long, steps[1]?.guards, steps[1]?.changes], [false, [], []])
  process.env.BOTGARDEN_GUARD_SECONDS = '7'
  assert.is(guardSeconds(), 7)
  delete process.env.BOTGARDEN_GUARD_SECONDS
})

test('the unit comes into its own after a boot in the middle', () => {
  assert.match(takeBackUnit, /^ConditionPathExists=\|\/var\/lib\/botgarden\/guard\/armed$/m)
  assert.match(takeBackUnit, /^ConditionPathExists=\|\/var\/lib\/botgarden\/guard\/reverting$/m)
  assert.match(takeBackUnit, /\[Install\]\nWantedBy=multi-user.target\n$/)
  assert.is(guardFolder, home)
})

/** A host that answers as it is told: by its first connection, and by each fresh one. */
function answering(
  old: string | Error,
  ...fresh: (string | Error)[]
): { connection: Connection; logins: () => number; asked: string[] } {
  let logins = 0
  const asked: string[] = []
  const of = (answer: string | Error): Connection => ({
    facts,
    roundTrips: 0,
    close: async () => void asked.push('closed'),
    fresh: async () => {
      const next = fresh[Math.min(logins++, fresh.length - 1)] ?? ''
      if (next instanceof Error) throw next
      return of(next)
    },
    request: async (script, { text }) => {
      asked.push(script('N').includes('systemctl start') ? 'revert' : 'confirm')
      if (answer instanceof Error) throw answer
      text?.(Buffer.from(answer))
      return 0
    },
  })
  return { connection: of(old), logins: () => logins, asked }
}
const no = new ConnectError('no route')
const failed = new CommandFailed('x', 1, 'cmd', '')
const [yes, back] = ['verdict confirmed\n', 'noise\nverdict reverted\n']
const guards = [step([guard]), step([guard])]

test('without a guard nothing is confirmed', async () => {
  const { connection, logins } = answering(yes, yes)
  assert.is(await applyWithGuard(connection, [step([])], async () => 5), 5)
  assert.is(logins(), 0)
})

test('a change that a fresh login confirms is one', async () => {
  const { connection, asked } = answering(no, yes)
  assert.is(await applyWithGuard(connection, guards, async () => 5), 5)
  assert.equal(asked, ['confirm', 'closed'])
  // An sshd that has just reloaded says no by chance.
  assert.is(await applyWithGuard(answering(no, no, yes).connection, guards, async () => 6), 6)
})

test('a change that the host took back first is reverted', async () => {
  const error = await applyWithGuard(answering(back, back).connection, guards, async () => 5).catch((reason) => reason)
  assert.instance(error, Reverted)
  assert.is(error.message, 'sshd: the host took the change back before it could be confirmed')
})

test('a failed step is taken back over the connection that is there, and says so', async () => {
  const { connection, asked } = answering(back, yes)
  const error = await applyWithGuard(connection, guards, async () => Promise.reject(failed)).catch((reason) => reason)
  assert.is(error, failed)
  assert.match(error.message, /\nwhat was changed under the guard of sshd was reverted$/)
  assert.equal(asked, ['revert'])
})

test('a lost connection is waited out: the host’s own verdict counts', async () => {
  const lost = async () => Promise.reject(new ConnectError('lost'))
  const error = await applyWithGuard(answering(no, back).connection, guards, lost).catch((reason) => reason)
  assert.instance(error, Reverted)
  assert.is(error.message, 'sshd: the change was reverted, since no new login was possible: lost')
  const kept = await applyWithGuard(answering(no, yes).connection, guards, lost).catch((reason) => reason)
  assert.is(kept.message, 'lost')
  const late = await applyWithGuard(answering(new HostError('x'), no, back).connection, guards, lost).catch(
    (reason) => reason,
  )
  assert.instance(late, Reverted)
})

test('an error that is none of the host’s is not taken for one, and a host without a verdict is an error', async () => {
  const bug = new TypeError('oops')
  const { connection, asked } = answering(back, yes)
  assert.is(await applyWithGuard(connection, guards, async () => Promise.reject(bug)).catch((reason) => reason), bug)
  assert.equal(asked, [])
  assert.is(
    await applyWithGuard(answering(bug, yes).connection, guards, async () => Promise.reject(no)).catch((e) => e),
    bug,
  )
})

test.run()
