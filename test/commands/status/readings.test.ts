import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { containersReading } from '../../../commands/status/container-reading.ts'
import { hostReading } from '../../../commands/status/host-reading.ts'
import { trafficReading } from '../../../commands/status/traffic-reading.ts'
import type { Traffic } from '../../../lib/health/state.ts'
import { withPrograms } from '../../support/stubs.ts'

const line = (uri: string, bot: string, code: number) =>
  `{"time":"2026-11-26T08:29:53+00:00","remote":"192.0.2.7","host":"x","method":"POST","uri":"${uri}","bot":"${bot}","status":${code},"bytes":0}`
const { kind: traffic } = trafficReading('one')

/** What the script makes of these lines of nginx's log. */
async function counted(lines: readonly string[], created = '2020-01-01T00:00:00Z') {
  const docker = `case $1 in logs) cat <<'LOG'\n${lines.join('\n')}\nLOG\n;; *) echo 'created ${created}' ;; esac`
  const { said } = await withPrograms({ docker }, traffic.script(['one', 'two']).text)
  return countsIn(said)
}

function countsIn(said: string): Map<string, Traffic | undefined> {
  return traffic.parse(said, ['one', 'two']) as Map<string, Traffic | undefined>
}

test('requests are counted by bot and by how they were answered', async () => {
  const log = [...[200, 200, 204, 502, 401, 429].map((code) => line('/tg/one', 'one', code)), line('/x', '', 404)]
  const found = await counted(log)
  assert.equal(found.get('one'), { minutes: 60, delivered: 3, failed: 1, refused: 2 })
  assert.equal(found.get('two'), { minutes: 60, delivered: 0, failed: 0, refused: 0 })
})

test('a path that looks like our words counts for no bot, nor does a bot that nobody knows', async () => {
  const found = await counted([
    line(String.raw`/\",\"bot\":\"one\",\"status\":200`, '', 404),
    line('/tg/zzz', 'zzz', 200),
  ])
  assert.equal(found.get('one'), { minutes: 60, delivered: 0, failed: 0, refused: 0 })
  assert.equal([...found.keys()], ['one', 'two'])
})

test('a young server has logged less than an hour, and one that is not there nothing', async () => {
  const created = new Date(Date.now() - 10 * 60_000).toISOString()
  assert.is((await counted([line('/tg/one', 'one', 200)], created)).get('one')?.minutes, 10)
  const { said } = await withPrograms({ docker: 'exit 1' }, traffic.script(['one']).text)
  assert.equal(traffic.parse(said, ['one']).get('one'), undefined)
})

test('where the log is longer than what is read, its first line says how far that reaches', () => {
  const now = Date.parse('2026-11-26T09:00:00Z') / 1000
  const said = `now ${now}\ncreated 2026-11-01T00:00:00Z\nbot one 180000 0 0\nlines 180000 2026-11-26T08:45:00+00:00\n`
  assert.is(countsIn(said).get('one')?.minutes, 15)
})

const { kind: containers } = containersReading
const id = 'd'.repeat(64)

test('a container that was killed for memory is told by its own counter, by Docker, or by the log of the kernel', () => {
  const inspected = (killed: boolean) =>
    `{"id":"${id}","pid":0,"name":"/botgarden-x","status":"exited","health":"","restarts":1,"startedAt":"2026-11-26T04:00:00Z","killed":${killed},"exitCode":137,"limit":67108864}`
  const of = (more: string, killed = false) => {
    const state = containers.parse(`engine answers\n${inspected(killed)}\n${more}`, ['all']).get('all')
    return state instanceof Map ? state.get('botgarden-x') : undefined
  }
  assert.is(of('')?.outOfMemory, false)
  assert.is(of('', true)?.outOfMemory, true)
  assert.is(of(`memory ${id} 5 1\n`)?.outOfMemory, true)
  assert.is(of(`killed ${id}\n`)?.outOfMemory, true)
  assert.equal([of('')?.limitMB, of('')?.memoryMB, of(`memory ${id} 1048576 0`)?.memoryMB], [64, undefined, 1])
})

test('what Docker says of containers that is no answer of it is an error, not a state', () => {
  assert.throws(() => containers.parse('engine answers\n{"id":5}\n', ['all']))
  assert.equal(containers.parse('', ['all']).get('all'), undefined)
})

test('the containers are read by the shell: one that does not run has no memory', async () => {
  const docker = `case $1 in ps) echo ${id} ;; *) echo '{"id":"${id}","pid":0,"name":"/botgarden-x","status":"exited","health":"","restarts":0,"startedAt":"2026-11-26T04:00:00Z","killed":false,"exitCode":1,"limit":0}' ;; esac`
  const oom = `echo 'oom-kill:constraint=CONSTRAINT_MEMCG,oom_memcg=/system.slice/docker-${id}.scope,task_memcg=/x'`
  const { said } = await withPrograms({ docker, journalctl: oom }, containers.script(['all']).text)
  const state = containers.parse(said, ['all']).get('all')
  assert.equal(state instanceof Map && [...state.values()], [
    {
      ...{ status: 'exited', health: '', restarts: 0, exitCode: 1, startedAt: Date.parse('2026-11-26T04:00:00Z') },
      ...{ limitMB: 0, outOfMemory: true },
    },
  ])
})

test('a host is read by the shell', async () => {
  const programs = {
    df: `printf 'Mounted on Size Avail Inodes IFree\\n/ 1000 250 - -\\n/ 1000 249 - -\\n/var/lib/docker 1000 248 - -\\n/data 10 1 100 5\\n'`,
    systemctl: `echo 'a.service loaded failed failed A thing'`,
    iptables: `echo '-P INPUT ACCEPT'`,
    tail: `printf '%s\n' '2026-11-25 06:00:00,1 INFO Starting unattended upgrades script' '2026-11-25 06:00:01,1 ERROR E:Malformed line'`,
  }
  const { said } = await withPrograms(programs, hostReading.kind.script(['host']).text)
  const state = hostReading.kind.parse(said, ['host']).get('host')
  if (state === undefined || !('disks' in state)) throw new Error(said)
  assert.equal(
    state.disks.map(({ path, used, inodesUsed }) => [path, used, inodesUsed]),
    [
      ['/', 0.751, 0],
      ['/data', 0.9, 0.95],
    ],
  )
  assert.equal([state.failedUnits, state.firewall], [['a.service'], false])
  assert.is(state.upgradeFault, 'E:Malformed line')
  assert.ok(state.uptimeSeconds > 0 && state.memory.totalMB > 0)
})

test.run()
