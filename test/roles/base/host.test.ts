// The parts of `base` that are about the machine rather than the login, as on a host that is no container.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { outputsOf } from '../../../lib/engine/plan.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { clock, timezone } from '../../../roles/base/clock.ts'
import { journal } from '../../../roles/base/journal.ts'
import { kernel } from '../../../roles/base/kernel.ts'
import { swap, swapFor } from '../../../roles/base/memory.ts'
import { packages } from '../../../roles/base/packages.ts'
import { upgrades } from '../../../roles/base/upgrades.ts'
import { facts } from '../../support/fake-host.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'

const zone = { 'file:/usr/share/zoneinfo/Asia/Tokyo': { type: 'file' }, 'package:tzdata': { version: '2025b' } }
const running = { load: 'loaded', active: 'active', enabled: 'enabled', needsReload: false }
const timers = { 'unit:apt-daily.timer': running, 'unit:apt-daily-upgrade.timer': running }

test('brings a bare machine its time, its swap and its settings, with nothing unknown', () => {
  const loaded = { load: 'loaded', active: 'active', enabled: 'static', needsReload: false }
  const all = [...clock('Asia/Tokyo', facts), ...swap(undefined, facts), ...journal('200M')]
  assert.equal(planOf(all, { ...zone, 'unit:systemd-journald.service': loaded }), [
    'symlink:/etc/localtime: create, to /usr/share/zoneinfo/Asia/Tokyo',
    'package:systemd-timesyncd: install',
    'unit:systemd-timesyncd.service: comes-with package:systemd-timesyncd',
    'swap:/swapfile: create, 1024 MiB',
    'file:/etc/systemd/system/swapfile.swap: create',
    'unit:swapfile.swap: enable',
    'directory:/etc/systemd/journald.conf.d: create',
    'file:/etc/systemd/journald.conf.d/botgarden.conf: create',
    'directory:/etc/systemd/system/systemd-journald.service.d: create',
    'file:/etc/systemd/system/systemd-journald.service.d/botgarden.conf: create',
    'journald:config: restart journald with its new limits',
  ])
})

test('a time daemon of another make is kept', () => {
  assert.equal(planOf(clock(undefined, facts), { 'package:chrony': { version: '4.6' } }), [])
})

test('a zone that this host does not know is refused, unless its package is still to come', () => {
  const known = { ...zone, 'file:/usr/share/zoneinfo/Asia/Tokyo': 'absent', 'package:chrony': { version: '4' } }
  assert.throws(() => planOf(clock('Asia/Tokyo', facts), known), /this host has no .*tzdata-legacy/)
  const bare = { 'package:chrony': { version: '4' } }
  const plan = planOf([...packages([]), ...clock('Asia/Tokyo', facts)], bare)
  assert.is(plan.at(-1), 'symlink:/etc/localtime: create, to /usr/share/zoneinfo/Asia/Tokyo')
})

for (const [name, good] of [
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Etc/UTC', true],
  ['europe/berlin', false],
  ['Mars/Olympus', false],
  ['../../etc/passwd', false],
] as const)
  test(`${good ? 'takes' : 'refuses'} the timezone ${name}`, () => assert.is(v.is(timezone, name), good))

for (const [memory, size] of [
  [480, 1024],
  [1024, 1024],
  [1900, 2048],
  [16_000, 2048],
] as const)
  test(`a host of ${memory} MiB swaps to ${size} MiB`, () => assert.is(swapFor(memory), size))

const swapsTo = (active: Record<string, number>, fileMiB = active['/swapfile'] ?? 0) => ({
  'swap:/swapfile': { active, fileMiB, freeMiB: 20_000 },
})
const ourUnit = {
  'file:/etc/systemd/system/swapfile.swap': { type: 'file', mode: '0644', owner: 'root', group: 'root' },
}
const units = ['file:/etc/systemd/system/swapfile.swap: create', 'unit:swapfile.swap: enable']
for (const [what, size, state, plan] of [
  ['a file of somebody else’s at our path stays', undefined, swapsTo({ '/swapfile': 4096 }), []],
  ['so does a partition', undefined, swapsTo({ '/dev/sda2': 512 }), []],
  ['and a file that lies about beside it', undefined, swapsTo({ '/dev/sda2': 512 }, 300), []],
  [
    'a size that is asked for is brought',
    1024,
    swapsTo({ '/swapfile': 4096 }),
    ['swap:/swapfile: 4096 MiB → 1024 MiB', ...units],
  ],
  ['what a cut run has made is ours', undefined, swapsTo({ '/swapfile': 1024 }), units],
  [
    'so is what has our unit, whatever its size',
    undefined,
    { ...swapsTo({ '/swapfile': 2048 }), ...ourUnit },
    ['swap:/swapfile: 2048 MiB → 1024 MiB', 'file:/etc/systemd/system/swapfile.swap: content', units[1]],
  ],
] as const)
  test(`swap: ${what}`, () => assert.equal(planOf(swap(size, facts), state), plan))

test('no swap file where none is wanted', () => assert.equal(swap(0, facts), []))

test('the operator’s settings win over ours, and one that the kernel lacks is an error', () => {
  const [file, ...settings] = kernel({ 'vm.swappiness': 60, 'net.ipv4.ip_local_port_range': '1024  65000' }, facts)
  assert.match(contentOf(file), /^vm.swappiness = 60$/m)
  const state = { 'sysctl:vm.swappiness': '60', 'sysctl:net.ipv4.ip_local_port_range': '1024 65000' }
  assert.equal(planOf(settings, state), [])
  assert.throws(() => planOf(kernel({ 'vm.swapiness': 1 }, facts), {}), /no such setting/)
})

test('in a container only what is the container’s own is written down for its next boot', () => {
  const [file] = kernel({ 'vm.swappiness': 60, 'net.ipv4.tcp_syncookies': 1 }, { ...facts, container: 'docker' })
  const content = contentOf(file)
  assert.match(content, /tcp_syncookies/)
  assert.not.match(content, /vm\./)
})

test('security updates leave the engine and what is held to the operator, and never reboot', () => {
  const file = upgrades(['postgresql-17'], facts).find(({ id }) => id.endsWith('52botgarden'))
  const content = contentOf(file)
  for (const line of ['"^docker\\.io$";', '"^postgresql-17$";', 'Automatic-Reboot "false";'])
    assert.match(content, line)
  assert.not.match(content, 'label=Debian"')
  assert.not.match(content, 'Ubuntu')
  const [ubuntu] = upgrades([], { ...facts, os: 'ubuntu' }).filter(({ id }) => id.endsWith('52botgarden'))
  assert.match(contentOf(ubuntu), /origin=Ubuntu,archive=\$\{distro_codename\}-security/)
})

test('what waits for the operator is told, and is no change', () => {
  const all = upgrades([], facts).slice(-1)
  const waiting = (held: string[], reboot: string[]) =>
    outputsOf(all, stateOf(all, { ...timers, 'waiting:updates': { held, reboot } }))
  assert.equal(waiting([], []), {})
  assert.equal(waiting(['docker.io 26.2'], ['linux-image-6.12']), {
    heldUpdates: ['docker.io 26.2'],
    pendingReboot: ['linux-image-6.12'],
  })
  assert.equal(planOf(all, {}), [])
})

function contentOf(resource?: Resource): string {
  return (resource?.wants as { content: string } | undefined)?.content ?? ''
}

test.run()
