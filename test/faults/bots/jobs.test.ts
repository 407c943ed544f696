import { dirname, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../../lib/shell/sh.ts'
import { calendarOf } from '../../../roles/bot/spec/cron.ts'
import { removeVps, restartVps } from '../../../sandbox/index.ts'
import { cronTimes, randomSchedules } from '../../support/cron.ts'
import { type Run, resultOf, run, scratchFile, start } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { botVersion } from '../../support/vps/bot-version.ts'

const host = 'jobs'
const name = 'job-bot'
const model = resolve(import.meta.dirname, '../../support/job-bot')
const folder = dirname(scratchFile('jobs-test', ''))
const { bots, tokens, inventory, site, deploy, changed, inside, begin } = botHost(host, [name])
delete bots['hello-bot']
const jobs = `/var/lib/botgarden/bots/${name}/jobs`
const runsFile = `/var/lib/botgarden/data/${name}/current/app=data/runs`

const version = (text: string) => botVersion(model, folder, text)
const file = (source = model, more: object = {}) => inventory({ [name]: { host, source, ...more } })
const release = (source?: string, more: object = {}, ...args: string[]) =>
  deploy(['--name', name, ...args], file(source, more))
/** bot.ts with an option that prints text. */
const bot = (...args: string[]) => run(['playbooks/bot.ts', '-i', file(), '--name', name, ...args], tokens)
const done = (result: Run) => assert.is(result.code, 0, `${result.stdout}${result.stderr}`)
const nothing = (result: Run) => {
  const { changed: count, unknown, roundTrips, error } = resultOf(result, host)
  assert.equal({ count, unknown, roundTrips, error }, { count: 0, unknown: 0, roundTrips: 1, error: undefined })
}

interface Note {
  readonly what: 'begin' | 'end'
  readonly job: string
  readonly version: string
  readonly at: number
}
/** What the jobs have noted of themselves, in its order. */
const notes = async (job: string): Promise<Note[]> =>
  (await inside(`cat ${runsFile} 2>/dev/null || :`))
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, each]) => each === job)
    .map(([what, each = '', of = '', at]) => ({ what: what as Note['what'], job: each, version: of, at: Number(at) }))
const resultsOf = async (job: string) => JSON.parse((await inside(`cat ${jobs}/${job}.json 2>/dev/null || :`)) || '{}')
const until = async (what: string, seconds: number, isSo: () => Promise<boolean>) => {
  for (let left = seconds; left > 0; left--) {
    if (await isSo()) return
    await pause(1000)
  }
  throw new Error(`not within ${seconds} s: ${what}\n${await inside(`cat ${runsFile} ${jobs}/*.json`)}`)
}
const ticks = async (count: number, of?: string) => {
  const before = (await notes('tick')).length
  await until(`${count} more runs of tick`, 70 * count + 30, async () => {
    const since = (await notes('tick')).slice(before)
    return since.filter((each) => each.what === 'end' && (of === undefined || each.version === of)).length >= count
  })
}
const toldOf = (result: Run): Record<string, unknown> => JSON.parse(result.stdout).outputs[host]
/** Lets the job end that waits for it, or has the next one wait again. */
const go = (yes: boolean) => inside(yes ? `touch ${go.file}` : `rm -f ${go.file}`)
go.file = runsFile.replace(/runs$/, 'go')
const container = (job: string) =>
  inside(`docker inspect -f '{{.Id}} {{.State.StartedAt}}' botgarden-${name}.${job}.job 2>/dev/null || :`)

test.before(begin)
test.after(() => removeVps(host))

test('a release with jobs does what its check says, and a second run changes nothing', async () => {
  const check = resultOf(await release(model, {}, '--check'), host)
  const first = await release()
  done(first)
  assert.equal(changed(first).sort(), [...check.ids, ...check.unknownIds].sort())
  nothing(await release())
  nothing(await site(file()))
})

test('systemd starts them at the times that cron would', async () => {
  const schedules = [...randomSchedules(19, 60), '0 0 1 * mon', '*/7 */5 */3 * sun', '5 4 * * 7', '0 0 1-7 1 *']
  const after = new Date('2026-11-26T08:00:00Z')
  const asked = schedules.flatMap((schedule) =>
    calendarOf(schedule).map(
      (line) =>
        `TZ=UTC systemd-analyze calendar --iterations=5 --base-time='2026-11-26 08:00:00 UTC' ${quote(line)} | sed -n ${quote(`s/.*\\(Next elapse\\|Iter.* #.\\): ... \\(.*\\):00 UTC/${schedule.replace(/[*/]/g, '\\$&')}|\\2/p`)}`,
    ),
  )
  const found = (await inside(asked.join('\n'))).split('\n').map((line) => line.split('|'))
  for (const schedule of schedules) {
    const times = [...new Set(found.filter(([each]) => each === schedule).map(([, time = '']) => time))].sort()
    const wanted = cronTimes(schedule, after, 5)
    assert.equal(times.slice(0, wanted.length), wanted, schedule)
  }
})

test('its timer runs a job each minute, as the bot is: user, secrets, variables, data', async () => {
  await ticks(2)
  let result = await resultsOf('tick')
  // The next one may have begun by now.
  await until('a run has ended', 60, async () => {
    result = await resultsOf('tick')
    return result.how !== undefined
  })
  const { how, code, seconds, lines } = result
  assert.equal({ how, code }, { how: 'ended', code: 0 })
  assert.ok(seconds >= 4)
  const output = Buffer.from(lines, 'base64').toString()
  assert.match(output, /^tick 1 begins as 20001 at 10\.210\.1\.(12[89]|1[3-9]\d|2\d\d)$/m)
  assert.match(output, 'the variable is the token: true')
  assert.match(await inside('journalctl -q -o cat -t botgarden-job-job-bot.tick'), 'the variable is the token: true')
})

test('no secret is left of a run, and its files hold none', async () => {
  const [token = ''] = Object.values(tokens)
  assert.ok(token.length > 20)
  assert.is(await inside('ls -A /run/botgarden/variables'), '')
  const there = `/opt/botgarden/bots /var/lib/botgarden /etc/systemd/system /run/botgarden`
  assert.is(await inside(`grep -rlF ${token} ${there} || :`), '')
  assert.is(await inside(`stat -c %a /opt/botgarden/bots/${name}/jobs/*.sh ${jobs} | sort -u`), '600\n700')
})

test('a job under way outlives a release, and the next run is of the new version', async () => {
  const running = start(['playbooks/bot.ts', '-i', file(), '--name', name, '--run', 'long'], tokens)
  await until('long begins', 60, async () => (await notes('long')).length === 1)
  const before = await container('long')
  const again = await bot('--run', 'long')
  assert.is(again.code, 3)
  assert.match(again.stderr, 'the job long of job-bot runs already, and a second one is not started')
  done(await release(version('2')))
  assert.is(await container('long'), before, 'the same container, not started anew')
  await go(true)
  const { code, stdout } = await running.ended
  assert.is(code, 0)
  assert.match(stdout, 'long 1 begins as 20001')
  assert.equal(
    (await notes('long')).map(({ what, version: of }) => `${what} ${of}`),
    ['begin 1', 'end 1'],
  )
  await ticks(1, '2')
  done(await bot('--run', 'long'))
  assert.is((await notes('long')).at(-1)?.version, '2')
})

test('what an operator breaks off goes on, and he is told so', async () => {
  await go(false)
  const running = start(['playbooks/bot.ts', '-i', file(), '--name', name, '--run', 'long'], tokens)
  const before = (await notes('long')).length
  await until('long begins', 60, async () => (await notes('long')).length > before)
  running.child.kill('SIGINT')
  const { code, stderr } = await running.ended
  assert.is(code, 130)
  assert.match(stderr, 'the job long of job-bot goes on there')
  await go(true)
  await until('long ends', 60, async () => (await resultsOf('long')).how === 'ended')
  assert.is((await notes('long')).at(-1)?.what, 'end')
})

test('one that fails is told by every run, and no longer when it has gone well', async () => {
  const failed = await bot('--run', 'broken')
  assert.is(failed.code, 3)
  assert.match(failed.stdout, 'broken could not do it')
  const told = await site(file(version('2')))
  nothing(told)
  assert.match(String(toldOf(told)['job-bot job broken']), /^FAILED: exit code 7 on 2/)
  const list = await bot('--jobs')
  assert.match(list.stdout, /^broken +0 3 \* \* \* Europe\/Berlin {2}next: .* last: exit code 7 on /m)
  assert.match(list.stdout, /^ +broken could not do it$/m)
  const mended = { jobs: { broken: { schedule: '@daily', command: ['node', 'job.mjs', 'broken', '0'] } } }
  done(await release(version('2'), mended))
  done(await bot('--run', 'broken'))
  assert.is(toldOf(await site(file(version('2'), mended)))['job-bot job broken'], undefined)
  // The other jobs are gone with that release.
  assert.is(await inside("systemctl list-timers --all 'botgarden-job-*' --no-legend | wc -l"), '1')
  assert.is(
    await inside(`cd ${jobs} && ls && cd /opt/botgarden/bots/${name}/jobs && ls`),
    'broken.json\nbroken.sh\nbroken.yaml',
  )
  done(await release(version('2')))
})

test('the timeout ends it', async () => {
  const { code, stdout } = await bot('--run', 'endless')
  assert.is(code, 3)
  assert.match(stdout, 'the job endless of job-bot: timeout, exit code 143')
  assert.is(await container('endless'), '')
})

test('a rollback has the jobs of the version that it goes back to', async () => {
  done(await release(model, {}, '--rollback'))
  await ticks(1, '1')
  done(await release(version('2')))
})

test('a drift is seen and mended: a timer that is stopped, a file that is edited', async () => {
  await inside(`systemctl stop botgarden-job-${name}.tick.timer; echo >>/opt/botgarden/bots/${name}/jobs/long.sh`)
  const check = resultOf(await run(['playbooks/site.ts', '-i', file(version('2')), '--json', '--check']), host)
  assert.equal(check.ids, [`jobs:${name}`])
  assert.equal(changed(await site(file(version('2')))), [`jobs:${name}`])
  nothing(await site(file(version('2'))))
  assert.is(await inside(`systemctl is-active botgarden-job-${name}.tick.timer`), 'active')
})

test('a time zone that the host does not know is refused before anything is changed', async () => {
  const unknown = { jobs: { tick: { schedule: '@daily', timezone: 'US/Pacific', command: ['true'] } } }
  for (const args of [['--check'], []]) {
    const result = await release(version('2'), unknown, ...args)
    assert.is(result.code, 3)
    assert.match(
      String(resultOf(result, host).error),
      'this host does not accept the schedule *-*-* 00:00:00 US/Pacific',
    )
  }
  nothing(await release(version('2')))
})

test('what was missed while the host was down runs after the boot where the job says so, and else not', async () => {
  const command = (of: string) => ['node', 'job.mjs', of, '0']
  const both = {
    jobs: {
      made: { schedule: '@daily', command: command('made'), missed: 'run' },
      left: { schedule: '@daily', command: command('left') },
    },
  }
  done(await release(version('2'), both))
  await inside(`touch -d '2 days ago' /var/lib/systemd/timers/stamp-botgarden-job-${name}.made.timer`)
  await restartVps(host)
  await until('made has run', 120, async () => (await resultsOf('made')).how === 'ended')
  assert.is((await notes('made')).length, 2)
  assert.equal(await notes('left'), [])
  nothing(await site(file(version('2'), both)))
  done(await release(version('2')))
})

test('of all these runs none was beside another, and none was twice for one time', async () => {
  const all = await notes('tick')
  for (const [i, { what, version: of }] of all.entries()) {
    assert.is(what, i % 2 === 0 ? 'begin' : 'end', JSON.stringify(all))
    if (what === 'end') assert.is(of, all[i - 1]?.version)
  }
  const minutes = all.filter(({ what }) => what === 'begin').map(({ at }) => Math.floor(at / 60))
  assert.ok(minutes.length >= 4)
  assert.equal(minutes, [...new Set(minutes)])
})

test('with the bot its jobs go', async () => {
  await go(false)
  await inside(`systemctl start --no-block botgarden-job-${name}.long.service`)
  await until('long runs', 60, async () => (await container('long')) !== '')
  done(await deploy(['--name', name, '--remove', '--yes'], file()))
  assert.is(await inside("systemctl list-units --all 'botgarden-job-*' --no-legend"), '')
  assert.is(await inside('ls /etc/systemd/system | grep botgarden-job || :'), '')
  assert.is(await inside(`docker ps -aq --filter label=botgarden.bot=${name}`), '')
  nothing(await deploy(['--name', name, '--remove', '--yes'], file()))
})

test.run()
