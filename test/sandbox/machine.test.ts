import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { freshVps, inVps, removeVps, restartVps, sshConfigFor } from '../../sandbox/index.ts'
import { containerOf, label } from '../../sandbox/machine/paths.ts'

const vps = 'machine-test'

/** Counters, and limits that the kernel adjusts by itself. */
const moves =
  /^(fs\/(file-nr|inode-nr|inode-state|dentry-state|aio-nr|quota\/)|kernel\/(ns_last_pid|pty\/nr|random\/(uuid|entropy_avail)|perf_event_max_sample_rate))/

test.before(() => freshVps(vps))
test.after(() => removeVps(vps))

for (const attempt of [
  'date -s 2020-01-01',
  // On the volume, since no kernel swaps on an overlay: refused must be the call, not the file.
  'cd /var/lib/docker && dd if=/dev/zero of=swap bs=1M count=8 && chmod 600 swap && mkswap swap && swapon swap',
  'sysctl -w vm.swappiness=1',
  'sysctl -w kernel.panic=7',
  'sysctl -w fs.file-max=4711',
]) {
  test(`refuses a VPS to change the machine below: ${attempt}`, async () => {
    const before = machine()
    const started = [Date.now(), performance.now()] as const
    const { status } = await inVps(vps, attempt)
    const drift = Date.now() - started[0] - (performance.now() - started[1])
    assert.is.not(status, 0)
    assert.equal(machine(), before)
    assert.ok(Math.abs(drift) < 1000, `the clock moved by ${drift} ms`)
  })
}

test('refuses swap by permission, so a file that would do for swap is refused as well', async () => {
  const { stderr } = await inVps(vps, 'swapon /var/lib/docker/swap')
  assert.match(stderr, 'Operation not permitted')
})

test('has no capability over clock, modules or boot, and cannot write to the system request key', async () => {
  const { stdout } = await inVps(vps, 'grep CapBnd /proc/1/status; grep -w /proc/sysrq-trigger /proc/self/mountinfo')
  const bits = BigInt(`0x${/CapBnd:\s*(\w+)/.exec(stdout)?.[1]}`)
  for (const [name, bit] of Object.entries({ SYS_MODULE: 16n, SYS_BOOT: 22n, SYS_TIME: 25n })) {
    assert.is((bits >> bit) & 1n, 0n, name)
  }
  const exists = (await inVps(vps, 'test -e /proc/sysrq-trigger')).status === 0
  assert.ok(!exists || / \/proc\/sysrq-trigger ro,/.test(stdout), stdout)
})

test('changes nothing on the machine by booting, rebooting and ending', async () => {
  const before = machine()
  await restartVps(vps)
  await freshVps(vps)
  assert.equal(machine(), before)
})

test('keeps its ssh port and its host key over a reboot', async () => {
  // The file holds the VPSs of the other stories as well, and those come and go.
  const block = () =>
    readFileSync(sshConfigFor(vps), 'utf8')
      .split(/^(?=Host )/m)
      .find((each) => each.startsWith(`Host ${vps}\n`))
  const before = block()?.trim()
  assert.ok(before)
  await restartVps(vps)
  assert.is(block()?.trim(), before)
  const { stdout } = await local`ssh -n -F ${sshConfigFor(vps)} ${vps} systemctl is-system-running`
  assert.is(stdout.trim(), 'running')
})

test('publishes on 127.0.0.1 only', async () => {
  const { stdout } =
    await local`docker ps --filter label=${label} --filter name=${containerOf(vps)} --format ${'{{.Ports}}'}`
  const published = stdout.split(/[\n,]/).filter((port) => port.includes('->'))
  assert.ok(published.length > 0)
  for (const port of published) assert.match(port.trim(), /^127\.0\.0\.1:\d+->22\/tcp$/)
  const hex = Number(/^127\.0\.0\.1:(\d+)/.exec(published[0] ?? '')?.[1])
    .toString(16)
    .toUpperCase()
  const listeners = listening().filter((address) => address.endsWith(`:${hex.padStart(4, '0')}`))
  assert.equal(listeners, [`0100007F:${hex.padStart(4, '0')}`])
})

test.run()

/** The kernel settings and swaps of the machine itself; how full a swap is changes all the time. */
function machine(): Record<string, string> {
  const root = '/proc/sys'
  const settings: Record<string, string> = {
    swaps: readFileSync('/proc/swaps', 'utf8').replaceAll(/\d+\s+(?=-?\d+$)/gm, ''),
  }
  for (const part of ['vm', 'kernel', 'fs']) {
    for (const name of readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })) {
      const key = join(part, name)
      if (!moves.test(key)) settings[key] = read(join(root, key))
    }
  }
  return settings
}

/** A directory, or a setting that can only be written, reads as its error. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

function listening(): string[] {
  const rows = ['tcp', 'tcp6'].flatMap((kind) => readFileSync(`/proc/net/${kind}`, 'utf8').split('\n'))
  return rows
    .map((row) => row.trim().split(/\s+/))
    .flatMap(([, address, , state]) => (state === '0A' ? [address ?? ''] : []))
}
