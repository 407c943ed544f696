import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { byUrgency, needsPerson } from '../../../lib/health/finding.ts'
import { hostFindings } from '../../../lib/health/host-findings.ts'
import type { HostHealth } from '../../../lib/health/state.ts'
import { commands, container, healthyHost, now } from '../../support/status/health.ts'

const found = (more: Partial<HostHealth>) =>
  hostFindings({ ...healthyHost, ...more }, commands).map(({ level, id, what }) => `${level} ${id}: ${what}`)
const disk = { path: '/', sizeMB: 20_000, used: 0.5, inodesUsed: 0.1 }
const certificate = { name: 'b.example.org', ends: '2027-02-10', issuer: 'R1', wrong: false, signed: true }
const day = 86_400_000

test('nothing is found on a host that is as it should be', () => assert.equal(found({}), []))

const cases: readonly (readonly [about: string, more: Partial<HostHealth>, said: readonly string[]])[] = [
  ['a disk that fills', { disks: [{ ...disk, used: 0.85 }] }, ['warning disk: the disk at / is 85 % full']],
  ['a full disk', { disks: [{ ...disk, used: 0.96 }] }, ['error disk: the disk at / is 96 % full']],
  ['a disk just below', { disks: [{ ...disk, used: 0.84 }] }, []],
  ['inodes', { disks: [{ ...disk, inodesUsed: 1 }] }, ['error inodes: the inodes of the disk at / are 100 % used']],
  [
    'memory',
    { memory: { totalMB: 1000, availableMB: 50 } },
    ['warning memory: 95 % of the memory is in use: 50 of 1000 MB are left'],
  ],
  ['load', { load: 9, cpus: 2 }, ['warning load: the load is 9.0 on 2 cpus']],
  ['a load of few', { load: 7, cpus: 2 }, []],
  [
    'a clock that is off',
    { clock: { there: now, here: now + 90_000, slack: 1000 } },
    ['error clock: its clock is 90 s off from the one here'],
  ],
  ['a clock that is slow to answer', { clock: { there: now, here: now + 90_000, slack: 90_000 } }, []],
  ['a silent engine', { engine: false }, ['error engine: Docker does not answer: nothing is known of containers']],
  [
    'a server that is gone',
    { servers: { 'botgarden-nginx': 'absent' } },
    ['error container: botgarden-nginx is not there'],
  ],
  [
    'a server that stopped',
    { servers: { 'botgarden-postgres': { ...container, status: 'exited', exitCode: 137 } } },
    ['error container: botgarden-postgres does not run: exited, exit code 137'],
  ],
  ['an open firewall', { firewall: false }, ['error firewall: the firewall lets everything in']],
  [
    'connections',
    { connections: { used: 90, most: 100 } },
    ['warning connections: the database server has 90 of 100 connections in use'],
  ],
  [
    'nginx with another configuration',
    { nginxInForce: false },
    ['error nginx: nginx does not run what its configuration says'],
  ],
  ['a failed unit', { failedUnits: ['certbot.service'] }, ['warning unit: certbot.service has failed']],
  [
    'no certificate',
    { certificates: [{ ...certificate, ends: '' }] },
    ['error certificate: no certificate is served for b.example.org'],
  ],
  [
    'the certificate of another name',
    { certificates: [{ ...certificate, wrong: true }] },
    ['error certificate: the certificate that is served for b.example.org is for another name'],
  ],
  [
    'a certificate that has ended',
    { certificates: [{ ...certificate, ends: '2026-11-20' }] },
    ['error certificate: the certificate of b.example.org has ended on 2026-11-20'],
  ],
  [
    'a certificate of nobody',
    { certificates: [{ ...certificate, issuer: '' }] },
    ['error certificate: no authority has signed the certificate of b.example.org'],
  ],
  ['a certificate of nobody for an address', { certificates: [{ ...certificate, issuer: '', signed: false }] }, []],
  [
    'a certificate that ends soon',
    { certificates: [{ ...certificate, ends: '2026-12-03' }] },
    ['warning certificate: the certificate of b.example.org ends on 2026-12-03, in 6 days'],
  ],
  [
    'a certificate that ends at once',
    { certificates: [{ ...certificate, ends: '2026-11-28' }] },
    ['error certificate: the certificate of b.example.org ends on 2026-11-28, in 1 days'],
  ],
  ['no backup yet', { backups: {} }, ['warning backups: there is no backup yet']],
  ['a copy that is missing here', { backups: { there: now } }, ['warning backups: there is no good backup here']],
  [
    'late backups',
    { backups: { there: now - 2 * day, here: now - 3 * day } },
    [
      'warning backups: the last good backup on the host is 48 h old',
      'warning backups: the last good backup here is 3 days old',
    ],
  ],
  [
    'a failed backup',
    { backups: { there: now, here: now, failure: 'FAILED at 03:17: no space' } },
    ['error backups: the last backup FAILED at 03:17: no space'],
  ],
  ['held updates', { heldUpdates: ['runc 1.2'] }, ['warning updates: security updates wait for you: runc 1.2']],
  [
    'nightly updates that fail',
    { upgradeFault: 'E:Malformed line' },
    ['warning upgrades: the nightly security updates fail: E:Malformed line'],
  ],
  ['a reboot', { pendingReboot: ['linux-image'] }, ['warning reboot: a reboot is due for linux-image']],
  ['an unknown bot', { unknownBots: ['old'] }, ['warning unknown-bot: old is on the host and not in the inventory']],
  [
    'drift',
    { lastCheck: { at: now, differences: ['a', 'b', 'c', 'd', 'e', 'f'] } },
    ['warning drift: the last check found 6 differences: a, b, c, d, e and 1 more'],
  ],
]
for (const [about, more, said] of cases) test(`of ${about}`, () => assert.equal(found(more), said))

test('a host without backups is a note, for which nobody is needed', () => {
  const { backups: _, ...without } = healthyHost
  const notes = hostFindings(without, commands)
  assert.equal(
    notes.map(({ level, id }) => [level, id]),
    [['note', 'backups']],
  )
  assert.is(needsPerson(notes), false)
})

test('a check that is long ago is a note, and one that found something is still told', () => {
  const old = { at: now - 9 * day, differences: [] }
  const levels = ({ at, differences }: { at: number; differences: string[] }) =>
    hostFindings({ ...healthyHost, lastCheck: { at, differences } }, commands).map(({ level, id }) => `${level} ${id}`)
  assert.equal([levels(old), levels({ ...old, differences: ['a'] })], [['note checked'], ['warning drift']])
})

test('what a host calls its things is one word of the command that is next', () => {
  const evil = '/x; rm -rf ~ #'
  const more = {
    ...{ disks: [{ ...disk, path: evil, used: 1 }], failedUnits: [evil], unknownBots: [evil] },
    heldUpdates: ['$(id) 1'],
  }
  const commandsSaid = hostFindings({ ...healthyHost, ...more }, commands).map(({ next }) => next)
  assert.equal(
    commandsSaid.filter((next) => next.includes('rm -rf')).map((next) => next.includes(`'${evil}'`)),
    [true, true, true],
  )
  assert.ok(commandsSaid.some((next) => next.endsWith(`install '$(id)'`)))
})

test('every finding says which command is next, and the urgent ones come first', () => {
  const all = cases.flatMap(([, more]) => hostFindings({ ...healthyHost, ...more }, commands))
  for (const { next } of all) assert.match(next, /^(npx zx playbooks\/\w+\.ts|ssh vps1 )/)
  const levels = byUrgency(all).map(({ level }) => level)
  assert.equal(levels, [...levels.filter((each) => each === 'error'), ...levels.filter((each) => each === 'warning')])
  assert.is(needsPerson(all), true)
})

test.run()
