// The program that runs a job, in a real sh, with stand-ins for Docker and the clock.
import { rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { jobFiles } from '../../../../roles/bot/jobs/files.ts'
import type { Spec } from '../../../../roles/bot/spec/spec.ts'
import { spec } from '../../../support/hello-bot.ts'
import { type Outcome, type ScratchHost, scratchHost } from '../../../support/scratch-host.ts'

const instance = {
  ...{ bot: 'hello-bot', number: 3, base: '10.210', telegram: 'https://api.telegram.org' },
  origin: 'https://bots.example.org',
}
const limits = { memoryMB: 160, cpus: 0.5 }
const program = '/opt/botgarden/bots/hello-bot/jobs/digest.sh'
const record = '/var/lib/botgarden/bots/hello-bot/jobs/digest.json'
const container = 'botgarden-hello-bot.digest.job'
const lock = '/run/botgarden/jobs-hello-bot.lock'

/** Clock time is 5000 when the host has been up for 1000 s. */
const date = 'read -r up _ </proc/uptime; echo $((4000 + ${up%%.*}))'

/** `docker`: shell text that answers before the stand-in for Docker does. */
function jobHost(docker: string, more: { spec?: Partial<Spec>; programs?: Record<string, string> } = {}): ScratchHost {
  const host = scratchHost({ date, ...more.programs })
  const digest = { schedule: '0 9 * * *', command: ['digest'], timeout: 100 }
  const files = jobFiles({
    ...{ instance, colour: 'green', limits },
    spec: { ...spec, database: false, jobs: { digest }, ...more.spec },
  })
  for (const { path, text } of files) if (path.startsWith('/opt')) host.install(path, text)
  host.note('docker', docker)
  return host
}

async function ran(
  host: ScratchHost,
): Promise<Outcome & { noted: Record<string, unknown> | undefined; docker: string[] }> {
  const outcome = await host.run(`echo $$ >"$STATE/pid"; exec sh ${program}`)
  const { lines, ...noted } = host.there(record) ? JSON.parse(host.read(record)) : { lines: undefined }
  return {
    ...outcome,
    noted: host.there(record)
      ? { ...noted, ...(lines !== undefined && { lines: Buffer.from(lines, 'base64').toString() }) }
      : undefined,
    docker: outcome.calls
      .filter((line) => line.startsWith('docker '))
      .map((line) =>
        line
          .slice(7)
          .replaceAll(host.root, '')
          .replaceAll(container, 'JOB')
          .replace(/^compose -f \S+ /, 'compose '),
      ),
  }
}

const ends = (code: number) => `[ "$1" != wait ] || { sleep 2; echo ${code}; exit; }`
const begun = ['rm -f --volumes JOB', 'compose up --detach --no-build --pull never --quiet-pull']

test('a job runs once: its container is made, awaited, noted and removed', async () => {
  const host = jobHost(
    `held=held; ! flock -s -n "\${STATE%/*}/root${lock}" true || held=free
    echo "$1 $held" >>"$STATE/locks"
    [ "$1" != wait ] || cp "\${STATE%/*}/root${record}" "$STATE/begun"
    ${ends(0)}`,
  )
  // What a run that was cut has left.
  host.container(container)
  rmdirSync(join(host.root, 'run/botgarden'))
  const { code, output, noted, docker } = await ran(host)
  assert.is(code, 0, output)
  assert.equal(noted, {
    ...{ start: 5000, image: spec.image, seconds: 30, how: 'ended', code: 0, lines: `the log of ${container}\n` },
  })
  assert.equal(JSON.parse(host.noted('begun')), { start: 5000, image: spec.image })
  assert.equal(docker.slice(0, 2), begun)
  // The follower is beside what waits.
  assert.equal(docker.slice(2, 4).sort(), ['logs --follow JOB', 'wait JOB'])
  assert.equal(docker.slice(4), [
    'container inspect --format {{.State.OOMKilled}} JOB',
    ...['logs --tail 20 JOB', 'logs --tail 20 JOB', 'rm -f --volumes JOB'],
  ])
  assert.equal(host.containers(), [])
  assert.match(output, `the log of ${container}\n`)
  assert.match(output, 'botgarden: the job digest of hello-bot: ended, exit code 0, 30 s\n')
  assert.not.match(output, 'waiting for that')
  const held = host.noted('locks').split('\n')
  assert.ok(
    ['rm held', 'compose held', 'wait free'].every((line) => held.includes(line)),
    held.join(),
  )
  assert.equal([host.mode('/var/lib/botgarden/bots/hello-bot/jobs'), host.mode('/run/botgarden')], ['700', '700'])
  assert.equal(host.list('/var/lib/botgarden/bots/hello-bot/jobs'), ['digest.json'])
})

test('a job that fails ends with its code', async () => {
  const { code, noted } = await ran(jobHost(ends(3)))
  assert.equal([code, noted?.how, noted?.code], [3, 'ended', 3])
})

test('its last lines are kept, up to 4000 bytes', async () => {
  const { noted } = await ran(jobHost(`${ends(1)}\n[ "$1 $2" != 'logs --tail' ] || { printf '%05000d' 7; exit; }`))
  assert.is(noted?.lines, '7'.padStart(4000, '0'))
})

test('a container that is not made is told with the reason, and nothing is left', async () => {
  const host = jobHost(
    `[ "$1" != compose ] || { printf '%04500d' 1; echo no such image >&2; exit 1; }
    ! flock -s -n "\${STATE%/*}/root${lock}" true || echo "$1 free" >>"$STATE/locks"`,
  )
  const { code, output, noted, docker } = await ran(host)
  assert.is(code, 1)
  assert.equal([noted?.how, noted?.code, noted?.seconds], ['not started', 1, 0])
  assert.ok(String(noted?.lines).endsWith('01no such image') && String(noted?.lines).length === 4000)
  assert.match(output, '01no such image\nbotgarden: the job digest of hello-bot: not started, exit code 1, 0 s\n')
  assert.equal(docker, [...begun, 'rm -f --volumes JOB'])
  // The release that waits for the start need not wait for its end.
  assert.is(host.noted('locks'), 'rm free\n')
})

test('a job that takes too long is stopped', async () => {
  const { code, noted, docker, calls } = await ran(jobHost('[ "$1" != wait ] || { sleep 3; exit 124; }'))
  assert.equal([code, noted?.how, noted?.code, noted?.seconds], [1, 'timeout', 7, 120])
  const stop = docker.indexOf('stop --time 20 JOB')
  assert.ok(stop > docker.lastIndexOf('wait JOB'), docker.join('\n'))
  assert.is(docker[stop + 1], 'container inspect --format {{.State.ExitCode}} JOB')
  // Two looks with a pause behind each: 45 s, 15 s, 45 s, 15 s of the 100.
  assert.equal(
    calls.filter((line) => line.startsWith('sleep')),
    ['sleep 3', 'sleep 1', 'sleep 3', 'sleep 1'],
  )
})

test('where Docker is away for a while, it is asked again', async () => {
  const host = jobHost(
    `case $1 in
    wait) echo x >>"$STATE/waits"; [ "$(wc -l <"$STATE/waits")" -gt 2 ] || exit 1; echo 0; exit ;;
    version) [ "$(wc -l <"$STATE/waits")" -gt 1 ] || exit 1 ;;
    esac`,
  )
  const { code, noted, docker } = await ran(host)
  assert.equal([code, noted?.how, noted?.code], [0, 'ended', 0])
  assert.equal(
    docker.filter((line) => /^(wait|version|container)/.test(line)),
    [
      ...['wait JOB', 'version', 'wait JOB', 'version', 'container inspect JOB', 'wait JOB'],
      'container inspect --format {{.State.OOMKilled}} JOB',
    ],
  )
})

test('an answer without a code is none', async () => {
  const { noted } = await ran(
    jobHost('[ "$1" != wait ] || { echo x >>"$STATE/waits"; [ "$(wc -l <"$STATE/waits")" = 1 ] || echo 4; exit; }'),
  )
  assert.equal([noted?.how, noted?.code], ['ended', 4])
})

test('a container that somebody has removed is told', async () => {
  const { code, noted, docker } = await ran(
    jobHost(
      `[ "$1" != wait ] || { rm -r "$containers/${container}"; exit 1; }`.replace('$containers', '$STATE/containers') +
        `\n[ "$1" != logs ] || [ -e "$STATE/containers/${container}" ] || exit 1`,
    ),
  )
  assert.equal([code, noted?.how, noted?.code, noted?.lines], [1, 'gone', 1, ''])
  assert.is(docker.filter((line) => line === 'wait JOB').length, 1)
})

test('a job that has run out of memory is told', async () => {
  const { code, noted } = await ran(jobHost(`${ends(137)}\ncase $* in *OOMKilled*) echo true; exit ;; esac`))
  assert.equal([code, noted?.how, noted?.code], [1, 'memory', 137])
})

for (const signal of ['TERM', 'INT'])
  test(`SIG${signal} stops its container`, async () => {
    const { code, output, noted, docker, calls } = await ran(
      jobHost(`[ "$1" != wait ] || { kill -${signal} "$(cat "$STATE/pid")"; exit 1; }`),
    )
    assert.equal([code, noted?.how, noted?.code], [1, 'stopped', 7], output)
    assert.ok(docker.includes('stop --time 20 JOB'))
    assert.equal(
      calls.filter((line) => line.startsWith('sleep')),
      [],
    )
  })

test('a job waits while another starts or a release is under way', async () => {
  const host = jobHost(ends(0), { programs: { flock: '[ "$1" != -n ]' } })
  const { code, output, calls } = await ran(host)
  assert.is(code, 0)
  assert.match(output, 'another job of the bot starts, or a release is under way: waiting for that')
  assert.equal(
    calls.filter((line) => line.startsWith('flock')),
    ['flock -n 9', 'flock -w 3600 9'],
  )
})

test('it is not run where that takes more than an hour', async () => {
  const { code, noted, docker } = await ran(jobHost(ends(0), { programs: { flock: 'exit 1' } }))
  assert.is(code, 1)
  assert.equal([noted?.how, noted?.lines], ['not started', 'a release of the bot has not ended within an hour\n'])
  assert.equal(docker, [])
})

const servers = { database: true, cache: { server: 'valkey' as const, memoryMB: 16 } }
test('it waits for its servers, for a minute in all, and once', async () => {
  const looks = (docker: readonly string[]) =>
    docker.filter((line) => line.includes('Health')).map((line) => line.split(' ').at(-1))
  const after = (times: number) =>
    `case $* in *Health*) echo x >>"$STATE/looks"; [ "$(wc -l <"$STATE/looks")" -gt ${times} ] || { echo starting; exit; } ;; esac\n${ends(0)}`
  const up = (host: ScratchHost) => {
    for (const name of ['postgres', 'hello-bot-cache']) host.container(`botgarden-${name}`)
    return host
  }
  const soon = await ran(up(jobHost(after(2), { spec: servers })))
  assert.equal(looks(soon.docker), [...Array(3).fill('botgarden-postgres'), 'botgarden-hello-bot-cache'])
  assert.is(soon.noted?.start, 5030)
  const never = await ran(up(jobHost(after(99), { spec: servers })))
  assert.equal(looks(never.docker), Array(4).fill('botgarden-postgres'))
  assert.is(never.code, 0)
})

test('a job that a release has taken away leaves no record', async () => {
  const host = jobHost(`[ "$1" != wait ] || rm "\${STATE%/*}/root${program}" "\${STATE%/*}/root${record}"\n${ends(0)}`)
  const { code, noted } = await ran(host)
  assert.equal([code, noted], [0, undefined])
  assert.equal(host.list('/var/lib/botgarden/bots/hello-bot/jobs'), [])
})

test.run()
