// Needs two bare VPSs of its own: `walled`, and `outside`, which tries to get in and is what containers get out to.
import { setTimeout as pause } from 'node:timers/promises'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { quote } from '../../lib/shell/sh.ts'
import { freshVps, inVps, removeVps, restartVps } from '../../sandbox/index.ts'
import { inventoryOf, resultOf, run, start } from '../support/runner.ts'
import { outputIn } from '../support/vps/inside.ts'
import { difference, snapshot } from '../support/vps/snapshot.ts'
import { overSsh } from '../support/vps/ssh.ts'

const host = 'walled'
const docker = {
  registryMirrors: ['http://mirror.sandbox:5000'],
  // With it, Docker publishes on IPv6 by the kernel as well, and not by its proxy alone.
  daemon: { experimental: true, ip6tables: true },
}
const tags = ['--tags', 'ufw,docker', '--json']
const playbook = (vars: Record<string, unknown>) => [
  ...['playbooks/site.ts', '-i', inventoryOf(host, { docker, ...vars }), '--tags', 'base,ufw,docker'],
]
const wanted = { ufw: { allow: ['8080/tcp'] } }
const site = (...args: string[]) => run([...playbook(wanted), ...tags, ...args])
const addresses = { walled: 'fd99::1', outside: 'fd99::2' }
/** Where clouds hand out credentials. */
const metadata = {
  ipv4: ['169.254.169.254', '100.100.100.200', '192.0.0.192', '168.63.129.16'],
  ipv6: [
    'fd00:ec2::254',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:100::100:200',
    'fd00:42::42',
    'fd00:a9fe:a9fe::1',
  ],
}
const webOf = (each: string) => `${each}:80`

test.before(async () => {
  await Promise.all([freshVps(host), freshVps('outside')])
  await joinIpv6()
})
test.after(async () => {
  await Promise.all([removeVps(host), removeVps('outside')])
})

test('a check of a bare host says what a run then does, and writes nothing', async () => {
  const before = await snapshot(host)
  const check = await site('--check')
  const checked = resultOf(check, host)
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(check.code, 2, checked.error)
  assert.equal(checked.unknownIds, [])

  const apply = await site()
  const applied = resultOf(apply, host)
  assert.is(apply.code, 0, apply.stderr)
  assert.equal([...applied.ids].sort(), [...checked.ids, ...checked.unknownIds].sort())
})

test('a second run changes nothing, in one round trip, and its check writes nothing', async () => {
  const { changed, unknown, failed, roundTrips, error } = resultOf(await site(), host)
  assert.equal({ changed, unknown, failed, roundTrips }, { changed: 0, unknown: 0, failed: 0, roundTrips: 1 }, error)
  const [before, rules] = [await snapshot(host), await kernel()]
  assert.is((await site('--check')).code, 0)
  assert.equal(difference(before, await snapshot(host)), [])
  assert.is(await kernel(), rules)
})

test('ufw says the same', async () => {
  const status = await inside('ufw status verbose')
  assert.match(status, /^Status: active$/m)
  assert.match(status, /^Default: deny \(incoming\), allow \(outgoing\), deny \(routed\)$/m)
  const ports = [...status.matchAll(/^(\S+(?: \(v6\))?) +ALLOW IN +Anywhere/gm)].map(([, port]) => port)
  assert.equal(ports.sort(), ['22', '80', '443', '8080'].flatMap((port) => [`${port}/tcp`, `${port}/tcp (v6)`]).sort())
  assert.is((await overSsh(host, 'systemctl is-enabled ufw; systemctl is-system-running')).stdout, 'enabled\nrunning\n')
})

test('from outside nothing is reached but the open ports, not even what containers publish, nor by their own addresses', async () => {
  await listen(host, 443, 9999)
  await listen('outside', 80, 7000)
  await inside(`docker network create --ipv6 --subnet fd42::/64 garden
    docker run -d --name plain --restart always -p 0.0.0.0:8081:80 -p 8080:80 debian:13-slim perl -e '${server}' 80
    docker run -d --name both --restart always --network garden -p 8082:80 -p '[::]:8083:80' debian:13-slim perl -e '${server}' 80`)
  // Published indeed: the host itself gets there.
  await published()
  await doorIsShut()
  for (const port of [22, 443, 8080]) assert.ok(await opens('outside', `${host}:${port}`), `${port}`)
  for (const port of [22, 443]) assert.ok(await opens('outside', `${addresses.walled}:${port}`), `IPv6 ${port}`)
})

test('a container reaches nginx on the host and the world, but neither ssh nor what hands out credentials', async () => {
  await cloudMetadata()
  for (const [name, gateway] of [
    ['plain', '172.17.0.1'],
    ['both', (await inside(`docker inspect -f '{{(index .IPAM.Config 1).Gateway}}' garden`)).trim()],
  ] as const) {
    const within = `docker exec ${name}`
    const own = [gateway, await addressOf(host)]
    for (const at of own) assert.ok(await opens(host, `${at}:443`, within), `${name} → ${at}:443`)
    assert.ok(await opens(host, `${await addressOf('outside')}:7000`, within), `${name} → outside`)
    const shut = own.flatMap((at) => [22, 9999, 8080].map((port) => `${at}:${port}`))
    await reachNone([...shut, ...metadata.ipv4.map(webOf)], host, within)
  }
  assert.ok(await opens(host, `${addresses.outside}:7000`, 'docker exec both'), 'both → outside')
  await reachNone([...metadata.ipv6.map(webOf), `${addresses.walled}:22`], host, 'docker exec both')
  assert.ok(await opens(host, `${addresses.walled}:443`, 'docker exec both'), 'both → nginx')
  // What the packets would have found.
  for (const at of [...metadata.ipv4, ...metadata.ipv6].map(webOf)) assert.ok(await opens(host, at), at)
})

test('what a build runs reaches the world, and nothing that hands out credentials', async () => {
  const doors = [`${await addressOf('outside')}/7000`, ...metadata.ipv4.map((each) => `${each}/80`)]
  const tries = doors.map((at) => `timeout 2 bash -c 'exec 3<>/dev/tcp/${at} && head -n 1 <&3' && echo "got to" ${at}`)
  const dockerfile = `FROM debian:13-slim\nRUN ${tries.map((each) => `${each} || :`).join('; ')}\n`
  const said = await inside(`printf %b ${quote(dockerfile)} | docker build --no-cache --progress plain - 2>&1`)
  assert.equal(
    [...said.matchAll(/got to (\d.*)/g)].map(([, at]) => at),
    doors.slice(0, 1),
    said,
  )
})

test('where the host asks such an address for names containers do so too, and ask it nothing else', async () => {
  await listen('outside', 53)
  const resolver = '169.254.169.254'
  const changes = ['file:/etc/ufw/after.init: content', 'ufw:enabled: load the rules about containers']
  await inside(`cp /etc/resolv.conf /root/resolv.conf; echo nameserver ${resolver} >>/etc/resolv.conf`)
  assert.equal(said(await site()), changes)
  for (const name of ['plain', 'both']) {
    assert.ok(await opens(host, `${resolver}:53`, `docker exec ${name}`), name)
    await reachNone([webOf(resolver), '100.100.100.200:53'], host, `docker exec ${name}`)
  }
  assert.equal(said(await site()), [])
  await inside('cat /root/resolv.conf >/etc/resolv.conf')
  assert.equal(said(await site()), changes)
  await reachNone([`${resolver}:53`], host, 'docker exec plain')
})

for (const [what, happens] of [
  ['ufw reloads', () => inside('ufw reload')],
  ['Docker restarts', () => inside('systemctl restart docker')],
  ['the host reboots', () => rebooted()],
] as const) {
  test(`the door is still shut after ${what}, and there is nothing to mend`, async () => {
    await happens()
    await published()
    await doorIsShut()
    assert.is(resultOf(await site(), host).changed, 0)
  })
}

test('with ufw disabled all of it is open: these tests can fail', async () => {
  await listen(host, 9999)
  await inside('ufw disable')
  for (const port of [8080, 8081, 8082, 9999]) assert.ok(await opens('outside', `${host}:${port}`), `${port}`)
  for (const port of [8082, 8083]) assert.ok(await opens('outside', `${addresses.walled}:${port}`), `IPv6 ${port}`)
  assert.ok(await opens('outside', `${await ownAddress()}:80`))
  for (const at of ['172.17.0.1:22', '169.254.169.254:80']) assert.ok(await opens(host, at, 'docker exec plain'), at)
  assert.ok(await opens(host, 'fd00:ec2::254:80', 'docker exec both'))
  assert.equal(resultOf(await site(), host).ids, ['ufw:enabled'])
  await doorIsShut()
})

for (const [how, command, ...changes] of [
  ['a rule is deleted', 'ufw delete allow 443/tcp', 'ufw:rules: allow 443/tcp'],
  ['a rule is added', 'ufw allow 25', 'ufw:rules: delete allow 25'],
  [
    'rules of every kind are added',
    `ufw deny in on eth0 from 10.0.0.1 port 99 to any port 25 proto tcp comment "a b"; ufw limit log 2222/tcp; ufw allow OpenSSH
     ufw route allow in on eth0 out on docker0 to 10.1.1.1 port 80 proto tcp; ufw reject out to 10.9.9.9; ufw allow proto gre from 10.1.1.1`,
    'ufw:rules: delete deny in on eth0 proto tcp from 10.0.0.1 port 99 to any port 25, delete limit log 2222/tcp, delete allow OpenSSH, delete route allow in on eth0 out on docker0 proto tcp to 10.1.1.1 port 80, delete reject out to 10.9.9.9, delete allow in proto gre from 10.1.1.1',
  ],
  ['ufw is disabled', 'ufw disable', 'ufw:enabled: enable'],
  ['the default is another', 'ufw default allow incoming', 'ufw:defaults: DEFAULT_INPUT_POLICY=DROP'],
  ['IPv6 is left out', 'sed -i s/^IPV6=.*/IPV6=no/ /etc/default/ufw', 'ufw:defaults: IPV6=yes'],
  ['our file is edited', 'echo >>/etc/ufw/after.init', 'file:/etc/ufw/after.init: content'],
  ['our file cannot run', 'chmod 640 /etc/ufw/after.init', 'file:/etc/ufw/after.init: mode 0640 → 0750'],
  ['our rules are flushed', 'iptables -t mangle -F', 'ufw:enabled: load the rules about containers'],
  ['one of ours is gone', 'ip6tables -t mangle -D INPUT 1', 'ufw:enabled: load the rules about containers'],
  [
    'one comes before ours',
    'iptables -t mangle -I botgarden-forward -j ACCEPT',
    'ufw:enabled: load the rules about containers',
  ],
  ['all is flushed', 'iptables -P INPUT ACCEPT; iptables -F', 'ufw:enabled: load its rules again', 'docker'],
  ["ufw's rules for IPv6 are gone", 'ip6tables -F; ip6tables -X', 'ufw:enabled: load its rules again', 'docker'],
  [
    'the kernel lacks a rule',
    'iptables -D ufw-user-input -p tcp --dport 443 -j ACCEPT',
    'ufw:enabled: load its rules again',
  ],
  ['the kernel lets in', 'iptables -P INPUT ACCEPT', 'ufw:enabled: load its rules again'],
  ['its unit is stopped', 'systemctl stop ufw', 'ufw:enabled: load its rules again', 'unit:ufw.service: start'],
  ['its unit is disabled', 'systemctl disable --quiet ufw', 'unit:ufw.service: enable'],
] as const) {
  test(`spoilt by hand: ${how}, and that is all that a check sees and a run mends`, async () => {
    await inside(command)
    const expected = changes.filter((change) => change !== 'docker')
    const [checked, applied] = [await site('--check'), await site()]
    assert.equal(said(checked), expected)
    assert.equal(said(applied), expected)
    assert.is(resultOf(await site(), host).changed, 0)
    // What somebody flushed of Docker's own, Docker puts there again.
    if (changes.some((change) => change === 'docker')) await inside('systemctl restart docker')
  })
}

test('after all of that the door is shut and the open ports are open', async () => {
  await listen(host, 443)
  await published()
  await doorIsShut()
  for (const port of [22, 443, 8080]) assert.ok(await opens('outside', `${host}:${port}`), `${port}`)
})

test('what would lock the operator out is refused, in a check and in a run, before anything is touched', async () => {
  const vars = { ufw: { sshFrom: ['203.0.113.0/24'] } }
  const before = await kernel()
  for (const flags of [['--check'], []]) {
    const refused = await run([...playbook(vars), ...tags, ...flags])
    assert.is(refused.code, 3)
    assert.match(resultOf(refused, host).error, /ssh from \S+ to port 22 would be locked out: .*ufw.sshFrom/)
  }
  assert.is(await kernel(), before)
})

test('ssh from some addresses only, the own among them', async () => {
  const [mine = ''] = (await overSsh(host, 'echo $SSH_CLIENT')).stdout.split(' ')
  const vars = { ufw: { ...wanted.ufw, sshFrom: [mine] } }
  const limited = resultOf(await run([...playbook(vars), ...tags]), host)
  assert.equal(limited.ids, ['ufw:rules'], limited.error)
  assert.not(await reaches('outside', `${host}:22`))
  assert.is((await overSsh(host, 'true')).code, 0)
  assert.is(resultOf(await site(), host).changed, 1)
})

for (const [how, prepare, vars, seconds] of [
  ['to the old rules', 'true', { ufw: { web: [443], allow: [] } }, 10],
  ['to none where there were none', 'ufw disable', wanted, 10],
  [
    'to none where they were only in its files',
    'sed -i s/^ENABLED=no/ENABLED=yes/ /etc/ufw/ufw.conf',
    { ufw: { web: [443], allow: [] } },
    10,
  ],
  ['at the next boot', 'ufw --force enable', { ufw: { web: [443], allow: [] } }, 600],
] as const) {
  test(`a run that is killed before it confirms is taken back by the host alone: ${how}`, async () => {
    await inside(prepare)
    const [before, status] = [await kernel(), await inside('ufw status; cat /etc/ufw/after.init')]
    const running = start([...playbook(vars), ...tags, '-v'], { BOTGARDEN_GUARD_SECONDS: `${seconds}` })
    assert.ok(await running.seen(/✓ (ufw:rules|ufw:enabled)/))
    if (running.child.pid) process.kill(-running.child.pid, 'SIGKILL')
    if (seconds > 60) await rebooted()
    const reverted = async () => (await inVps(host, 'test -e /var/lib/botgarden/guard/reverted')).status === 0
    for (let second = 0; second < 40 && !(await reverted()); second++) await pause(1000)
    assert.is(await kernel(), before)
    assert.is(await inside('ufw status; cat /etc/ufw/after.init'), status)
  })
}

test('and the next run has nothing to mend', async () => {
  assert.equal(said(await site()), [])
})

/** Prints a line to whoever connects, and ends when told to, so that a boot does not wait for it. */
const server =
  'use IO::Socket::IP; $SIG{TERM} = sub { exit }; my $s = IO::Socket::IP->new(Listen => 5, LocalPort => shift, LocalHost => "::", V6Only => 0, ReuseAddr => 1) || IO::Socket::INET->new(Listen => 5, LocalPort => 80, ReuseAddr => 1) or die; while (1) { my $c = $s->accept or next; print $c "hello\\n"; close $c }'

async function listen(name: string, ...ports: number[]): Promise<void> {
  for (const port of ports)
    await outputIn(name)(
      `systemctl is-active -q listen-${port} || systemd-run -q --unit=listen-${port} perl -e '${server}' ${port}`,
    )
}

/** Whether something that listens there answers, as seen from a host or from a container on it. */
async function reaches(from: string, at: string, within = ''): Promise<boolean> {
  const [, name = '', port = ''] = /^(.*):(\d+)$/.exec(at) ?? []
  const address = name === host ? await addressOf(host) : name
  const probe = `exec 3<>/dev/tcp/${address}/${port} && head -n 1 <&3`
  const { stdout } = await inVps(from, `${within} timeout 2 bash -c '${probe}' 2>/dev/null`)
  return stdout !== ''
}

/** The same, with patience: the machine may be slow, and what listens may still be on its way up. */
async function opens(from: string, at: string, within = ''): Promise<boolean> {
  for (let tries = 1; tries < 20; tries++) {
    if (await reaches(from, at, within)) return true
    await pause(500)
  }
  return false
}

async function doorIsShut(): Promise<void> {
  const doors = [
    ...[8081, 8082, 9999].map((port) => `${host}:${port}`),
    ...[8081, 8082, 8083].map((port) => `${addresses.walled}:${port}`),
    ...[await ownAddress()].map((address) => `${address}:80`),
  ]
  await reachNone(doors, 'outside')
}

async function reachNone(doors: readonly string[], from: string, within = ''): Promise<void> {
  const reached = await Promise.all(doors.map(async (at) => ((await reaches(from, at, within)) ? [at] : [])))
  assert.equal(reached.flat(), [], `${from} ${within}`)
}

/** The address of a container, to which `outside` has a way of its own from here on. */
async function ownAddress(): Promise<string> {
  const address = (await inside(`docker inspect -f '{{.NetworkSettings.IPAddress}}' plain`)).trim()
  await outputIn('outside')(`ip route replace ${address} via ${await addressOf(host)}`)
  return address
}

/** Waits until the containers are there again, which is later than Docker says. */
async function published(): Promise<void> {
  for (const at of ['127.0.0.1:8081', '127.0.0.1:8082', '::1:8082', '::1:8083']) {
    assert.ok(await opens(host, at), at)
  }
}

async function rebooted(): Promise<void> {
  await restartVps(host)
  await joinIpv6()
  await cloudMetadata()
}

/** The network of the sandbox has no IPv6 of its own, and a container forgets its addresses with every boot. */
async function joinIpv6(): Promise<void> {
  const settings = ['all', 'default'].map((each) => `net.ipv6.conf.${each}.disable_ipv6=0`).join('\\n')
  for (const [name, address] of Object.entries(addresses))
    await outputIn(name)(`printf '${settings}\\n' >/etc/sysctl.d/ipv6.conf && sysctl -q -p /etc/sysctl.d/ipv6.conf
       ip -6 address replace ${address}/64 dev eth0 nodad`)
}

/** `outside` has the addresses by which clouds hand out credentials, and `walled` a way there. */
async function cloudMetadata(): Promise<void> {
  const own = [
    ...metadata.ipv4.map((each) => `ip address replace ${each}/32 dev eth0`),
    ...metadata.ipv6.map((each) => `ip -6 address replace ${each}/128 dev eth0 nodad`),
  ]
  await outputIn('outside')(own.join('\n'))
  const way = await addressOf('outside')
  const routes = [
    ...metadata.ipv4.map((each) => `ip route replace ${each} via ${way}`),
    ...metadata.ipv6.map((each) => `ip -6 route replace ${each} via ${addresses.outside}`),
  ]
  await inside(routes.join('\n'))
}

const known = new Map<string, string>()

async function addressOf(name: string): Promise<string> {
  const address =
    known.get(name) ?? (await outputIn(name)("ip -4 -o address show eth0 | sed -E 's/.* inet ([^/]*).*/\\1/;q'")).trim()
  known.set(name, address)
  return address
}

/** What the kernel runs of ours and of ufw's, and what becomes of the rest; empty chains are nothing. */
async function kernel(): Promise<string> {
  return inside(`for tables in iptables ip6tables; do
    $tables-save -t mangle; $tables-save -t filter; done | grep -E '^-A ufw|botgarden:|^:(INPUT|FORWARD|OUTPUT)' | sed 's/ \\[.*//'`)
}

/** `ID: SUMMARY` of every change. */
function said(result: Awaited<ReturnType<typeof run>>): string[] {
  const { changes, error } = resultOf(result, host)
  assert.is(error, undefined)
  return changes.map(({ id, summary }: { id: string; summary: string }) => `${id}: ${summary}`)
}

function inside(command: string): Promise<string> {
  return outputIn(host)(command)
}

test.run()
