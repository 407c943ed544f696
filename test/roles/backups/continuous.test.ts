// The archive of WAL: what a host that asks for it gets, what of it goes, and what is told.

import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { parse } from 'yaml'
import { pruneArchive } from '../../../commands/backup/archive/pull.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { nextSegment, parseArchivePath } from '../../../roles/backups/continuous/names.ts'
import { archiveFaults, archiveLine, parseArchiveState } from '../../../roles/backups/continuous/status.ts'
import { backups, postgres } from '../../../roles/index.ts'
import { serverOf } from '../../../roles/postgres/server.ts'
import { scratchFolder } from '../../support/copies.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, idsOf, planOf } from '../../support/plan-of.ts'
import { shell } from '../../support/shell.ts'

const recipients = ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p']
const timers = ['botgarden-archive.timer']
const hostWith = (continuous?: unknown, settings = {}) => ({
  ...entry,
  vars: { backups: { recipients, ...(continuous !== undefined && { continuous }) }, postgres: { settings } },
})
const role = (continuous?: unknown, given = facts) =>
  backups.resources(
    v.parse(backups.vars, { recipients, ...(continuous !== undefined && { continuous }) }),
    given,
    hostWith(continuous),
  )
const server = (continuous?: unknown, given = facts) =>
  postgres.resources(v.parse(postgres.vars, {}), given, hostWith(continuous))

test('a host that does not ask for it has the same server as ever, and nothing is looked for', () => {
  for (const none of [undefined, false]) {
    assert.equal(
      idsOf(role(none)).filter((id) => /archive/.test(id)),
      [],
    )
    assert.equal(
      idsOf(server(none)).filter((id) => /archive/.test(id)),
      [],
    )
    assert.not.match(contentOf(server(none), 'postgresql.conf'), 'slot')
    assert.match(contentOf(server(none), 'postgresql.conf'), "wal_level = 'minimal'\nmax_wal_senders = 0\n")
    assert.not.match(contentOf(server(none), 'pg_hba.conf'), 'archiver')
  }
})

test('one that asks lets one role replicate, by password, and keeps a bounded slot', () => {
  const hba = contentOf(server(true), 'pg_hba.conf')
  assert.match(
    hba,
    /^local {2}replication {2}"botgarden-archiver" {2}scram-sha-256\nlocal {2}replication {2}all {2}reject$/m,
  )
  const conf = contentOf(server(true), 'postgresql.conf')
  for (const line of ["wal_level = 'replica'", "max_slot_wal_keep_size = '1024MB'"])
    assert.ok(conf.includes(`\n${line}\n`))
  const { services } = parse(contentOf(role(true), 'archive/compose.yaml'))
  const { 'botgarden-archive': archiver } = services
  assert.equal(
    [archiver.network_mode, archiver.user, archiver.mem_limit, archiver.read_only, archiver.cap_drop],
    ['none', '999:999', '48m', true, ['ALL']],
  )
  assert.not.match(JSON.stringify(archiver), /PGPASSWORD/)
})

test('the plan says that the server is restarted', () => {
  const changed = (continuous?: unknown) =>
    server(continuous).filter(({ id }) => /postgresql.conf$|^postgres:config$/.test(id))
  const before = serverOf({ image: 'postgres:18.6', settings: {} }, facts.memoryMiB).config.text
  const file = '/opt/botgarden/postgres/conf/postgresql.conf'
  const there = {
    'postgres:catalog': { ...freshCatalog, config: 'before' },
    [`text:${file}`]: before,
    [`file:${file}`]: { type: 'file', mode: '0644', owner: 'root', group: 'root' },
  }
  assert.ok(planOf(changed(true), there).includes('postgres:config: restart, for wal_level'))
  assert.ok(planOf(changed(), there).every((line) => !line.includes('restart, for wal_level')))
})

test('taken out of the inventory the slot goes before the server is asked to start without replication', () => {
  const ids = idsOf(server(undefined, { ...facts, timers }))
  assert.ok(ids.indexOf('archive:absent') < ids.indexOf('file:/opt/botgarden/postgres/conf/postgresql.conf'))
  assert.ok(ids.includes('archive:absent') && idsOf(role(undefined, { ...facts, timers })).includes('archive:absent'))
})

test('settings that would keep WAL from being archived are refused', () => {
  const faults = backups.faults(
    v.parse(backups.vars, { recipients, continuous: true }),
    hostWith(true, { wal_level: 'minimal' }),
  )
  assert.match(faults.join('\n'), 'backups.continuous: sets postgres.settings.wal_level itself')
  assert.equal(backups.faults(v.parse(backups.vars, { recipients }), hostWith(undefined, { wal_level: 'minimal' })), [])
})

test('names are read strictly, and segments follow on each other', () => {
  const wal = parseArchivePath('20261126T130000Z/wal-0000000100000000000000FF-20261126T130059Z.gz.age')
  assert.equal(
    [wal?.kind, wal?.segment, wal?.time],
    ['wal', '0000000100000000000000FF', Date.parse('2026-11-26T13:00:59Z')],
  )
  for (const path of [
    'x/wal-0.gz.age',
    '../20261126T130000Z/base.age',
    '20261126T130000Z/base-20261399T130059Z-0000000100000000000000FF-0000000100000000000000FF.tar.gz.age',
    '20261126T130000Z/wal-0000000100000000000000FF-20261126T130059Z.gz.age\n',
  ])
    assert.is(parseArchivePath(path), undefined)
  assert.is(nextSegment('0000000100000000000000FF'), '000000010000000100000000')
  assert.is(nextSegment('00000001000000000000000A'), '00000001000000000000000B')
})

const segment = (n: number) => `00000001000000000000000${n}`
const chain = (name: string, files: readonly string[]) => files.map((file) => `${name}/${file}`)

test('what goes is what no second of the last days needs: its base stays, with the WAL from its first segment on', async () => {
  const folder = scratchFolder()
  const files = [
    ...chain('20261101T000000Z', [
      `base-20261101T000100Z-${segment(1)}-${segment(1)}.tar.gz.age`,
      `wal-${segment(1)}-20261101T000200Z.gz.age`,
    ]),
    ...chain('20261110T000000Z', [
      `base-20261110T000100Z-${segment(1)}-${segment(1)}.tar.gz.age`,
      `wal-${segment(1)}-20261110T000200Z.gz.age`,
      `base-20261119T000100Z-${segment(2)}-${segment(2)}.tar.gz.age`,
      `wal-${segment(2)}-20261119T000200Z.gz.age`,
      `base-20261120T000100Z-${segment(3)}-${segment(3)}.tar.gz.age`,
      `wal-${segment(3)}-20261120T000200Z.gz.age`,
    ]),
  ]
  for (const path of files.flatMap((each) => [each, `${each}.sig`])) {
    mkdirSync(join(folder, path.split('/')[0] ?? ''), { recursive: true })
    writeFileSync(join(folder, path), '')
    const came = new Date('2026-11-18T00:00:00Z')
    utimesSync(join(folder, path), came, came)
  }
  assert.is(await pruneArchive(folder, 7, Date.parse('2026-11-07T00:00:00Z')), 0)
  assert.is(await pruneArchive(folder, 7, Date.parse('2026-11-26T12:00:00Z')), 4)
  assert.equal(readdirSync(folder), ['20261110T000000Z'])
  assert.equal(
    readdirSync(join(folder, '20261110T000000Z'))
      .filter((name) => name.endsWith('.age'))
      .sort(),
    [
      `base-20261119T000100Z-${segment(2)}-${segment(2)}.tar.gz.age`,
      `base-20261120T000100Z-${segment(3)}-${segment(3)}.tar.gz.age`,
      `wal-${segment(2)}-20261119T000200Z.gz.age`,
      `wal-${segment(3)}-20261120T000200Z.gz.age`,
    ],
  )
})

test('what came within the days that are kept stays, whatever a host that was taken over names it', async () => {
  const folder = scratchFolder()
  const own = `20261110T000000Z/base-20261110T000100Z-${segment(1)}-${segment(1)}.tar.gz.age`
  const forged = `20991231T000000Z/base-20261111T000000Z-${segment(9)}-${segment(9)}.tar.gz.age`
  for (const path of [own, forged].flatMap((each) => [each, `${each}.sig`])) {
    mkdirSync(join(folder, path.split('/')[0] ?? ''), { recursive: true })
    writeFileSync(join(folder, path), '')
  }
  assert.is(await pruneArchive(folder, 7, Date.now()), 0)
  const came = new Date('2026-11-18T00:00:00Z')
  utimesSync(join(folder, own), came, came)
  assert.is(await pruneArchive(folder, 7, Date.parse('2026-11-26T12:00:00Z')), 0)
  assert.is(await pruneArchive(scratchFolder(), 7, Date.now()), 0)
})

test('the other end keeps the newest base that is there for so many days, with its WAL, and all that came since', async () => {
  const folder = scratchFolder()
  const receive = fileURLToPath(new URL('../../../roles/backups/continuous/receive.sh', import.meta.url))
  const put = (paths: readonly string[]) =>
    shell(`sh ${receive} ${folder} 2 <<'end'\n${paths.map((path) => `put ${path} 0\n`).join('')}end`)
  const base = (n: number) => `20261110T000000Z/base-2026111${n}T000100Z-${segment(n)}-${segment(n)}.tar.gz.age`
  const wal = (n: number) => `20261110T000000Z/wal-${segment(n)}-2026111${n}T000200Z.gz.age`
  const old = `20261101T000000Z/wal-${segment(7)}-20261101T000200Z.gz.age`
  const all = [old, base(1), wal(1), wal(2), base(2), wal(3), base(3)]
  assert.is(await put(all), all.map((path) => `kept ${path}\n`).join(''))
  const days = (n: number) => new Date(Date.now() - n * 86_400_000)
  // The first segment of a base comes before it.
  for (const [path, age] of [
    [old, 20],
    [base(1), 9],
    [wal(1), 8],
    [wal(2), 7],
    [base(2), 6],
    [wal(3), 5],
    [base(3), 1],
  ] as const)
    utimesSync(join(folder, path), days(age), days(age))
  assert.is(
    await put([`20991231T000000Z/${base(9).split('/')[1]}`]),
    `kept 20991231T000000Z/${base(9).split('/')[1]}\n`,
  )
  assert.equal(
    readdirSync(folder, { recursive: true })
      .map(String)
      .filter((path) => path.endsWith('.age'))
      .sort(),
    [base(2), base(3), wal(2), wal(3), `20991231T000000Z/${base(9).split('/')[1]}`].sort(),
  )
  assert.is(await put([wal(3)]), `kept ${wal(3)}\n`)
  for (const bad of ['../x/wal-1', '/etc/wal-1', '20261110T000000Z/x', '20261110T000000Z/wal-../x'])
    assert.is(await put([bad]), '')
})

const now = 1_795_700_000
const healthy = {
  ...{ format: 1, at: now - 10, through: now - 10, chain: '20261126T130000Z', fault: '', gap: '', closed: '' },
  ...{ first: `base-20261126T130059Z-${segment(1)}-${segment(1)}.tar.gz.age`, bytes: 9e6 },
  oldest: `base-20261126T130059Z-${segment(1)}-${segment(1)}.tar.gz.age`,
  base: { at: now - 3600, bytes: 5e6, fault: '' },
}
const stateWith = (more: object) => parseArchiveState(`${now}\n\n${JSON.stringify({ ...healthy, ...more })}`)

test('lag, gaps, a full disk and what does not leave the host are told', () => {
  assert.equal(archiveFaults(stateWith({})), [])
  assert.match(archiveLine(stateWith({})), /^any second since 2026-11-26T13:00:59Z.*not sent away: backup.ts pulls it$/)
  assert.match(
    archiveLine(stateWith({ oldest: `base-20261125T130059Z-${segment(1)}-${segment(1)}.tar.gz.age` })),
    /^any second since 2026-11-26T13:00:59Z, until .*; with gaps since 2026-11-25T13:00:59Z/,
  )
  for (const [more, words] of [
    [{ at: now - 600 }, 'was last tended 10 min ago'],
    [{ through: now - 600 }, 'ends 10 min ago'],
    [{ fault: 'the disk is too full' }, 'the disk is too full'],
    [{ gap: `${now - 900} the slot is lost` }, /has a gap since 20.*Z: the slot is lost; a new base closes it/],
    [{ base: { ...healthy.base, fault: 'no room' } }, 'could not be taken: no room'],
    [{ sent: { waiting: 4, since: now - 900, fault: 'refused' } }, /has not left the host since .*: refused/],
  ] as const)
    assert.match(archiveFaults(stateWith(more)).join('\n'), words)
  assert.match(archiveFaults(parseArchiveState(`${now}\n\n{"format"`)).join(), 'nothing is known')
})

test.run()
