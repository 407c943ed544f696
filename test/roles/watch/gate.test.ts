// What the program that watches a host makes of the gate of a pair, and of the replicas of a bot.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { watchedHost } from './watched-host.ts'

/** A host of a pair whose gate has said this a moment ago; by its own record this one is the primary. */
function gated(primary = 'vps1', standby = 'vps2') {
  const host = watchedHost()
  host.write('/opt/botgarden/gate/gate', '#!/bin/sh\n')
  host.write('/etc/botgarden/primary.json', `{"epoch":1,"primary":"${primary}","standby":"${standby}"}\n`)
  /** A run a minute later, before which the gate has judged this; `ago`: how many seconds before it. */
  const sent = (says: string | undefined, ago = 5) => {
    if (says !== undefined) host.write('/run/botgarden/gate/verdict', `${host.now() + 60 - ago}\n${says}\n`)
    return host.sent()
  }
  return { host, sent }
}
const open = 'open primary of epoch 1, as vps2 knows'
const fenced = 'shut it was stopped for a failover to vps2 that has not ended'

test('a gate of the primary that is shut is told after a minute, with its reason, and when it is open', async () => {
  const { sent } = gated()
  assert.is(await sent(open), '')
  assert.is(await sent(fenced), '')
  assert.match(
    await sent(fenced),
    /its gate is shut, so no bot runs: it was stopped for a failover to vps2[\s\S]*give it up: .*failover\.ts --from vps2 --to vps1; to end it: .*--from vps1 --to vps2/,
  )
  assert.is(await sent(fenced), '')
  assert.match(await sent(open), /resolved: its gate is shut/)
})

test('one that is shut for a moment is not told, however often', async () => {
  const { sent } = gated()
  for (const says of [fenced, open, fenced, open, fenced]) assert.is(await sent(says), '')
})

test('where nobody can be asked, the command that opens it names both hosts', async () => {
  const { sent } = gated()
  const alone = 'shut vps2 does not answer, and no webhook tells which host serves'
  await sent(alone)
  assert.match(
    await sent(alone),
    /if vps2 serves nothing: npx zx .*failover\.ts --from vps2 --to vps1 --old-host-is-gone/,
  )
})

test('the gate of a standby is shut as it should be', async () => {
  const { sent } = gated('vps2', 'vps1')
  for (let run = 0; run < 3; run++) assert.is(await sent('shut vps2 is the primary since epoch 1'), '')
})

test('a gate that does not judge is told after 5 minutes, on either host, and when it does', async () => {
  for (const { sent } of [gated(), gated('vps2', 'vps1')]) {
    assert.is(await sent(open, 290), '')
    assert.match(await sent(open, 300), /its gate has not judged for 5 minutes[\s\S]*site\.ts/)
    assert.match(await sent(open), /resolved: its gate has not judged/)
  }
})

test('one that never has judged since the boot is told too, and runs no bot', async () => {
  const { sent } = gated()
  assert.match(await sent(undefined), /its gate has not judged for \d+ minutes/)
  assert.match(await sent(undefined), /its gate is shut/)
})

test('while something is applied a shut gate is not told', async () => {
  const { host, sent } = gated()
  await sent(fenced)
  host.note('inodes', '4711\n')
  assert.is(await sent(fenced), '')
  host.note('inodes', '1\n')
  assert.match(await sent(fenced), /its gate is shut/)
})

const tasks = (...states: string[]) => JSON.stringify(states.map((State) => ({ Status: { State } })))

function withReplicas() {
  const host = watchedHost()
  host.bot('hello', { replicas: { count: 3, hosts: ['vps1', 'vps2', 'vps3'] } })
  const sent = (said: string) => {
    host.note('tasks', said)
    return host.sent()
  }
  return { host, sent }
}

test('fewer replicas than wanted are told after two minutes, and when all run', async () => {
  const { sent } = withReplicas()
  const [all, less] = [tasks('running', 'running', 'running'), tasks('running', 'running', 'starting')]
  assert.is(await sent(all), '')
  assert.is(await sent(less), '')
  assert.is(await sent(less), '')
  assert.match(await sent(less), /hello: 2 of its 3 replicas run[\s\S]*docker service ps botgarden-hello_bot/)
  assert.match(await sent(all), /resolved: hello: 2 of its 3/)
  for (const said of [less, less, all, less, less]) assert.is(await sent(said), '')
})

test('a swarm that does not tell is told as that', async () => {
  const { sent } = withReplicas()
  for (let run = 0; run < 2; run++) assert.is(await sent('{"message":"no leader"}'), '')
  assert.match(await sent('{"message":"no leader"}'), /the swarm does not tell how many of its 3 replicas run/)
})

test('a host with neither asks nothing further, and says nothing', async () => {
  const host = watchedHost()
  host.note('tasks', tasks())
  for (let run = 0; run < 4; run++) assert.is(await host.sent(), '')
  assert.not.match(host.noted('asked'), /docker\/tasks/)
})

test.run()
