// Which hosts an update drains, who is told of it, and what comes of it where nobody answers.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  backScript,
  drained,
  drainScript,
  isInSwarm,
  spreadAgain,
  spreadScript,
} from '../../../commands/mesh/swarm/drain.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { type InventoryHost, readInventory } from '../../../lib/inventory/inventory.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { allRoles } from '../../../roles/index.ts'
import { scratchFolder } from '../../support/copies.ts'
import { countedConnection } from '../../support/fake-host.ts'
import { scratchFile } from '../../support/runner.ts'

const inventoryOf = (bots: string) =>
  readInventory(
    scratchFile(
      `drain-${bots.replace(/\W/g, '')}.yaml`,
      `vars: { mesh: { network: 10.214.0.0/16 } }
hosts: { a: { mesh: { address: 10.214.0.1 } }, b: { mesh: { address: 10.214.0.2 } }, c: { mesh: { address: 10.214.0.3 } } }
bots: { ${bots} }
`,
    ),
    allRoles,
  )
const onAll = 'hot: { host: a, replicas: 2, hosts: [a, b, c] }'
const said = [
  '{"state":"active","address":"10.214.0.1","manages":true,"error":""}',
  ...['a', 'b', 'c'].map((name, i) =>
    JSON.stringify({ id: `n${name}`, role: 'manager', state: 'ready', address: `10.214.0.${i + 1}`, labels: {} }),
  ),
].join('\n')

/** What is done while this host is updated, in order: who is told what, and the work. */
async function updated(bots: string, name: string, { unreached = '', fails = false, nodes = said } = {}) {
  const inventory = await inventoryOf(bots)
  const done: string[] = []
  const session = {
    inventory,
    report: { line: (line: string) => done.push(line) },
    connected: async (host: InventoryHost, use: (given: unknown) => Promise<unknown>) => {
      if (host.name === unreached) throw new ConnectError(`${host.name}: cannot be reached`)
      return use(
        countedConnection(async (script, { text }) => {
          const sent = script('N')
          if (sent.includes('docker info')) text?.(Buffer.from(nodes))
          else done.push(`${host.name}: ${sent.trim().split('\n').at(-1)?.trim()}`)
          return 0
        }),
      )
    },
  } as unknown as Session
  const host = inventory.hosts.find((each) => each.name === name) as InventoryHost
  const work = async () => {
    done.push('work')
    if (fails) throw new Error('it fails')
  }
  const wasDrained = await drained(session, host, work).then(
    (result) => result.wasDrained,
    () => 'failed',
  )
  return { done, wasDrained, session, host }
}

const drain = 'drain nb botgarden-drained 120'
const back = 'docker node update --availability active --label-rm botgarden-drained nb >/dev/null'

test('another manager is told that a host is drained, and that it takes replicas again, also after an update that fails', async () => {
  const { done, wasDrained } = await updated(onAll, 'b')
  assert.equal(done, ['b  ▸ its replicas run elsewhere meanwhile', `a: ${drain}`, 'work', `a: ${back}`])
  assert.is(wasDrained, true)
  const failed = await updated(onAll, 'b', { fails: true })
  assert.equal([failed.done.slice(1), failed.wasDrained], [[`a: ${drain}`, 'work', `a: ${back}`], 'failed'])
  // Its own engine would be away.
  assert.match((await updated(onAll, 'a')).done[1] ?? '', /^b: drain na /)
})

test('a host of no swarm is asked and told nothing, and neither is one that nobody stands in for', async () => {
  for (const [bots, name] of [
    ['cold: { host: a }', 'a'],
    ['hot: { host: a, replicas: 2, hosts: [a, b] }', 'c'],
    [`${onAll}, own: { host: a, replicas: 1, hosts: [b] }`, 'b'],
  ] as const)
    assert.equal((await updated(bots, name)).done, ['work'], name)
  const { session, host } = await updated('cold: { host: a }', 'a')
  assert.not(isInSwarm(session, host))
})

test('what nobody can be told of holds up no update', async () => {
  const { done, wasDrained } = await updated(onAll, 'b', { unreached: 'a' })
  const warning = 'b  ▸ warning: a: cannot be reached'
  assert.equal(done.slice(1), [warning, 'work', warning])
  assert.is(wasDrained, false)
  const unknown = await updated(onAll, 'b', { nodes: said.split('\n').slice(0, 2).join('\n') })
  assert.match(unknown.done[1] ?? '', /warning: a knows no node b/)
  // One that has just been rebooted is down for the others yet.
  const down = said.replace('"nb","role":"manager","state":"ready"', '"nb","role":"manager","state":"down"')
  assert.is((await updated(onAll, 'b', { nodes: down })).done.at(-1), `a: ${back}`)
})

test('replicas are spread by a manager of each swarm whose hosts were drained', async () => {
  const { session, host, done } = await updated(onAll, 'b')
  done.length = 0
  await spreadAgain(session, [host])
  assert.equal([done.length, done[0]], [2, 'a  ▸ spreading the replicas over a, b, c'])
  assert.match(done[1] ?? '', /^a: docker service ls .* spread /)
})

/** An engine that has moved what a node runs after two looks, and whose services then have so many replicas. */
const engine = (replicas: string) => `#!/bin/sh
case "$*" in
*Availability*) cat availability; exit ;;
*.Spec.Labels*) cat label; exit ;;
esac
echo "$*" >>told
case "$*" in
'node ps '*) [ "$(grep -c '^node ps' told)" -gt 2 ] || echo task ;;
'service ls '*Name*) printf '%s\\n' 'hot ${replicas}' ;;
'service ls '*) printf '%s\\n' '${replicas}' ;;
esac
`

/** What is printed, and what the engine is told, where a node is as given. */
function onEngine(script: string, { availability = 'active', label = '', replicas = '3/3' } = {}) {
  const folder = scratchFolder()
  writeFileSync(join(folder, 'docker'), engine(replicas), { mode: 0o755 })
  for (const [name, text] of Object.entries({ availability, label, told: '' }))
    writeFileSync(join(folder, name), `${text}${text && '\n'}`)
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  const { stdout } = spawnSync('sh', ['-c', script], { cwd: folder, encoding: 'utf8', env })
  return { stdout, told: readFileSync(join(folder, 'told'), 'utf8').trim().split('\n') }
}

test('a drain waits until nothing of the swarm runs there and all run elsewhere, and says where they do not in time', () => {
  const { text } = drainScript('nb')
  const { stdout, told } = onEngine(text)
  assert.is(stdout, '')
  assert.is(told[0], 'node update --availability drain --label-add botgarden-drained=on nb')
  assert.is(told.filter((line) => line.startsWith('node ps')).length, 3)
  assert.is(
    onEngine(text.replace(/120$/, '1'), { replicas: '2/3' }).stdout,
    'after 1 s not all replicas run elsewhere:\nhot 2/3\n',
  )
})

const services = (on: string) => `#!/bin/sh
case "$*" in
*Replicated*) echo 3 ;;
*botgarden.bot\\"*) echo hot ;;
'service ls '*) echo hot ;;
'node ls '*) printf 'na\\nnb\\nnc\\n' ;;
'service ps '*) printf '${on}' ;;
*) echo "$*" >>told ;;
esac
`

test('replicas are spread by more of them where the fewest are, and only where a host runs more than its share', () => {
  const told = (on: string) => {
    const folder = scratchFolder()
    writeFileSync(join(folder, 'docker'), services(on), { mode: 0o755 })
    writeFileSync(join(folder, 'told'), '')
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
    assert.is(spawnSync('sh', ['-c', spreadScript.text], { cwd: folder, encoding: 'utf8', env }).stdout, '')
    return readFileSync(join(folder, 'told'), 'utf8').trim().split('\n')
  }
  assert.equal(told('a\\na\\nc\\n'), ['service scale hot=4', 'service scale hot=3'])
  assert.equal(told('a\\nb\\nc\\n'), [''])
})

test('a node that somebody else has drained stays so', () => {
  const drainedByOther = { availability: 'drain' }
  const updates = ({ told }: { told: string[] }) => told.filter((line) => line.startsWith('node update'))
  assert.equal(updates(onEngine(drainScript('nb').text, drainedByOther)), [])
  assert.equal(updates(onEngine(backScript('nb').text, drainedByOther)), [])
  assert.equal(updates(onEngine(backScript('nb').text, { availability: 'drain', label: 'on' })), [
    'node update --availability active --label-rm botgarden-drained nb',
  ])
})

test.run()
