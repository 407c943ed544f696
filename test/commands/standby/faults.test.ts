// What of an inventory with a standby does not fit together, and who of two hosts is the primary.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Answer } from '../../../commands/standby/ask.ts'
import { standbyFaults } from '../../../commands/standby/faults.ts'
import { disagreement, recordOf } from '../../../commands/standby/who-is-primary.ts'
import { readInventory } from '../../../lib/inventory/inventory.ts'
import { allRoles } from '../../../roles/index.ts'
import { newestRecord, parsePrimaryRecord, recordText } from '../../../roles/standby/primary-record.ts'
import { errorOf } from '../../support/errors.ts'
import { scratchFile } from '../../support/runner.ts'

let files = 0
const read = (text: string) => readInventory(scratchFile(`standby${files++}.yaml`, text), allRoles)
const inMesh = 'vars: { mesh: { network: 10.214.0.0/16 } }\n'
const faultsOf = async (hosts: string, more = '', vars = inMesh) =>
  standbyFaults((await read(`${vars}hosts: { ${hosts} }\n${more}`)).hosts)

test('a pair in a mesh has no fault', async () => {
  assert.equal(await faultsOf('a: { postgres: { standby: b, synchronous: true } }, b: '), [])
  assert.equal(await faultsOf('a: , b: '), [])
})

for (const [what, hosts, fault, more, vars] of [
  ['a host that is not there', 'a: { postgres: { standby: vps } }, vps2: ', /unknown host "vps".*vps2/],
  ['itself', 'a: { postgres: { standby: a } }, b: ', /is not its own standby/],
  ['each other', 'a: { postgres: { standby: b } }, b: { postgres: { standby: a } }', /b has a standby itself, a/],
  [
    'a host that follows another',
    'a: { postgres: { standby: c } }, b: { postgres: { standby: c } }, c: ',
    /c is the standby of b already/,
  ],
  [
    'one name for both',
    'a: { domain: one.example.org, postgres: { standby: b } }, b: { domain: one.example.org }',
    /b has the domain of a, one.example.org/,
  ],
  [
    'a host in no mesh',
    'a: { mesh: { network: 10.214.0.0/16 }, postgres: { standby: b } }, b: ',
    /a and b are not in one mesh/,
    '',
    '',
  ],
  [
    'a host with bots',
    'a: { postgres: { standby: b } }, b: ',
    /serves no database, and x is to run on b: set host: a/,
    'bots: { x: { host: b, source: bots/x } }\n',
  ],
  [
    'another image',
    'a: { postgres: { standby: b, image: "postgres:17.6" } }, b: ',
    /postgres\.image is postgres:17\.6 on a/,
  ],
  [
    'a setting of ours',
    'a: { postgres: { standby: b, settings: { wal_level: logical } } }, b: ',
    /sets postgres\.settings\.wal_level itself/,
  ],
  [
    'more connections on one',
    'a: { postgres: { standby: b, settings: { max_connections: 300 } } }, b: ',
    /max_connections differs on a and b/,
  ],
  [
    'synchronous with nobody',
    'a: { postgres: { synchronous: true } }',
    /synchronous: says nothing without postgres\.standby/,
  ],
] as const)
  test(`a standby that is ${what} is refused`, async () => {
    const faults = await faultsOf(hosts, more, vars)
    assert.ok(
      faults.some((each) => fault.test(each)),
      faults.join('\n'),
    )
  })

for (const [what, value] of [
  ['a list', '[b]'],
  ['a number', '5'],
  ['empty', "''"],
] as const)
  test(`a standby that is ${what} is no name`, async () => {
    const { message } = await errorOf(read(`${inMesh}hosts: { a: { postgres: { standby: ${value} } }, b: }\n`))
    assert.match(message, 'postgres.standby')
  })

const host = (name: string) => ({ name, vars: {} }) as never
const hosts = { primary: host('a'), standby: host('b') }
const server = { inRecovery: false } as NonNullable<Answer['server']>
const leads = { cluster: '1', follows: false, databases: 1, copied: '' }
const answer = (more: Partial<Answer> = {}): Answer => ({
  ...{
    memoryMiB: 1024,
    askedAt: '',
    data: leads,
    superuser: undefined,
    password: undefined,
    server,
    record: undefined,
  },
  ...more,
})
const record = (epoch: number, primary: string, standby: string) => ({ epoch, primary, standby })

test('the first record is written where there is none; the newest one is right on both, and a new standby is a new one', () => {
  assert.equal(recordOf(hosts, [answer(), undefined]), record(1, 'a', 'b'))
  const newest = record(4, 'a', 'b')
  assert.equal(recordOf(hosts, [answer({ record: record(3, 'b', 'a') }), answer({ record: newest })]), newest)
  assert.equal(recordOf(hosts, [answer({ record: record(4, 'a', 'c') })]), record(5, 'a', 'b'))
  assert.equal(newestRecord([undefined]), undefined)
})

test('a record that is torn, or says what none can, is none', () => {
  assert.equal(parsePrimaryRecord(recordText(record(2, 'a', 'b'))), record(2, 'a', 'b'))
  for (const text of [
    '',
    '{"epoch":2',
    '{"epoch":0,"primary":"a","standby":"b"}',
    '{"epoch":1.5,"primary":"a","standby":"b"}',
    '{"epoch":1,"primary":"a;b","standby":"b"}',
    '{"epoch":1,"primary":"a"}',
    '[]',
  ])
    assert.is(parsePrimaryRecord(text), undefined, text)
})

test('where the hosts have another primary than the inventory, it is said which lines to change', () => {
  const agreed = { ofPrimary: answer({ record: record(1, 'a', 'b') }), ofStandby: answer() }
  assert.is(disagreement(hosts, agreed), undefined)
  assert.is(disagreement(hosts, { ofPrimary: undefined, ofStandby: undefined }), undefined)
  const taken = {
    ofPrimary: answer({ record: record(1, 'a', 'b') }),
    ofStandby: answer({ record: record(2, 'b', 'a') }),
  }
  assert.match(
    disagreement(hosts, taken) ?? '',
    'from hosts.a to hosts.b, as "postgres: { standby: a }", and set "host: b"',
  )
  const renamed = { ofPrimary: answer({ record: record(2, 'old', 'b') }), ofStandby: undefined }
  assert.match(disagreement(hosts, renamed) ?? '', 'is old another name of a host?')
})

test('a server that follows is not made the primary by a run', () => {
  const follows = { ofPrimary: answer({ server: { ...server, inRecovery: true } }), ofStandby: answer() }
  assert.match(disagreement(hosts, follows) ?? '', 'failover.ts --from b --to a')
  const stopped = {
    ofPrimary: answer({ data: { ...leads, follows: true }, server: undefined as never }),
    ofStandby: undefined,
  }
  assert.match(disagreement(hosts, stopped) ?? '', 'follows another one')
})

test.run()
