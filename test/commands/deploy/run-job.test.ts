// bot.ts --run and --jobs, with a stand-in for systemd on the host.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { deployFlags } from '../../../commands/deploy/index.ts'
import { jobsOnHost, jobsText } from '../../../commands/deploy/jobs.ts'
import { runJob } from '../../../commands/deploy/run-job.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { rejects } from '../../support/errors.ts'
import { printed } from '../../support/printed.ts'
import { connectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const unit = 'botgarden-job-shop.digest'
const digest = { schedule: '0 9 * * *', command: ['digest'], timeout: 600 }

/** Runs for two looks when it is started; the first of its looks does not know yet that it was. */
const systemd = `
count() { echo x >>"$STATE/$1"; wc -l <"$STATE/$1"; }
case "$*" in
*--property=Id,*) echo 'Id=${unit}.timer'; echo ActiveState=active; echo UnitFileState=enabled; echo NeedDaemonReload=no ;;
*ActiveState*) if [ ! -e "$STATE/started" ]; then echo "$(cat "$STATE/before" 2>/dev/null || echo inactive)"; elif [ "$(count looks)" -gt 2 ]; then echo inactive; else echo activating; fi ;;
*InvocationID*) if [ ! -e "$STATE/started" ] || [ "$(count ids)" = 1 ]; then echo first; else cat "$STATE/id" 2>/dev/null || echo second; fi ;;
start*) : >"$STATE/started" ;;
*Result*) cat "$STATE/result" 2>/dev/null || echo success ;;
esac`
const journal = `[ "$1" = --sync ] || { echo x >>"$STATE/said"; printf 'line %s\\033[2J\\n' "$(wc -l <"$STATE/said")"; }`

function jobHost(jobs: object = { digest }): ScratchHost {
  const host = scratchHost({ systemctl: systemd, journalctl: journal })
  const spec = { ...specOf('shop:1', {}, {}), jobs }
  const release = { id: '1', spec, colour: 'blue', secrets: {}, by: 'me' }
  host.write('/var/lib/botgarden/bots/shop/current.json', JSON.stringify(release))
  host.write(`/etc/systemd/system/${unit}.timer`, '')
  return host
}

const run = async (host: ScratchHost, job = 'digest', check = false) => {
  const connection = connectionTo(host)
  const session = {
    options: { check },
    connected: (_: InventoryHost, use: (c: typeof connection) => Promise<unknown>) => use(connection),
  } as unknown as Session
  const { value, stdout } = await printed(() => runJob(session, { name: 'vps1' } as InventoryHost, 'shop', job))
  return {
    code: value,
    lines: stdout.split('\n').filter(Boolean),
    calls: host.noted('calls').split('\n').filter(Boolean),
  }
}

test('a job is started, and what it prints is shown up to its end', async () => {
  const host = jobHost()
  const { code, lines, calls } = await run(host)
  assert.is(code, 0)
  // One for each look at it while it runs, and one after its end; they do nothing to the terminal.
  assert.equal(
    lines.map((line) => line.slice(0, 6)),
    ['line 1', 'line 2', 'line 3'],
  )
  assert.not(lines.join().includes('\u001b'))
  const show = (property: string) => `systemctl show --property=${property} --value ${unit}.service`
  const said = calls
    .filter((line) => line.startsWith('journalctl --quiet'))
    .map((line) => line.replace(/--cursor-file=\S+/, 'C'))
  assert.equal(said, Array(3).fill('journalctl --quiet --no-pager --output=cat C _SYSTEMD_INVOCATION_ID=second'))
  assert.equal(
    calls.filter((line) => !line.startsWith('journalctl --quiet')),
    [
      ...[show('ActiveState'), show('InvocationID'), `systemctl start --no-block ${unit}.service`],
      ...[show('InvocationID'), 'sleep 0.2', show('InvocationID')],
      ...[show('ActiveState'), 'sleep 0.5', show('ActiveState'), 'sleep 0.5', show('ActiveState')],
      ...['journalctl --sync', show('Result')],
    ],
  )
  assert.equal([host.list('/run/botgarden/tmp'), host.mode('/run/botgarden/tmp')], [[], '700'])
})

test('a job that fails is 3', async () => {
  const host = jobHost()
  host.note('result', 'exit-code')
  assert.is((await run(host)).code, 3)
})

test('one that is never seen to begin is not waited for beyond half a minute', async () => {
  for (const id of ['first', '']) {
    const host = jobHost()
    host.note('id', id)
    const { calls } = await run(host)
    assert.is(calls.filter((line) => line === 'sleep 0.2').length, 10)
  }
})

for (const state of ['activating', 'deactivating', 'active', 'reloading'])
  test(`a job that is ${state} is not started a second time`, async () => {
    const host = jobHost()
    host.note('before', state)
    await rejects(run(host), 'vps1: the job digest of shop runs already, and a second one is not started')
    assert.not(host.noted('calls').includes('start --no-block'))
  })

test('what is no job, and a check, is refused', async () => {
  await rejects(run(jobHost(), 'digset'), 'shop has no job "digset" (did you mean "digest"?): it has digest')
  await rejects(run(jobHost({}), 'digest'), /^shop has no jobs on this host: list them under "jobs:"/)
  await rejects(run(scratchHost(), 'digest'), 'shop has no release on this host: deploy it first')
  await rejects(run(jobHost(), 'digest', true), /--check changes nothing/)
})

test('jobs are told as they are on the host', async () => {
  const host = jobHost({ digest, 'long-name': { ...digest, timezone: 'Europe/Berlin' } })
  const record = { start: 1_795_676_546, image: 'x', seconds: 1, how: 'ended', code: 3, lines: btoa('a\n\nb') }
  host.write('/var/lib/botgarden/bots/shop/jobs/digest.json', JSON.stringify(record))
  assert.is(
    jobsText(await jobsOnHost('shop', connectionTo(host))),
    `digest     0 9 * * * UTC  next: never, its timer does not run  last: exit code 3 on 2026-11-26 07:02 UTC, 1 s
    a
    b
long-name  0 9 * * * Europe/Berlin  next: never, its timer does not run  not run yet
`,
  )
  const { jobs, state } = await jobsOnHost('shop', connectionTo(host))
  assert.match(
    jobsText({ jobs, state: state && { ...state, running: ['digest'] } }),
    /^digest {5}\S.* running now\nlong-name/,
  )
})

test('every option has its help, and a value where it takes one', () => {
  const shown = Object.entries(deployFlags).map(([name, flag]) => {
    assert.match(flag.help, /^\w/, name)
    return `${name} ${'value' in flag ? flag.value : ''}`.trim()
  })
  assert.equal(shown, [
    ...[
      'name BOT',
      'all',
      'source FOLDER',
      'build WHERE',
      'rollback',
      'rollback-to RELEASE',
      'import FILE',
      'releases',
      'run JOB',
      'jobs',
    ],
    ...['logs', 'follow', 'since TIME', 'grep WORD', 'lines N', 'process NAME', 'exec', 'psql'],
    ...['drop-pending', 'remove', 'new', 'purge', 'yes'],
  ])
  assert.is(deployFlags.name.multiple, true)
})

test.run()
