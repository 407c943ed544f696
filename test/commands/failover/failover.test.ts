import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { refuseRebuilt } from '../../../commands/failover/index.ts'
import { parseKept } from '../../../commands/failover/kept.ts'
import { lossText } from '../../../commands/failover/loss.ts'
import { inventoryLines, pairsOf } from '../../../commands/failover/pairs.ts'
import { planOf } from '../../../commands/failover/plan.ts'
import { releasing } from '../../../commands/failover/runs.ts'
import { bytesOfLsn, parseReplica } from '../../../commands/failover/server.ts'
import type { Silent, Stand } from '../../../commands/failover/stand.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'
import { gateFaults } from '../../../roles/standby/gate.ts'
import { primaryIn, recordText } from '../../../roles/standby/primary-record.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection } from '../../support/fake-host.ts'

const hostOf = (name: string, postgres: object = {}, bots: string[] = []) =>
  ({
    name,
    vars: { postgres, bot: {} },
    bots: bots.map((each) => ({ name: each, where: '', settings: {} })),
  }) as unknown as InventoryHost
const vps1 = hostOf('vps1', { standby: 'vps2', synchronous: true }, ['shop', 'news'])
const vps2 = hostOf('vps2')
const hosts = [vps1, vps2]
const session = {
  inventory: { file: 'inventory.yaml', hosts },
  hosts,
  report: { line: () => {} },
  options: { own: new Map(), check: false },
} as unknown as Session
const stand = (host: InventoryHost, more: Partial<Stand> = {}): Stand => ({
  ...{ host, name: host.name, record: { epoch: 1, primary: 'vps1', standby: 'vps2' }, torn: false },
  ...{ gate: { open: false, verdict: '' }, follows: host === vps2, key: 'k', peerOrigin: undefined, ...more },
})
const silent: Silent = { host: vps1, error: new ConnectError('vps1: connection refused') }

test('a plan takes the record of the highest epoch, whichever host has it', () => {
  const first = planOf(session, stand(vps1), stand(vps2))
  assert.equal([first.isDecided, first.record], [false, { epoch: 2, primary: 'vps2', standby: 'vps1' }])
  const decided = { epoch: 2, primary: 'vps2', standby: 'vps1' }
  const cut = planOf(session, stand(vps1), stand(vps2, { record: decided, follows: false }))
  assert.equal([cut.isDecided, cut.record], [true, decided])
  const back = planOf(
    session,
    stand(vps2, { record: decided, follows: false }),
    stand(vps1, { record: decided, follows: true }),
  )
  assert.equal(back.record, { epoch: 3, primary: 'vps1', standby: 'vps2' })
  assert.is(planOf(session, silent, stand(vps2)).record.epoch, 2)
})

test('there is no failover to a host that follows nobody, without a record, or of another pair', async () => {
  const refused = async (from: Stand | Silent, to: Stand) =>
    (await errorOf((async () => planOf(session, from, to))(), HostError)).message
  assert.match(await refused(stand(vps1), stand(vps2, { follows: false })), /does not follow another one.*site\.ts/)
  assert.match(
    await refused(stand(vps1, { record: undefined }), stand(vps2, { record: undefined })),
    /no record of a pair/,
  )
  const others = { epoch: 9, primary: 'vps3', standby: 'vps2' }
  assert.match(await refused(stand(vps1), stand(vps2, { record: others })), /no record of a pair with vps1/)
})

test('a torn record counts for none', () => {
  const told = (text: string) => primaryIn(`primary ${Buffer.from(text).toString('base64')}\n`)
  assert.equal(told('{"epoch":1,"primary":"vps1","standby":"vps2"}\n'), { epoch: 1, primary: 'vps1', standby: 'vps2' })
  for (const text of [
    '',
    '{"epoch":1',
    '{"epoch":0,"primary":"a","standby":"b"}',
    '{"epoch":1.5,"primary":"a","standby":"b"}',
    '{"epoch":1,"primary":"-x","standby":"b"}',
  ])
    assert.is(told(text), 'torn', text)
  assert.is(primaryIn('open\n'), undefined)
})

test('what the inventory is to say after a failover is told line by line', () => {
  assert.equal(inventoryLines({ epoch: 2, primary: 'vps2', standby: 'vps1' }, hosts), [
    'hosts.vps1.postgres: take "standby: vps2" out, and "synchronous"',
    'hosts.vps2.postgres: { standby: vps1, synchronous: true }',
    'bots.shop.host: vps2',
    'bots.news.host: vps2',
  ])
})

test('a host without a standby is in no pair, and one that a run leaves out counts for the other one', () => {
  assert.equal(pairsOf({ inventory: { hosts: [vps2] } } as unknown as Session, [vps2]), [])
  assert.equal(pairsOf(session, [vps2]), [{ primary: vps1, standby: vps2 }])
})

test('of the loss it is told what is known', () => {
  const replica = {
    follows: true,
    received: 100,
    replayed: 100,
    lastCommit: Date.UTC(2026, 10, 26, 12),
    lastHeard: undefined,
  }
  const of = (postgres: object, from: 'there' | 'gone', flushed?: number, more: object = {}) => {
    const host = hostOf('vps1', postgres)
    return lossText(
      { from: from === 'there' ? stand(host) : { ...silent, host }, to: stand(vps2) },
      { ...replica, ...more },
      flushed,
    )
  }
  assert.match(of({}, 'there', 100), /^nothing is lost/)
  assert.match(of({}, 'there', 150), /last change .* is of 2026-11-26T12:00:00\.000Z, and lacks 50 bytes/)
  assert.match(
    of({}, 'gone'),
    /last change .*2026-11-26T12:00:00\.000Z: what vps1 has acknowledged after that is lost\.$/,
  )
  assert.match(of({}, 'gone', undefined, { lastHeard: Date.UTC(2026, 10, 26, 12, 0, 2) }), /at most 2\.0 s/)
  assert.match(of({}, 'gone', undefined, { lastCommit: undefined }), /of before it was copied/)
  assert.match(of({ synchronous: true }, 'gone'), /nothing that vps1 has acknowledged is lost/)
})

test('positions and states of a server are read as it prints them, and nothing else is', async () => {
  assert.is(bytesOfLsn('0/3000060'), 0x3000060)
  assert.is(bytesOfLsn('2/0'), 2 ** 33)
  for (const text of ['', '3000060', '0/', 'x/1', '0/3000060; drop']) assert.is(bytesOfLsn(text), undefined, text)
  assert.equal(parseReplica('t|100|90|1795711079000.5|\n'), {
    ...{ follows: true, received: 100, replayed: 90, lastCommit: 1795711079000, lastHeard: undefined },
  })
  for (const text of ['', 'psql: error', 't|x|1||'])
    assert.match((await errorOf((async () => parseReplica(text))(), HostError)).message, /does not tell/)
})

test('what a host has of a bot is not mixed up with one whose name begins alike', () => {
  const text = (value: object) => Buffer.from(`${JSON.stringify(value)}\n`).toString('base64')
  const place = { number: 3, serves: 'vps1', from: 'vps1', at: '2026-11-26T12:00:00.000Z', standby: true }
  const told = `place.json shop ${text(place)}\nnumber shop-2 7\nsecrets shop ${'a'.repeat(64)}\nnumber shop x; reboot\n`
  assert.equal(parseKept(told, 'shop'), { past: [], place, secrets: 'a'.repeat(64) })
  assert.equal(parseKept(told, 'shop-2'), { past: [], number: 7 })
})

test('who only looks at a bot brings its standby nothing', () => {
  const of = (...flags: string[]) =>
    releasing({ options: { own: new Map(flags.map((each) => [each, ['']])) } } as unknown as Session)
  assert.ok(of('name') && of('all') && of('name', 'rollback') && of('name', 'move-to'))
  for (const flag of ['logs', 'releases', 'jobs', 'psql', 'exec', 'run', 'remove'])
    assert.not.ok(of('name', flag), flag)
})

test('a primary whose gate is shut is told, with what opens it', () => {
  const of = (is: 'primary' | 'standby', verdict: string, open = false) =>
    gateFaults({ is, own: 'vps1', other: 'vps2' }, { open, verdict })
  assert.match(of('primary', 'shut vps2 is the primary since epoch 2')[0] ?? '', /runs no bot.*inventory.*site\.ts/)
  assert.match(
    of('primary', 'shut vps2 does not answer, and no webhook tells')[0] ?? '',
    /--from vps2 --to vps1 --old-host-is-gone/,
  )
  assert.equal(
    [of('primary', 'open primary of epoch 1', true), of('standby', 'shut vps1 is'), of('primary', '')],
    [[], [], []],
  )
})

/** Why this host is not rebuilt, where the other one tells this; undefined: it does not answer. */
async function notRebuilt(host: InventoryHost, told: string | undefined): Promise<string> {
  const asked: Session = {
    ...session,
    connected: async (_: InventoryHost, use: (connection: unknown) => unknown) => {
      if (told === undefined) throw silent.error
      return use(
        countedConnection(async (__, { text }) => {
          text?.(Buffer.from(told))
          return 0
        }),
      )
    },
  } as unknown as Session
  return (await errorOf(refuseRebuilt(asked, host), HostError)).message
}
const primaryLine = (primary: string, standby: string, epoch = 1) =>
  `primary ${Buffer.from(recordText({ epoch, primary, standby })).toString('base64')}\n`

test('a host of a pair is not rebuilt from a backup, and is told what has newer data', async () => {
  const after = await notRebuilt(vps1, primaryLine('vps2', 'vps1', 2))
  assert.match(
    after,
    /vps1 is not rebuilt.*nothing was changed: vps2 is the primary since epoch 2; change inventory.yaml/,
  )
  assert.match(after, /hosts\.vps2\.postgres: \{ standby: vps1/)
  const before = await notRebuilt(vps1, primaryLine('vps1', 'vps2'))
  assert.match(before, /its standby vps2 has newer data .*failover\.ts --from vps1 --to vps2 --old-host-is-gone/)
  assert.match(before, /take "standby: vps2" from hosts\.vps1\.postgres out/)
  assert.match(await notRebuilt(vps1, undefined), /vps2 does not answer, and may have newer data.*where it is gone too/)
  assert.match(await notRebuilt(vps2, primaryLine('vps1', 'vps2')), /it is the standby of vps1.*site\.ts brings/)
})

test('a host of no pair is rebuilt, and no other one is asked', async () => {
  const refusing = { ...session, connected: () => assert.unreachable('a host was asked') } as unknown as Session
  await refuseRebuilt(refusing, hostOf('vps3'))
})

test.run()
