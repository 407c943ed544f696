// The jobs of a bot: what a plan says of them, what their files hold, and what of their runs is told.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { jobsText } from '../../../../commands/deploy/jobs.ts'
import { outputsOf, planAll } from '../../../../lib/engine/plan.ts'
import { jobFiles } from '../../../../roles/bot/jobs/files.ts'
import { jobsState } from '../../../../roles/bot/jobs/state.ts'
import { failureOf } from '../../../../roles/bot/jobs/told.ts'
import { conflictsIn } from '../../../../roles/bot/spec/conflicts.ts'
import type { Jobs } from '../../../../roles/bot/spec/jobs.ts'
import { parseRelease } from '../../../../roles/bot/spec/release-record.ts'
import { botManifestSchema } from '../../../../roles/bot/spec/schema.ts'
import { type Spec, specOf } from '../../../../roles/bot/spec/spec.ts'
import { bare, deployment, plan, resourcesOf, served, spec } from '../../../support/hello-bot.ts'
import { changesOf, scriptsOf, stateAfter, stateOf } from '../../../support/plan-of.ts'
import { scratchHost } from '../../../support/scratch-host.ts'

const digest = { schedule: '0 9 * * *', timezone: 'Europe/Berlin', command: ['node', 'digest.js', '$5'], timeout: 600 }
const jobs: Jobs = {
  digest,
  clean: { schedule: '@hourly', command: ['clean'], timeout: 60, missed: 'run', memoryMB: 64 },
}
const instance = {
  ...{ bot: 'hello-bot', number: 3, base: '10.210', telegram: 'https://api.telegram.org' },
  origin: 'https://bots.example.org',
}
const limits = { memoryMB: 160, cpus: 0.5 }
const files = (more: Partial<Spec> = {}) =>
  new Map(
    jobFiles({ instance, colour: 'green', limits, spec: { ...spec, jobs, ...more } }).map(({ path, text }) => [
      path.split('/').at(-1),
      text,
    ]),
  )
const result = { start: 1_795_676_546, image: 'x', seconds: 12, how: 'ended', code: 0 } as const

test('a bot without jobs has none in its record', () => {
  assert.not('jobs' in specOf('x:1', {}, {}))
  assert.not('jobs' in specOf('x:1', {}, { jobs: {} }))
  const { jobs: told } = specOf(
    'x:1',
    {},
    {
      jobs: {
        b: { schedule: '@daily', command: ['b'], missed: 'skip' },
        a: { schedule: '@daily', command: ['a'], timeout: '2h', memory: '1g' },
      },
    },
  )
  assert.equal(Object.entries(told ?? {}), [
    ['a', { schedule: '@daily', command: ['a'], timeout: 7200, memoryMB: 1024 }],
    ['b', { schedule: '@daily', command: ['b'], timeout: 3600 }],
  ])
  assert.not(v.is(botManifestSchema, { jobs: { 'a.b': { schedule: '@daily', command: ['x'] } } }))
})

test('a record with jobs is read, and one with half a job is corrupt', () => {
  const record = { id: '1', spec: { ...spec, jobs }, colour: 'blue', secrets: {}, by: 'me' }
  assert.equal(parseRelease(JSON.stringify(record))?.spec.jobs, jobs)
  assert.is(parseRelease(JSON.stringify({ ...record, spec: { ...spec, jobs: { digest: {} } } })), undefined)
})

test('a job does not share the data with a bot that has it alone', () => {
  const of = (data: Partial<Spec>) => conflictsIn({ ...spec, jobs, ...data }).map((each) => each.split(':')[0])
  assert.equal(of({ data: ['/data'] }), ['jobs'])
  assert.equal(of({ data: ['/data'], sharedData: true }), [])
  assert.equal(of({}), [])
})

test('its container is that of the bot, with a command and a name of its own, and no address', () => {
  const text =
    files({ data: ['/app/data'], sharedData: true, tcp: true, references: { A: 'x${token}' } }).get('digest.yaml') ?? ''
  for (const line of [
    'name: botgarden-hello-bot_digest',
    'container_name: botgarden-hello-bot.digest.job',
    'image: botgarden/hello-bot:abc',
    'read_only: true',
    'user: 20003:20003',
    'mem_limit: 160m',
    '- /run/botgarden/variables/hello-bot.digest',
    '- $$5',
    'source: /var/lib/botgarden/data/hello-bot/current/app=data',
    'name: botgarden-hello-bot.db',
  ])
    assert.match(text, line)
  assert.not.match(text, 'ipv4_address')
  assert.match(files().get('clean.yaml') ?? '', 'mem_limit: 64m')
})

test('its timer has the times of the schedule, and makes up for missed ones where it is to', () => {
  const digestTimer = files().get('botgarden-job-hello-bot.digest.timer') ?? ''
  assert.match(digestTimer, 'OnCalendar=*-*-* 09:00:00 Europe/Berlin\nAccuracySec=1s\n')
  assert.match(digestTimer, 'DeferReactivation=true')
  const cleanTimer = files().get('botgarden-job-hello-bot.clean.timer') ?? ''
  assert.match(cleanTimer, 'Persistent=true')
  assert.not.match(cleanTimer, 'DeferReactivation')
})

const there = (more: Partial<Spec> = {}) => ({ ...served({ jobs, ...more }), 'kept-secrets:hello-bot': { token: 1 } })
const ofJobs = (lines: readonly string[]) => lines.filter((line) => line.startsWith('jobs:'))

test('site.ts writes the jobs of the release that serves, and then finds nothing to do', () => {
  const resources = resourcesOf(undefined)
  assert.equal(ofJobs(plan(undefined, there())), ['jobs:hello-bot: add digest, add clean'])
  const after = stateAfter(resources, { ...bare, ...there() })
  const left = planAll(resources, stateOf(resources, after)).filter(({ resource }) => resource.id === 'jobs:hello-bot')
  assert.equal(
    left.map(({ status }) => status),
    ['ok'],
  )
  const now = after['jobs:hello-bot'] as { files: Record<string, string>; timers: Record<string, object> }
  const drifted = (more: object) => ofJobs(plan(undefined, { ...there(), 'jobs:hello-bot': { ...now, ...more } }))
  assert.equal(drifted({}), [])
  assert.equal(drifted({ timers: { ...now.timers, digest: { active: false, enabled: true, needsReload: false } } }), [
    'jobs:hello-bot: start the timer of digest',
  ])
  const timer = '/etc/systemd/system/botgarden-job-hello-bot.clean.timer'
  assert.equal(drifted({ files: { ...now.files, [timer]: '644 0 x' } }), ['jobs:hello-bot: update clean'])
  assert.equal(drifted({ files: { ...now.files, '/opt/botgarden/bots/hello-bot/jobs/old.sh': 'x' } }), [
    'jobs:hello-bot: remove old.sh',
  ])
  assert.equal(ofJobs(plan(undefined, { ...served(), 'kept-secrets:hello-bot': { token: 1 } })), [])
})

test('any file of a job that is another or gone has it written again, and so does a timer that does not run', () => {
  const resources = resourcesOf(undefined)
  const now = stateAfter(resources, { ...bare, ...there() })['jobs:hello-bot'] as {
    readonly files: Record<string, string>
    readonly timers: Record<string, object>
  }
  const drifted = (more: object) => ofJobs(plan(undefined, { ...there(), 'jobs:hello-bot': { ...now, ...more } }))
  const paths = Object.keys(now.files).filter((path) => path.includes('digest'))
  assert.is(paths.length, 4)
  for (const path of paths) {
    assert.equal(drifted({ files: { ...now.files, [path]: 'x' } }), ['jobs:hello-bot: update digest'], path)
    const { [path]: _, ...others } = now.files
    assert.equal(drifted({ files: others }), ['jobs:hello-bot: update digest'], path)
  }
  const none = Object.fromEntries(Object.entries(now.files).filter(([path]) => !path.includes('digest')))
  assert.equal(drifted({ files: none }), ['jobs:hello-bot: add digest'])
  const runs = { active: true, enabled: true, needsReload: false }
  for (const timer of [
    undefined,
    { ...runs, active: false },
    { ...runs, enabled: false },
    { ...runs, needsReload: true },
  ])
    assert.equal(drifted({ timers: { ...now.timers, digest: timer } }), ['jobs:hello-bot: start the timer of digest'])
})

test('site.ts tells of jobs that failed, and what is planned is shown without the script', () => {
  const resource = resourcesOf(undefined).filter(({ id }) => id === 'jobs:hello-bot')
  const runs = { ...result, code: 3 }
  const told = (more: object) =>
    outputsOf(
      resource,
      stateOf(resource, { ...there(), 'jobs:hello-bot': { files: {}, timers: {}, running: [], results: {}, ...more } }),
    )
  assert.equal(told({ results: { digest: runs, clean: result } }), {
    'hello-bot job digest':
      'FAILED: exit code 3 on 2026-11-26 07:02 UTC, 12 s: npx zx playbooks/bot.ts --name hello-bot --jobs',
  })
  assert.equal([told({ results: { digest: runs }, running: ['digest'] }), told({ results: { gone: runs } })], [{}, {}])
  assert.equal(scriptsOf(resource, { ...bare, ...there() }), ['write the jobs of hello-bot: digest, clean'])
  const left = { files: { '/opt/botgarden/bots/hello-bot/jobs/x.sh': 'x' }, timers: {}, running: [], results: {} }
  const state = { ...bare, ...served(), 'kept-secrets:hello-bot': { token: 1 }, 'jobs:hello-bot': left }
  assert.equal(scriptsOf(resource, state), ['write the jobs of hello-bot: none'])
  assert.is(stateAfter(resource, state)['jobs:hello-bot'], undefined)
})

test('what runs while jobs are written goes on, and its results stay', () => {
  const resource = resourcesOf(undefined).filter(({ id }) => id === 'jobs:hello-bot')
  const before = { files: {}, timers: {}, running: ['digest'], results: { clean: result } }
  const after = stateAfter(resource, { ...bare, ...there(), 'jobs:hello-bot': before })['jobs:hello-bot']
  assert.equal([(after as typeof before).running, (after as typeof before).results], [['digest'], { clean: result }])
})

test('a release brings its jobs along, so that nothing is left to do afterwards', () => {
  assert.equal(ofJobs(plan(deployment({ jobs }))), [])
  const script = (target: Partial<Spec>, before: Partial<Spec>) =>
    changesOf(resourcesOf(deployment(target)), { ...bare, ...served(before) }).find(({ summary }) =>
      summary.startsWith('release'),
    )
  const added = script({ jobs }, {})
  assert.match(added?.summary ?? '', ': jobs')
  assert.match(added?.script.text ?? '', "job_calendar '*-*-* 09:00:00 Europe/Berlin'\n")
  const text = added?.script.text ?? ''
  const order = [
    /^ *jobs_begin$/m,
    /^ *with_variables docker compose .* up /m,
    /^ *record_release [^T]/m,
    /^ *jobs_only 'digest clean'$/m,
    /^ *jobs_started$/m,
    /^ *pruned|^ *\{ tac /m,
  ]
  const places = order.map((pattern) => text.search(pattern))
  assert.ok(
    places.every((place, i) => place > (places[i - 1] ?? 0)),
    places.join(),
  )
  assert.match(script({ image: 'botgarden/hello-bot:abc', health: '/x' }, { jobs })?.script.text ?? '', "jobs_only ''")
  assert.not.match(script({ health: '/x' }, {})?.script.text ?? '', 'jobs_')
})

test('a job that failed is told until it has gone well', () => {
  const told = (more: object) => failureOf({ ...result, ...more }, false)
  assert.is(told({}), undefined)
  assert.is(told({ code: 3 }), 'FAILED: exit code 3 on 2026-11-26 07:02 UTC, 12 s')
  assert.match(told({ how: 'timeout', code: 143 }) ?? '', 'ended by its timeout')
  assert.match(told({ how: 'memory', code: 137 }) ?? '', 'out of memory')
  assert.match(failureOf({ start: 1, image: 'x' }, false) ?? '', 'cut before its end')
  assert.is(failureOf({ start: 1, image: 'x' }, true), undefined)
  assert.is(failureOf(undefined, false), undefined)
})

test('what a host tells of its jobs is read by bot', async () => {
  const { kind } = jobsState('a')
  const host = scratchHost({})
  assert.is((await host.run(kind.script(['a']))).output, '')
  const sum = 'f'.repeat(64)
  const output = `file 644 0 /etc/systemd/system/botgarden-job-a.x.timer
file 600 0 /opt/botgarden/bots/a-b/jobs/x.sh
${sum}  /etc/systemd/system/botgarden-job-a.x.timer
${sum}  /opt/botgarden/bots/a-b/jobs/x.sh
NextElapseUSecRealtime=Thu 2026-11-26 07:03:00 UTC
Id=botgarden-job-a.x.timer
ActiveState=active
UnitFileState=enabled
NeedDaemonReload=no

Id=botgarden-job-a.x.service
ActiveState=activating
UnitFileState=static
NeedDaemonReload=no
result /var/lib/botgarden/bots/a/jobs/x.json {"start":5,"image":"i","seconds":1,"how":"ended","code":3,"lines":"aGkK"}
result /var/lib/botgarden/bots/a/jobs/y.json {"st
`
  const states = kind.parse(output, ['a', 'a-b', 'c'])
  assert.equal(states.get('a'), {
    files: { '/etc/systemd/system/botgarden-job-a.x.timer': `644 0 ${sum}` },
    timers: { x: { active: true, enabled: true, needsReload: false, next: Date.parse('2026-11-26T07:03:00Z') } },
    running: ['x'],
    results: {
      x: { start: 5, image: 'i', seconds: 1, how: 'ended', code: 3, output: 'hi\n' },
      y: { start: 0, image: '' },
    },
  })
  assert.equal(states.get('a-b'), {
    ...{ files: { '/opt/botgarden/bots/a-b/jobs/x.sh': `600 0 ${sum}` }, timers: {}, running: [], results: {} },
  })
  assert.is(states.get('c'), undefined)
})

test('the list says when a job runs, how it went, and what it printed where it failed', () => {
  const timers = {
    digest: { active: true, enabled: true, needsReload: false, next: Date.parse('2026-11-27T08:00:00Z') },
  }
  const state = {
    files: {},
    timers,
    running: [],
    results: { digest: { ...result, code: 3, output: 'no mail\nserver\n' } },
  }
  assert.is(
    jobsText({ jobs, state }),
    `digest  0 9 * * * Europe/Berlin  next: 2026-11-27 08:00 UTC  last: exit code 3 on 2026-11-26 07:02 UTC, 12 s
    no mail
    server
clean   @hourly UTC  next: never, its timer does not run  not run yet
`,
  )
  assert.match(jobsText({ jobs: {}, state: undefined }), 'no jobs')
})

test.run()
