// How the jobs of a version come to its host, and go, in a real sh with a stand-in for systemd.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sh } from '../../../../lib/shell/sh.ts'
import { applyJobs, calendarCheck, holdJobs, removeJobs } from '../../../../roles/bot/jobs/apply-script.ts'
import { jobFiles } from '../../../../roles/bot/jobs/files.ts'
import { jobsState } from '../../../../roles/bot/jobs/state.ts'
import { resultText } from '../../../../roles/bot/jobs/told.ts'
import type { Jobs } from '../../../../roles/bot/spec/jobs.ts'
import { spec } from '../../../support/hello-bot.ts'
import { type ScratchHost, scratchHost } from '../../../support/scratch-host.ts'

const instance = {
  ...{ bot: 'hello-bot', number: 3, base: '10.210', telegram: 'https://api.telegram.org' },
  origin: 'https://bots.example.org',
}
const digest = { schedule: '0 9 * * *', command: ['digest'], timeout: 600 }
const clean = { schedule: '@hourly', command: ['clean'], timeout: 60, missed: 'run' as const }
const version = (jobs?: Jobs) => ({
  ...{ instance, colour: 'green' as const, limits: { memoryMB: 160, cpus: 0.5 } },
  spec: { ...spec, ...(jobs !== undefined && { jobs }) },
})
const units = '/etc/systemd/system'
const folder = '/opt/botgarden/bots/hello-bot/jobs'
const results = '/var/lib/botgarden/bots/hello-bot/jobs'
const stamps = '/var/lib/systemd/timers'

function jobsHost(): ScratchHost {
  const host = scratchHost({ 'systemd-analyze': 'case $2 in *Nowhere*) echo "no such zone" >&2; exit 1 ;; esac' })
  host.folder(units)
  return host
}
const apply = (host: ScratchHost, jobs?: Jobs) =>
  host.run(sh`${holdJobs('hello-bot')}
${applyJobs(version(jobs))}`)
const ofSystemd = (calls: readonly string[]) => calls.filter((line) => line.startsWith('systemctl'))

test('files of jobs are written, and their timers run', async () => {
  const host = jobsHost()
  const { code, output, calls } = await apply(host, { digest, clean })
  assert.is(code, 0, output)
  for (const { path, mode, text } of jobFiles(version({ digest, clean }))) {
    assert.is(host.read(path), text)
    assert.is(`0${host.mode(path)}`, mode)
  }
  assert.equal(ofSystemd(calls), [
    'systemctl daemon-reload',
    ...['digest', 'clean'].flatMap((name) => [
      `systemctl enable --quiet botgarden-job-hello-bot.${name}.timer`,
      `systemctl restart botgarden-job-hello-bot.${name}.timer`,
    ]),
  ])
  // What was missed counts from now on.
  assert.equal(host.list(stamps), ['stamp-botgarden-job-hello-bot.clean.timer'])
  assert.equal([host.mode(folder), host.mode(results)], ['755', '700'])
  assert.equal(host.list(folder), ['clean.sh', 'clean.yaml', 'digest.sh', 'digest.yaml'])
  const candidate = `${folder}/.digest.sh.botgarden`
  assert.ok(calls.includes(`sync ${candidate}`), calls.join('\n'))
})

test('what is as it should be is left, and has its mode and owner again', async () => {
  const host = jobsHost()
  await apply(host, { digest })
  const { program, ...before } = {
    ...(await host.reads(jobsState('hello-bot'))),
    program: host.read(`${folder}/digest.sh`),
  }
  await host.run(`chmod 644 ${folder}/digest.sh`)
  const { calls } = await apply(host, { digest })
  assert.equal(ofSystemd(calls), [
    'systemctl daemon-reload',
    'systemctl enable --quiet botgarden-job-hello-bot.digest.timer',
    'systemctl start botgarden-job-hello-bot.digest.timer',
  ])
  assert.ok(calls.includes(`chown root:root ${folder}/digest.sh`))
  assert.not(calls.some((line) => line.startsWith('sync')))
  const { files } = (await host.reads(jobsState('hello-bot'))) ?? {}
  assert.equal(files, before.files)
  assert.is(host.read(`${folder}/digest.sh`), program)
  assert.equal(host.list(folder), ['digest.sh', 'digest.yaml'])
})

test('a timer with other times is started anew, another one is not', async () => {
  const host = jobsHost()
  await apply(host, { digest, clean })
  await host.run(`rm -r ${stamps}`)
  const { calls } = await apply(host, { digest, clean: { ...clean, schedule: '@daily' } })
  assert.ok(calls.includes('systemctl start botgarden-job-hello-bot.digest.timer'))
  assert.ok(calls.includes('systemctl restart botgarden-job-hello-bot.clean.timer'))
  assert.equal(host.list(stamps), ['stamp-botgarden-job-hello-bot.clean.timer'])
})

test('jobs that a version has no more are removed with all that is of them, those of other bots stay', async () => {
  const host = jobsHost()
  await apply(host, { digest, clean })
  const others = [`${units}/botgarden-job-hello-bot2.digest.timer`, '/opt/botgarden/bots/hello-bot2/jobs/digest.sh']
  for (const path of others) host.write(path, '')
  for (const name of ['digest', 'clean']) host.write(`${results}/${name}.json`, '{}')
  host.write(`${folder}/stray`, '')
  host.write(`${units}/botgarden-job-hello-bot.gone.service`, '')
  const { code, calls } = await apply(host, { digest })
  assert.is(code, 0)
  assert.equal(host.list(units), [
    ...['botgarden-job-hello-bot.digest.service', 'botgarden-job-hello-bot.digest.timer'],
    'botgarden-job-hello-bot2.digest.timer',
  ])
  assert.equal(
    [host.list(folder), host.list(results), host.list(stamps)],
    [['digest.sh', 'digest.yaml'], ['digest.json'], []],
  )
  assert.equal(ofSystemd(calls).slice(0, -3), [
    'systemctl disable --now --quiet botgarden-job-hello-bot.clean.timer',
    'systemctl reset-failed botgarden-job-hello-bot.clean.service',
    'systemctl disable --now --quiet botgarden-job-hello-bot.gone.timer',
    'systemctl reset-failed botgarden-job-hello-bot.gone.service',
    'systemctl disable --now --quiet botgarden-job-hello-bot.stray.timer',
    'systemctl reset-failed botgarden-job-hello-bot.stray.service',
  ])
  assert.ok(others.every((path) => host.there(path)))
})

test('systemd that knows nothing of a job is no hindrance to its removal', async () => {
  const host = jobsHost()
  await apply(host, { digest })
  host.program('systemctl', 'case $1 in disable | reset-failed | stop) echo unknown >&2; exit 1 ;; esac')
  const { code, output } = await apply(host)
  assert.equal([code, output], [0, ''])
  assert.equal([host.list(units), host.list(folder)], [[], []])
})

test('a version without jobs makes no folders for them', async () => {
  const host = jobsHost()
  const { calls } = await apply(host)
  assert.not(host.there(folder) || host.there(results))
  assert.equal(ofSystemd(calls), ['systemctl daemon-reload'])
})

test('no job of the bot begins from the time that they are held up to the time that they are written', async () => {
  const host = jobsHost()
  const probe = sh`flock -n /run/botgarden/jobs-hello-bot.lock echo free || echo held`
  const { stdout } = await host.run(
    sh`rmdir /run/botgarden
${holdJobs('hello-bot')}
${probe}
${applyJobs(version())}
${probe}`,
  )
  assert.is(stdout, 'held\nfree\n')
  assert.is(host.mode('/run/botgarden'), '700')
  host.program('flock', 'exit 1')
  const { code, output, calls } = await host.run(sh`${holdJobs('hello-bot')}
echo on`)
  assert.is(code, 1)
  assert.is(output, "a job of hello-bot has been starting for 180 s: journalctl -u 'botgarden-job-hello-bot.*'\n")
  assert.equal(calls, ['flock -w 180 5'])
})

test('a schedule that the host does not accept is said before anything is done, each time once', async () => {
  const host = jobsHost()
  const twice = { a: digest, b: digest, c: { ...digest, schedule: '@hourly' } }
  assert.equal((await host.run(calendarCheck({ jobs: twice }))).calls, [
    'systemd-analyze calendar *-*-* 09:00:00 UTC',
    'systemd-analyze calendar *-*-* *:00:00 UTC',
  ])
  const { code, output } = await host.run(
    sh`${calendarCheck({ jobs: { digest: { ...digest, timezone: 'Nowhere/At' } } })}
echo on`,
  )
  assert.is(code, 1)
  assert.is(output, 'this host does not accept the schedule *-*-* 09:00:00 Nowhere/At: no such zone\n')
  assert.equal((await host.run(calendarCheck({}))).calls, [])
})

test('with a bot all of its jobs go, those that run as well', async () => {
  const host = jobsHost()
  await apply(host, { digest, clean })
  host.write('/run/botgarden/jobs-hello-bot.lock', '')
  for (const name of ['hello-bot.digest.job', 'hello-bot2.digest.job', 'hello-bot-blue'])
    host.container(`botgarden-${name}`)
  const { code, output, calls } = await host.run(removeJobs('hello-bot'))
  assert.is(code, 0, output)
  assert.equal(
    ofSystemd(calls).filter((line) => / (stop|daemon-reload)/.test(line)),
    [
      'systemctl stop botgarden-job-hello-bot.clean.timer botgarden-job-hello-bot.clean.service',
      'systemctl stop botgarden-job-hello-bot.digest.timer botgarden-job-hello-bot.digest.service',
      'systemctl daemon-reload',
    ],
  )
  assert.equal(host.containers(), [
    'botgarden-hello-bot-blue running always',
    'botgarden-hello-bot2.digest.job running always',
  ])
  assert.equal([host.list(units), host.list(folder), host.list('/run/botgarden')], [[], [], []])
  assert.ok(calls.includes('docker rm -f --volumes botgarden-hello-bot.digest.job'))
  const again = await host.run(removeJobs('hello-bot'))
  assert.equal([again.code, ofSystemd(again.calls)], [0, []])
  assert.not(again.calls.some((line) => line.startsWith('docker rm')))
})

test('how a run went, in words', () => {
  const of = (how?: 'stopped' | 'gone' | 'not started' | 'timeout' | 'memory' | 'ended', code?: number) =>
    resultText({ start: 1_795_676_546, image: 'x', ...(how && { how }), ...(code !== undefined && { code }) })
  assert.equal(
    [
      of(),
      of('timeout', 1),
      of('memory', 2),
      of('stopped', 3),
      of('gone'),
      of('not started'),
      of('ended', 4),
      of('ended', 0),
    ].map((text) => text.replace(/ on 2026-11-26 07:02 UTC$/, '')),
    [
      ...['cut before its end', 'ended by its timeout, exit code 1', 'out of memory, exit code 2'],
      ...['stopped from outside, exit code 3', 'its container was removed', 'its container did not start'],
      ...['exit code 4', 'ok'],
    ],
  )
})

test.run()
