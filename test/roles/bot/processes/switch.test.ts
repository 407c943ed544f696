// What a switch of a bot does about its processes, run in a real sh with stand-ins for docker, nginx and Telegram.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { nginxReload } from '../../../../lib/platform/nginx.ts'
import { locationText } from '../../../../roles/bot/release/nginx-route.ts'
import { processRepair } from '../../../../roles/bot/release/processes/repair.ts'
import { switchScript } from '../../../../roles/bot/release/switch-script.ts'
import type { Processes } from '../../../../roles/bot/spec/processes.ts'
import type { Release } from '../../../../roles/bot/spec/release-record.ts'
import { type Spec, specOf } from '../../../../roles/bot/spec/spec.ts'
import { limits, place, policy } from '../../../support/release-policy.ts'
import type { ScratchHost } from '../../../support/scratch-host.ts'
import { switchingHost } from '../../../support/switching-host.ts'

const instance = { bot: 'hello', number: 1, ...place }
const state = '/var/lib/botgarden/bots/hello'
const image = 'hello:1'
const both: Processes = { worker: { image, command: ['w'] }, clock: { image, command: ['c'], single: true } }
const version = (processes: Processes | undefined, more: Partial<Spec> = {}): Spec => ({
  ...specOf(image, {}, { health: '/readyz', database: false }),
  ...(processes && { processes }),
  ...more,
})
const releaseOf = (spec: Spec): Release => ({ id: '1', spec, colour: 'blue', secrets: {}, by: 'me' })

/** A host where this version serves, in blue. */
async function hostWith(spec: Spec): Promise<ScratchHost> {
  const host = switchingHost()
  host.container('botgarden-hello-blue')
  for (const name of Object.keys(spec.processes ?? {})) host.container(`botgarden-hello.${name}-blue`)
  const record = `${JSON.stringify(releaseOf(spec))}\n`
  host.write(`${state}/current.json`, record)
  host.write(`${state}/releases`, record)
  if (spec.mode === 'webhook')
    host.write('/opt/botgarden/nginx/conf/bots/hello.conf', locationText('hello', '10.210.1.2', 3000, '/webhook'))
  const { code, output } = await host.run(nginxReload)
  assert.is(code, 0, output)
  return host
}

const processContainers = (host: ScratchHost) =>
  host.containers().flatMap((line) => /^botgarden-(hello\..*)/.exec(line)?.[1] ?? [])
const bots = (host: ScratchHost) => host.containers().filter((line) => line.startsWith('botgarden-hello-'))

function switchTo(host: ScratchHost, before: Spec, after: Spec, release = releaseOf(before)) {
  const processes = processContainers(host).map((line) => `botgarden-${line.split(' ')[0]}`)
  const change = { instance, spec: after, colour: 'green' as const, old: release, oldContainerExists: true, limits }
  return host.run(switchScript({ ...change, policy, secrets: ['token'], processes }))
}

/** The calls of docker about containers of processes, shortened. */
function stepsOf(calls: readonly string[]): string[] {
  return calls
    .filter((call) => /^docker (stop|start|update|rm|compose).*(hello\.|processes)/.test(call))
    .filter((call) => !call.startsWith('docker rm'))
    .map((call) =>
      call
        .replace(/^docker compose -f \S*\/(\w+)\.processes\.yaml up.*/, 'up $1')
        .replace(/^docker (\w+) (--time 20|--restart) /, '$1 ')
        .replaceAll('botgarden-hello.', ''),
    )
}

test('one that is single stops before the new ones start, the others after the release is recorded', async () => {
  const host = await hostWith(version(both))
  const { code, output, calls } = await switchTo(host, version(both), version(both))
  assert.is(code, 0, output)
  assert.equal(stepsOf(calls), [
    'stop clock-blue',
    'up green',
    'update always worker-green',
    'update always clock-green',
    'update no clock-blue worker-blue',
    'stop worker-blue',
  ])
  const at = (pattern: RegExp) => calls.findIndex((call) => pattern.test(call))
  const recorded = at(/^sync .*current\.json\.new/)
  assert.ok(at(/update --restart always botgarden-hello\.worker-green/) < recorded)
  assert.ok(at(/update --restart always botgarden-hello\.clock-green/) > recorded)
  assert.ok(at(/stop --time 20 botgarden-hello\.worker-blue/) > recorded)
  assert.equal(processContainers(host), ['hello.clock-green running always', 'hello.worker-green running always'])
  assert.equal(Object.keys(JSON.parse(host.read(`${state}/current.json`)).spec.processes), ['worker', 'clock'])
})

for (const [what, before, after] of [
  ['polls', version(both, { mode: 'polling' }), version(both, { mode: 'polling' })],
  ['begins to poll', version(both), version(both, { mode: 'polling' })],
  ['has data with one writer', version(both, { data: ['/data'] }), version(both, { data: ['/data'] })],
] as const)
  test(`all processes of a bot that ${what} stop before the new ones start`, async () => {
    const host = await hostWith(before)
    host.folder('/var/lib/botgarden/data/hello/current/data')
    const { code, output, calls } = await switchTo(host, before, after)
    assert.is(code, 0, output)
    assert.equal(stepsOf(calls).slice(0, 2), ['stop clock-blue worker-blue', 'up green'])
    assert.equal(processContainers(host), ['hello.clock-green running always', 'hello.worker-green running always'])
  })

for (const [what, spoil, said] of [
  [
    'does not stay up',
    (host: ScratchHost) => host.note('docker', worker('false 0')),
    /hello\.worker-green ended by itself/,
  ],
  [
    'was started again',
    (host: ScratchHost) => host.note('docker', worker('true 1')),
    /hello\.worker-green ended by itself/,
  ],
  [
    'cannot be started',
    (host: ScratchHost) => host.note('fails', 'compose .*processes.* up'),
    /refused: docker compose/,
  ],
  [
    'comes when nothing can be recorded',
    (host: ScratchHost) => host.note('fails', 'update --restart always botgarden-hello-green'),
    /refused/,
  ],
] as const)
  test(`where a process ${what}, the version before serves on with all of its own`, async () => {
    const host = await hostWith(version(both))
    const before = [...bots(host), ...processContainers(host)]
    spoil(host)
    const { code, output } = await switchTo(host, version(both), version(both))
    assert.is(code, 1, output)
    assert.match(output, said)
    assert.match(output, 'the previous version is still serving')
    assert.equal([...bots(host), ...processContainers(host)], before)
    assert.is(JSON.parse(host.read(`${state}/current.json`)).colour, 'blue')
    if (/ended/.test(output)) assert.match(output, 'the log of botgarden-hello.worker-green')
  })

/** Shell text: what docker says of all containers at once is so for the worker. */
function worker(saying: string): string {
  return `case "$*" in 'container inspect --format {{.Name}} {{.State.Running}} {{.RestartCount}}'*)
    shift 4; for each; do case $each in *worker*) echo "/$each ${saying}" ;; *) echo "/$each true 0" ;; esac; done; exit ;; esac\n`
}

test('a process that is not ready takes the release back, and what it answered is told', async () => {
  const api: Processes = { api: { image, command: ['a'], port: 8080, health: '/up' } }
  const host = await hostWith(version(undefined))
  // Of the bot, then of the process.
  host.note('health', '200\n500\n')
  const spec = version(api)
  const change = {
    instance,
    spec,
    colour: 'green' as const,
    old: releaseOf(version(undefined)),
    oldContainerExists: true,
    limits,
  }
  const { code, output } = await host.run(switchScript({ ...change, policy, secrets: [], processes: [] }))
  assert.is(code, 1, output)
  assert.match(output, /hello\.api-green was not ready/)
  assert.match(output, 'last response from http://10.210.1.17:8080/up: 500')
  assert.equal(processContainers(host), [])
  assert.not(host.there(`${state}/processes`))
})

test('a first release begins without what an interrupted one left', async () => {
  const host = switchingHost()
  host.container('botgarden-hello.old-blue')
  host.container('botgarden-hello.worker-green')
  const change = {
    instance,
    spec: version(both),
    colour: 'blue' as const,
    old: undefined,
    oldContainerExists: false,
    limits,
  }
  const processes = ['botgarden-hello.old-blue', 'botgarden-hello.worker-green']
  const { code, output } = await host.run(switchScript({ ...change, policy, secrets: [], processes }))
  assert.is(code, 0, output)
  assert.equal(processContainers(host), ['hello.clock-blue running always', 'hello.worker-blue running always'])
})

test('a version without processes stops those of the version before, and nothing asks for them again', async () => {
  const host = await hostWith(version(both))
  host.write(`${state}/processes`, '')
  const { code, output } = await switchTo(host, version(both), version(undefined))
  assert.is(code, 0, output)
  assert.equal(processContainers(host), [])
  assert.not(host.there(`${state}/processes`))
})

test('a repair starts what is gone, removes what is of no release, and touches nothing else', async () => {
  const host = await hostWith(version(both))
  await host.run(
    switchScript({
      ...{ instance, spec: version(undefined), colour: 'green', old: undefined },
      ...{ oldContainerExists: false, limits, policy, secrets: [] },
    }),
  )
  host.container('botgarden-hello.clock-green')
  const good = { status: 'running', health: '', config: 'x', restart: 'always', memoryMB: 160, cpus: 0.5 }
  const there = { 'botgarden-hello.clock-blue': good, 'botgarden-hello.clock-green': good }
  const [change] = processRepair(instance, releaseOf(version(both)), limits, { processes: there, kept: {} })
  assert.match(change?.summary ?? '', 'process clock, since its container differs')
  const { code, output, calls } = await host.run(change?.script ?? { text: 'false', shown: '' })
  assert.is(code, 0, output)
  assert.equal(processContainers(host), ['hello.clock-blue running always', 'hello.worker-blue running always'])
  assert.equal(stepsOf(calls)[0], 'stop clock-green')
})

test.run()
