// Needs three bare VPSs of its own, with /dev/net/tun: `mesh-a`, which has a container as bots are, `mesh-b`, and `mesh-c`, which
// leaves and is a stranger from then on.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../../lib/shell/local.ts'
import { freshVps, inVps, removeVps, restartVps } from '../../../sandbox/index.ts'
import { containerOf } from '../../../sandbox/machine/paths.ts'
import { inventoryOf, type Run, resultOf, run } from '../../support/runner.ts'
import { outputIn } from '../../support/vps/inside.ts'

const [a, b, c] = ['mesh-a', 'mesh-b', 'mesh-c'] as const
const names = [a, b, c]
const addresses = { [a]: '10.214.0.1', [b]: '10.214.0.2', [c]: '10.214.0.3' }
const at = (name: string) => addresses[name as typeof a]
const network = '10.214.0.0/16'
const ufw = { allow: ['5432/tcp on mesh0'] }
const hostsOf = (some: readonly string[]) =>
  Object.fromEntries(some.map((name) => [name, { mesh: { address: at(name) } }]))
const inMesh = inventoryOf(a, { mesh: { network }, ufw }, { hosts: hostsOf(names) })
const two = inventoryOf(a, { mesh: { network }, ufw }, { hosts: hostsOf([a, b]) })
const none = inventoryOf(a, {}, { hosts: Object.fromEntries(names.map((name) => [name, {}])) })

// A guard's minute is long, but not on a machine that does ten other things.
const env = { BOTGARDEN_GUARD_SECONDS: '600' }
const site = (inventory: string, ...args: string[]) =>
  run(['playbooks/site.ts', '-i', inventory, '--tags', 'mesh,ufw', '--json', ...args], env)

/** The rules of a host that has never heard of a mesh, and what listens there. */
const plain = new Map<string, { rules: string; listening: string }>()

test.before(async () => {
  for (const name of names) await freshVps(name, { tun: true })
  const first = await run(['playbooks/site.ts', '-i', none, '--tags', 'ufw', '--json'], env)
  assert.is(first.code, 0, first.stdout)
  const engine = await run(['playbooks/site.ts', '-i', none, '--tags', 'docker', '--limit', a, '--json'], env)
  assert.is(engine.code, 0, engine.stdout)
  await outputIn(a)('docker run -d --name stolen --restart always debian:13-slim sleep infinity')
  for (const name of names) plain.set(name, { rules: await rulesOf(name), listening: await listening(name) })
})
test.after(async () => {
  for (const name of names) await removeVps(name)
})

test('a host without a mesh has no rule, no file and no process of it', async () => {
  for (const name of names) assert.not.match(plain.get(name)?.rules ?? 'mesh0', /mesh0|docker_gwbridge|51820/)
  assert.equal((await states(none)).flat(), [])
})

test('a check of bare hosts says what the run then does to each', async () => {
  const checked = await site(inMesh, '--check')
  assert.is(checked.code, 2, checked.stdout)
  const applied = await site(inMesh)
  assert.is(applied.code, 0, applied.stdout)
  for (const name of names) {
    const [said, done] = [resultOf(checked, name), resultOf(applied, name)]
    assert.equal([...said.ids, ...said.unknownIds].sort(), [...done.ids].sort(), name)
    assert.is(done.outputs.mesh, at(name))
  }
})

test('a second run changes nothing, in one round trip a host, and no private key has left its host', async () => {
  const result = await site(inMesh, '-v')
  for (const name of names) {
    const { changed, unknown, failed, roundTrips, error } = resultOf(result, name)
    assert.equal({ changed, unknown, failed, roundTrips }, { changed: 0, unknown: 0, failed: 0, roundTrips: 1 }, error)
  }
  assert.is((await site(inMesh, '--check')).code, 0)
  const keys = await Promise.all(names.map((name) => outputIn(name)('cat /etc/wireguard/mesh0.key')))
  assert.is(new Set(keys).size, 3)
  for (const key of keys) assert.not.match(result.stdout + result.stderr, key.trim().slice(0, 40))
  for (const name of names) {
    const others = keys.filter((_, i) => names[i] !== name).map((key) => key.trim())
    const found = await inVps(
      name,
      `grep -rlF -e '${others.join("' -e '")}' /etc /var/lib /run --exclude-dir=systemd 2>/dev/null`,
    )
    assert.is(found.stdout, '', name)
  }
  const modes = await outputIn(a)("stat -c '%a %U %n' /etc/wireguard/mesh0.key /etc/wireguard/mesh0.conf")
  assert.is(modes, '400 root /etc/wireguard/mesh0.key\n600 root /etc/wireguard/mesh0.conf\n')
})

test('every host reaches every other one, both ways', () => allReached(names))

test('inside of the mesh nothing is open but what the inventory opens there, and outside of it nothing more than before', async () => {
  await listen(b, 5432, 2377)
  await inside(b)('systemctl is-active -q ssh')
  assert.ok(await opens(a, `${at(b)}:5432`), 'the door')
  await reachNone(
    a,
    [22, 80, 2377, 51_820].map((port) => `${at(b)}:${port}`),
  )
  await reachNone(
    a,
    [5432, 2377, 51_820].map((port) => `${b}:${port}`),
  )
  assert.ok(await opens(a, `${b}:22`), 'ssh, as before')
  for (const name of names) {
    const own = (await listening(name)).split('\n').filter((each) => !/:(5432|2377)$/.test(each))
    assert.is(own.join('\n'), plain.get(name)?.listening, 'TCP of the host itself')
  }
})

test('the container of a bot reaches no port of another host in the mesh, and the world as before', async () => {
  await reachNone(
    a,
    [22, 5432, 2377].map((port) => `${at(b)}:${port}`),
    'docker exec stolen',
  )
  await reachNone(
    a,
    [22, 5432].map((port) => `${at(a)}:${port}`),
    'docker exec stolen',
  )
  assert.ok(await opens(a, `${b}:22`, 'docker exec stolen'), 'what is open to the world')
  // So this can fail: as it was before the rules knew of the mesh.
  await inside(a)('iptables -t mangle -F botgarden-forward')
  assert.ok(await opens(a, `${at(b)}:5432`, 'docker exec stolen'), 'masqueraded as its host')
  assert.equal(said(await site(inMesh), a), ['ufw:enabled: load the rules about containers'])
  await reachNone(a, [`${at(b)}:5432`], 'docker exec stolen')
})

test('the port of WireGuard is open to the peers alone', async () => {
  // WireGuard answers nobody whom it does not know: something that does takes its place.
  await inside(b)('systemctl stop wg-quick@mesh0; systemctl reset-failed wg-quick@mesh0 2>/dev/null; true')
  await inside(b)(`systemd-run -q --unit=echo-udp perl -e '${echo}' 51820`)
  assert.ok(await echoes(a, b))
  await inside(b)(`ufw delete allow proto udp from ${await addressOf(a)} to any port 51820`)
  assert.not(await echoes(a, b, 2), 'so this can fail')
  await inside(b)('systemctl stop echo-udp')
  assert.equal(said(await site(inMesh), b), [
    `ufw:rules: allow 51820/udp from ${await addressOf(a)}`,
    'mesh:interface: start',
  ])
  await allReached(names)
})

for (const [what, happens] of [
  ['ufw reloads', () => inside(a)('ufw reload')],
  ['Docker restarts', () => inside(a)('systemctl restart docker')],
  ['the host reboots', () => restartVps(a)],
] as const)
  test(`after ${what} the mesh is there, its door is shut, and there is nothing to mend`, async () => {
    await happens()
    await allReached(names)
    await listen(b, 5432)
    await listen(a, 2377)
    await reachNone(
      b,
      [22, 2377].map((port) => `${at(a)}:${port}`),
    )
    assert.ok(await opens(a, `${at(b)}:5432`))
    assert.ok(await runs(a, 'docker exec stolen true'))
    await reachNone(
      a,
      [22, 5432].map((port) => `${at(b)}:${port}`),
      'docker exec stolen',
    )
    assert.equal(said(await site(inMesh), a), [])
  })

/** What is done to a host by hand, and what a run says of it; KEY is that of a peer, PEER its name, and ADDRESS where it is. */
const spoilt: readonly (readonly [how: string, command: string, ...changes: string[]])[] = [
  ['a peer is taken out', 'wg set mesh0 peer KEY remove', 'mesh:interface: set PEER'],
  [
    'a stranger is let in',
    'wg set mesh0 peer "$(wg genkey | wg pubkey)" allowed-ips 10.214.9.9/32',
    'mesh:interface: set 1 peer less',
  ],
  ['a peer may be anybody', 'wg set mesh0 peer KEY allowed-ips 10.214.128.0/17', 'mesh:interface: set PEER'],
  [
    'a peer shares a secret',
    'wg genpsk >/root/psk; wg set mesh0 peer KEY preshared-key /root/psk',
    'mesh:interface: set PEER',
  ],
  ['a peer is kept awake', 'wg set mesh0 peer KEY persistent-keepalive 5', 'mesh:interface: set PEER'],
  ['it has another key', 'wg genkey >/root/key; wg set mesh0 private-key /root/key', 'mesh:interface: set its key'],
  ['it listens elsewhere', 'wg set mesh0 listen-port 51900', 'mesh:interface: set its port'],
  [
    'it has a further address',
    'ip address add 10.99.0.1/24 dev mesh0',
    'mesh:interface: start it again with its address',
  ],
  ['its mtu is another', 'ip link set mesh0 mtu 1300', 'mesh:interface: start it again with its address'],
  ['it is taken down', 'wg-quick down mesh0 2>/dev/null', 'mesh:interface: start'],
  ['its link is gone', 'ip link delete mesh0', 'mesh:interface: start'],
  ['its program is killed', 'kill -9 $(pidof wireguard-go)', 'mesh:interface: start'],
  ['it was made by hand', 'systemctl stop wg-quick@mesh0; wg-quick up mesh0 2>/dev/null', 'mesh:interface: start'],
  ['it does not come with a boot', 'systemctl disable --quiet wg-quick@mesh0', 'mesh:interface: enable'],
  ['its file is edited', 'echo "# x" >>/etc/wireguard/mesh0.conf', 'file:/etc/wireguard/mesh0.conf: content'],
  ['its key may be read', 'chmod 644 /etc/wireguard/mesh0.key', 'secret:/etc/wireguard/mesh0.key: mode 0644 → 0400'],
  [
    'a rule for a peer is deleted',
    'ufw delete allow proto udp from ADDRESS to any port 51820',
    'ufw:rules: allow 51820/udp from ADDRESS',
  ],
  ['all may come in by it', 'ufw allow in on mesh0', 'ufw:rules: delete allow in on mesh0'],
  [
    'the rule that shuts it is deleted',
    `eval iptables -t mangle "$(iptables -t mangle -S INPUT | sed -n 's/^-A \\(.*-i mesh0 .*\\)/-D \\1/p')"`,
    'ufw:enabled: load the rules about containers',
  ],
]

// Three at once, one a host.
for (let first = 0; first < spoilt.length; first += 3) {
  const three = spoilt.slice(first, first + 3).map((each, i) => [names[i] ?? a, ...each] as const)
  test(`spoilt by hand: ${three.map(([, how]) => how).join('; ')}: that is all that a check sees and a run mends`, async () => {
    const expected = new Map<string, string[]>(names.map((name) => [name, []]))
    for (const [name, , command, ...changes] of three) {
      const peer = names[(names.indexOf(name) + 1) % 3] ?? a
      const address = await addressOf(peer)
      const key = `"$(awk '/^# ${peer}$/ { there = 1 } there && /^PublicKey/ { print $3; exit }' /etc/wireguard/mesh0.conf)"`
      const filled = (text: string) => text.replace('KEY', key).replace('PEER', peer).replace('ADDRESS', address)
      await inside(name)(filled(command))
      expected.set(name, changes.map(filled))
    }
    const [checked, applied] = [await site(inMesh, '--check'), await site(inMesh)]
    for (const name of names) {
      assert.equal(said(checked, name), expected.get(name), name)
      assert.equal(said(applied, name), expected.get(name), name)
    }
    await allReached(names)
  })
}

test('what was spoilt is mended for good', async () => assert.equal((await states(inMesh)).flat(), []))

test('a key that was replaced is the key of that host from then on, and the others are told in the same run', async () => {
  await inside(a)('rm /etc/wireguard/mesh0.key; umask 277; wg genkey >/etc/wireguard/mesh0.key')
  const changed = ['file:/etc/wireguard/mesh0.conf: content', 'mesh:interface: set mesh-a, 1 peer less']
  const result = await site(inMesh)
  assert.equal(
    [a, b, c].map((name) => said(result, name)),
    [['mesh:interface: set its key'], changed, changed],
  )
  await allReached(names)
  await inside(a)('rm /etc/wireguard/mesh0.key')
  const lost = await site(inMesh)
  assert.is(lost.code, 0, lost.stdout)
  assert.equal(said(lost, a), ['secret:/etc/wireguard/mesh0.key: generate', 'mesh:interface: set its key'])
  await allReached(names)
  assert.equal(names.flatMap((name) => said(result, name)).length > 0, true)
  assert.equal((await states(inMesh)).flat(), [])
})

test('a host that is off stays a peer of the others, whoever is run', async () => {
  const others = await inside(a)('cat /etc/wireguard/mesh0.conf')
  await local({ quiet: true })`docker stop -t 2 ${containerOf(b)}`
  const result = await site(inMesh, '--limit', a)
  assert.equal([result.code, said(result, a)], [0, []])
  assert.match(result.stderr, /mesh-b {2}warning: not asked for its key/)
  const whole = await site(inMesh)
  assert.equal([whole.code, said(whole, a), said(whole, c)], [4, [], []])
  assert.is(await inside(a)('cat /etc/wireguard/mesh0.conf'), others)
  await restartVps(b)
  await allReached(names)
})

test('a host that leaves the inventory is no peer any more, and a stranger', async () => {
  const result = await site(two)
  const changed = [
    'file:/etc/wireguard/mesh0.conf: content',
    `ufw:rules: delete allow 51820/udp from ${await addressOf(c)}`,
    'mesh:interface: set 1 peer less',
  ]
  assert.equal([said(result, a), said(result, b)], [changed, changed])
  await allReached([a, b])
  assert.not(await pings(c, at(a)))
  await inside(b)('systemctl stop wg-quick@mesh0')
  await inside(b)(`systemd-run -q --unit=echo-udp perl -e '${echo}' 51820`)
  assert.ok(await echoes(a, b), 'a peer')
  assert.not(await echoes(c, b, 3), 'a stranger')
  await inside(b)('systemctl stop echo-udp; systemctl start wg-quick@mesh0')
  await listen(b, 5432, 2377)
  assert.equal(await openPorts(c, b), [22])
})

test('without its key in the inventory nothing of the mesh is left, and the rules are what they were before', async () => {
  const result = await site(none)
  assert.is(result.code, 0, result.stdout)
  for (const name of names) assert.ok(resultOf(result, name).ids.includes('mesh:absent'), name)
  assert.equal((await states(none)).flat(), [])
  for (const name of names) {
    assert.is(await rulesOf(name), plain.get(name)?.rules, name)
    const left = await inVps(
      name,
      'ls /etc/wireguard; ip link show mesh0 2>/dev/null; pidof wireguard-go; systemctl is-enabled wg-quick@mesh0',
    )
    assert.is(left.stdout.trim(), 'disabled')
  }
})

/** Prints a line to whoever connects. */
const server =
  'use IO::Socket::INET; my $s = IO::Socket::INET->new(Listen => 5, LocalPort => shift, ReuseAddr => 1) or die; while (1) { my $c = $s->accept or next; print $c "hello\\n"; close $c }'
/** Sends each datagram back. */
const echo =
  'use IO::Socket::INET; my $s = IO::Socket::INET->new(Proto => "udp", LocalPort => shift) or die; while (1) { my $d; $s->recv($d, 99) or next; $s->send($d) }'

function inside(name: string): (command: string) => Promise<string> {
  return outputIn(name)
}

async function listen(name: string, ...ports: number[]): Promise<void> {
  for (const port of ports)
    await inside(name)(
      `systemctl is-active -q listen-${port} || systemd-run -q --unit=listen-${port} perl -e '${server}' ${port}`,
    )
}

async function reaches(from: string, target: string, within = ''): Promise<boolean> {
  const [name = '', port = ''] = target.split(':')
  const address = names.some((each) => each === name) ? await addressOf(name) : name
  const { stdout } = await inVps(
    from,
    `${within} timeout 3 bash -c 'exec 3<>/dev/tcp/${address}/${port} && head -n 1 <&3' 2>/dev/null`,
  )
  return stdout !== ''
}

async function opens(from: string, target: string, within = ''): Promise<boolean> {
  for (let tries = 0; tries < 20; tries++) {
    if (await reaches(from, target, within)) return true
    await pause(500)
  }
  return false
}

async function reachNone(from: string, targets: readonly string[], within = ''): Promise<void> {
  const reached = await Promise.all(targets.map(async (each) => ((await reaches(from, each, within)) ? [each] : [])))
  assert.equal(reached.flat(), [], `${from} ${within}`)
}

async function runs(name: string, command: string): Promise<boolean> {
  for (let tries = 0; tries < 60; tries++) {
    if ((await inVps(name, command)).status === 0) return true
    await pause(1000)
  }
  return false
}

async function pings(from: string, address: string): Promise<boolean> {
  return (await inVps(from, `ping -c 1 -W 3 ${address}`)).status === 0
}

/** A handshake may take a second try: after a reboot one side remembers a session that the other has not. */
async function allReached(some: readonly string[]): Promise<void> {
  for (const from of some)
    for (const to of some.filter((each) => each !== from))
      assert.ok(await runs(from, `ping -c 1 -W 3 ${at(to)}`), `${from} → ${to}`)
}

async function echoes(from: string, to: string, tries = 15): Promise<boolean> {
  const address = await addressOf(to)
  const ask = `exec 3<>/dev/udp/${address}/51820; echo hello >&3; timeout 2 head -n 1 <&3`
  for (; tries > 0; tries--) if ((await inVps(from, `bash -c '${ask}' 2>/dev/null`)).stdout !== '') return true
  return false
}

/** The ports of TCP that somebody finds open by trying those that listen, and those that would be worth it. */
async function openPorts(from: string, to: string): Promise<number[]> {
  const own = [...(await listening(to)).matchAll(/:(\d+)$/gm)].map(([, port]) => Number(port))
  const ports = [...new Set([...own, 22, 53, 2375, 2376, 2377, 4789, 5432, 6432, 7946, 8080, 51_820])]
  const address = await addressOf(to)
  const found = await Promise.all(
    ports.map(async (port) =>
      (await inVps(from, `timeout 3 bash -c ': >/dev/tcp/${address}/${port}' 2>/dev/null`)).status === 0 ? [port] : [],
    ),
  )
  return found.flat()
}

/** What listens on TCP: address and port, those of the host alone. */
async function listening(name: string): Promise<string> {
  const { stdout } = await inVps(name, 'cat /proc/net/tcp /proc/net/tcp6 2>/dev/null')
  const sockets = [...stdout.matchAll(/^ *\d+: ([0-9A-F]+):([0-9A-F]{4}) \S+ 0A /gm)].map(
    ([, address = '', port = '']) => `${address}:${Number.parseInt(port, 16)}`,
  )
  return [...new Set(sockets)]
    .filter((each) => !each.startsWith('0100007F') && !each.startsWith('0B00007F'))
    .sort()
    .join('\n')
}

/** What ufw and the kernel have of rules, but for those of Docker. */
function rulesOf(name: string): Promise<string> {
  return outputIn(name)(`cat /etc/ufw/after.init /etc/ufw/user.rules /etc/ufw/user6.rules
    for tables in iptables ip6tables; do $tables-save -t mangle; $tables-save -t filter; done | grep -E '^-A ufw|botgarden:' | sed 's/ \\[.*//'`)
}

const known = new Map<string, string>()

async function addressOf(name: string): Promise<string> {
  const address =
    known.get(name) ?? (await outputIn(name)("ip -4 -o address show eth0 | sed -E 's/.* inet ([^/]*).*/\\1/;q'")).trim()
  known.set(name, address)
  return address
}

/** The ids of what a check of each host finds. */
async function states(inventory: string): Promise<string[][]> {
  const result = await site(inventory, '--check')
  return names.map((name) => resultOf(result, name).ids)
}

/** `ID: SUMMARY` of every change of a host. */
function said(result: Run, host: string): string[] {
  const { changes, error } = resultOf(result, host)
  assert.is(error, undefined)
  return changes.map(({ id, summary }: { id: string; summary: string }) => `${id}: ${summary}`)
}

test.run()
