import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Reading } from '../../../lib/model/reading.ts'
import { command, testPasses } from '../../../lib/resources/command.ts'
import { cron, noCron } from '../../../lib/resources/cron.ts'
import { textOf } from '../../../lib/resources/file-state.ts'
import { group, groupState } from '../../../lib/resources/group.ts'
import { swapFile, swapState } from '../../../lib/resources/swap.ts'
import { linkTarget, symlink } from '../../../lib/resources/symlink.ts'
import { sysctl, sysctlValue } from '../../../lib/resources/sysctl.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { facts } from '../../support/fake-host.ts'
import { planOf, scriptsOf } from '../../support/plan-of.ts'
import { shell } from '../../support/shell.ts'

const link = symlink('/etc/localtime', '/usr/share/zoneinfo/UTC')
const swap = swapFile('/swapfile', 1024, facts)
const free = { fileMiB: 0, freeMiB: 20_000 }
const stamped = command('stamp', { unless: sh`test -e /stamp`, script: sh`touch /stamp`, summary: 'stamp it' })
const forwarding = sysctl('net.ipv4.ip_forward', '1', facts)

for (const [title, resource, state, expected] of [
  ['a setting that is as wanted', forwarding, { 'sysctl:net.ipv4.ip_forward': '1' }, []],
  ['another value', forwarding, { 'sysctl:net.ipv4.ip_forward': '0' }, ['sysctl:net.ipv4.ip_forward: 0 → 1']],
  ['a setting that is optional and not there', sysctl('a.b', '1', facts, { optional: true }), {}, []],
  ['a link that is as wanted', link, { 'link:/etc/localtime': '/usr/share/zoneinfo/UTC' }, []],
  ['no link', link, {}, ['symlink:/etc/localtime: create, to /usr/share/zoneinfo/UTC']],
  [
    'another target',
    link,
    { 'link:/etc/localtime': 'x', 'file:/etc/localtime': { type: 'symbolic link' } },
    ['symlink:/etc/localtime: x → /usr/share/zoneinfo/UTC'],
  ],
  [
    'a file in place of the link',
    link,
    { 'file:/etc/localtime': { type: 'file' } },
    ['symlink:/etc/localtime: a file → /usr/share/zoneinfo/UTC'],
  ],
  ['a group that is there', group('bots'), { 'group:bots': { gid: 7 } }, []],
  ['no group', group('bots', { gid: 20_000 }), {}, ['group:bots: create']],
  ['a test that holds', stamped, { 'test:test -e /stamp': true }, []],
  ['a test that does not', stamped, {}, ['command:stamp: stamp it']],
  ['no swap', swap, { 'swap:/swapfile': { active: {}, ...free } }, ['swap:/swapfile: create, 1024 MiB']],
  ['ours in use', swap, { 'swap:/swapfile': { active: { '/swapfile': 1024 }, fileMiB: 1024, freeMiB: 1 } }, []],
  ['ours not in use', swap, { 'swap:/swapfile': { active: {}, fileMiB: 1024, freeMiB: 1 } }, ['swap:/swapfile: use']],
  [
    'another size',
    swap,
    { 'swap:/swapfile': { active: { '/swapfile': 512 }, fileMiB: 512, freeMiB: 9000 } },
    ['swap:/swapfile: 512 MiB → 1024 MiB'],
  ],
  ['a partition to swap to', swap, { 'swap:/swapfile': { active: { '/dev/sda2': 512 }, ...free } }, []],
] as const) {
  test(`${expected.length === 0 ? 'leaves alone' : 'mends'}: ${title}`, () =>
    assert.equal(planOf([resource], state), expected))
}

test('refuses what no change could bring about', () => {
  assert.throws(() => planOf([sysctl('vm.swapiness', '1', facts)], {}), /vm.swapiness: this kernel has no such setting/)
  assert.throws(() => planOf([link], { 'file:/etc/localtime': { type: 'directory' } }), /is a directory: move it away/)
  assert.throws(
    () => planOf([group('bots', { gid: 5 })], { 'group:bots': { gid: 6 } }),
    /has the number 6 and should have 5/,
  )
  const full = { active: {}, fileMiB: 0, freeMiB: 1500 }
  // The file that is there is needed until the new one is.
  for (const state of [full, { active: { '/swapfile': 512 }, fileMiB: 512, freeMiB: 1500 }])
    assert.throws(() => planOf([swap], { 'swap:/swapfile': state }), /make room for 548 MiB, or set base.swap to less/)
})

for (const [what, failing] of [
  ['when the disk is full', 'dd'],
  ['when there is no memory for what was swapped out', 'swapoff'],
  ['when all went well', 'nothing'],
] as const) {
  test(`leaves no half of a swap file behind ${what}`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'swap-test-'))
    const path = join(folder, 'swapfile')
    writeFileSync(path, 'old')
    const [script] = scriptsOf([swapFile(path, 1, facts)], {
      [`swap:${path}`]: { active: { [path]: 9 }, fileMiB: 9, freeMiB: 9000 },
    })
    const stubs = ['dd', 'mkswap', 'swapon', 'swapoff', 'grep'].map(
      (tool) => `${tool}() { ${tool === failing ? 'false' : ':'}; }`,
    )
    await shell(['set -e', ...stubs, `(${script})`].join('\n'))
    assert.equal(readdirSync(folder), ['swapfile'])
    assert.is(readFileSync(path, 'utf8'), failing === 'nothing' ? '' : 'old')
    rmSync(folder, { recursive: true })
  })
}

test('a container cannot be asked for what is the machine’s, and has the rest', () => {
  const container = { ...facts, container: 'lxc' }
  const [ours, machines] = [sysctl('net.ipv4.tcp_syncookies', '1', container), sysctl('vm.swappiness', '1', container)]
  assert.equal([ours.unmanageable, ours.reads.length], [undefined, 1])
  for (const { unmanageable = '', reads } of [
    machines,
    swapFile('/swapfile', 1, container),
    sysctl('net.core.bpf_jit_harden', '1', container),
  ]) {
    assert.match(unmanageable, /machine that runs this lxc container/)
    assert.equal(reads, [])
  }
})

test('writes a value where the kernel has it, a slash for a dot of the name', () => {
  const named = sysctl('net.ipv4.conf.eth0/100.rp_filter', '2', facts)
  assert.equal(scriptsOf([named], { 'sysctl:net.ipv4.conf.eth0/100.rp_filter': '1' }), [
    `printf '%s\\n' 2 >/proc/sys/net/ipv4/conf/eth0.100/rp_filter`,
  ])
})

test('a cron entry is a file of its own, its percent signs escaped', () => {
  const entry = cron('backup', { schedule: '10 3 * * *', command: 'date +%F' })
  assert.is(entry.id, 'file:/etc/cron.d/botgarden-backup')
  assert.match((entry.wants as { content: string }).content, /^10 3 \* \* \* root date \+\\%F$/m)
  assert.is(noCron('backup').id, entry.id)
  assert.throws(() => cron('back.up', { schedule: '@daily', command: 'true' }), /a name of letters/)
  assert.throws(() => cron('a', { schedule: '@daily', command: 'a\nb' }), /several lines/)
})

test('reads what a real sh prints of a real system', async () => {
  assert.match(await answerTo(sysctlValue('kernel.ostype')), /^Linux$/)
  assert.match(await answerTo(sysctlValue('net.ipv4.ip_local_port_range')), /^\d+ \d+$/)
  assert.is(await answerTo(sysctlValue('no.such.setting')), undefined)
  assert.is(await answerTo(linkTarget('/proc/self/root')), '/')
  assert.is(await answerTo(linkTarget('/etc/passwd')), undefined)
  assert.equal(await answerTo(groupState('root')), { gid: 0 })
  assert.is(await answerTo(groupState('no-such-group')), 'absent')
  assert.is(await answerTo(testPasses(sh`test -e /etc/passwd`)), true)
  assert.is(await answerTo(testPasses(sh`echo said; exit 3`)), false)
  const { freeMiB, fileMiB } = (await answerTo(swapState('/no-such-file'))) as { freeMiB: number; fileMiB: number }
  assert.ok(freeMiB > 0)
  assert.is(fileMiB, 0)
  assert.is(await answerTo(textOf('/no-such-file')), undefined)
})

// biome-ignore lint/suspicious/noExplicitAny: whatever the kind reads
async function answerTo(reading: Reading<any>): Promise<any> {
  const { kind, name } = reading
  return kind.parse(await shell(kind.script([name]).text), [name]).get(name)
}

test('tells from /proc/swaps what is in use', () => {
  const { kind } = swapState('/swapfile')
  const output = 'active /dev/sda2 524284\nactive /swapfile 1048572\nfile /swapfile 1073741824 5000000\n'
  assert.equal(kind.parse(output, ['/swapfile']).get('/swapfile'), {
    active: { '/dev/sda2': 512, '/swapfile': 1024 },
    fileMiB: 1024,
    freeMiB: 4883,
  })
})

test.run()
