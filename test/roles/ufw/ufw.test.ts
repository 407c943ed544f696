import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import type { Facts } from '../../../lib/model/facts.ts'
import { runningUnit } from '../../../lib/resources/unit.ts'
import { containerRules } from '../../../roles/ufw/containers.ts'
import { ufw } from '../../../roles/ufw/index.ts'
import { isInside, parseRule } from '../../../roles/ufw/rules.ts'
import { defaultSettings, parseUfw, type UfwState, ufwKind } from '../../../roles/ufw/state.ts'
import { deleting, describe } from '../../../roles/ufw/tuples.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { planOf, scriptsOf } from '../../support/plan-of.ts'
import { sha256 } from '../../support/sha256.ts'
import { shell } from '../../support/shell.ts'

const role = (vars: unknown = {}, more: Partial<Facts> = {}) =>
  ufw.resources(v.parse(ufw.vars, vars), { ...facts, ...more }, entry)
const captured = readFileSync(new URL('captured-firewall.txt', import.meta.url), 'utf8')
const open = (port: string) => [`allow tcp ${port} 0.0.0.0/0 any 0.0.0.0/0 in`, `allow tcp ${port} ::/0 any ::/0 in`]
const rules = ['22', '80', '443'].flatMap(open)
const { loaded } = containerRules([80, 443], [], [])
const nothing: UfwState = {
  settings: {},
  rules: [],
  differences: [],
  containers: { ipv4: [], ipv6: [] },
  obstacles: [],
}

test('sets everything up on a bare host, and leaves nothing unknown', () => {
  assert.equal(planOf(role(), { 'ufw:state': nothing }), [
    'package:ufw: install',
    'file:/etc/ufw/after.init: create',
    'ufw:defaults: comes-with package:ufw',
    'ufw:rules: allow 22/tcp, allow 80/tcp, allow 443/tcp',
    'ufw:enabled: enable',
    'unit:ufw.service: start',
  ])
})

test('plans nothing on a built host', () => {
  assert.equal(planOf(role(), built()), [])
  const withoutIpv6 = built({ containers: { ipv4: loaded.ipv4, ipv6: undefined } })
  assert.equal(planOf(role(), withoutIpv6), [])
})

const spoilt: [how: string, state: Partial<UfwState>, change: string][] = [
  ['a rule is missing', { rules: rules.toSpliced(2, 1) }, 'ufw:rules: allow 80/tcp'],
  ['a rule is one too many', { rules: [...rules, ...open('25')] }, 'ufw:rules: delete allow 25/tcp'],
  ['it is disabled', { settings: { ...defaultSettings, ENABLED: 'no' } }, 'ufw:enabled: enable'],
  ['it lets in', { settings: settings({ DEFAULT_INPUT_POLICY: 'ACCEPT' }) }, 'ufw:defaults: DEFAULT_INPUT_POLICY=DROP'],
  ['it forgets IPv6', { settings: settings({ IPV6: 'no' }) }, 'ufw:defaults: IPV6=yes'],
  ['the kernel differs', { differences: ['ufw6 is not loaded'] }, 'ufw:enabled: load its rules again'],
  [
    'the kernel lacks a rule about containers',
    { containers: { ipv4: loaded.ipv4, ipv6: loaded.ipv6.slice(1) } },
    'ufw:enabled: load the rules about containers',
  ],
]
for (const [how, state, change] of spoilt) {
  test(`mends what is wrong and nothing else where ${how}`, () => assert.equal(planOf(role(), built(state)), [change]))
}

test('brings rules to a ufw whose chains somebody has thrown away before it is enabled again', () => {
  assert.equal(planOf(role({ web: [443] }), built({ differences: ['ufw is not loaded'] })), [
    'file:/etc/ufw/after.init: content',
    'ufw:rules: delete allow 80/tcp',
    'ufw:enabled: enable',
  ])
})

test('changed vars change the rules, and what containers may', () => {
  assert.equal(planOf(role({ web: [443], allow: ['8080/tcp'] }), built()), [
    'file:/etc/ufw/after.init: content',
    'ufw:rules: allow 8080/tcp, delete allow 80/tcp',
    'ufw:enabled: load the rules about containers',
  ])
})

test('rules that nobody asked for stay where the inventory says so', () => {
  const foreign = built({ rules: [...rules, ...open('25')] })
  assert.equal(planOf(role({ exclusive: false }), foreign), [])
})

test('allows the port that ssh is in use on, and no other for it', () => {
  assert.equal(planOf(role({}, { sshPort: 2222 }), built()), ['ufw:rules: allow 2222/tcp, delete allow 22/tcp'])
})

test('opens ssh to some addresses only, each for its kind of address', () => {
  const mine = { sshFrom: ['198.51.100.0/24', '2001:db8::/32'] }
  assert.equal(scriptsOf(role(mine), built()), [
    [
      'ufw allow in proto tcp from 198.51.100.0/24 to any port 22',
      'ufw allow in proto tcp from 2001:db8::/32 to any port 22',
      'ufw delete allow in proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 22',
      'ufw delete allow in proto tcp from ::/0 to ::/0 port 22',
    ].join('\n'),
  ])
})

const lockOuts: [how: string, vars: unknown, client: string, state: Partial<UfwState>, said: RegExp][] = [
  [
    'ssh is open to others only',
    { sshFrom: ['203.0.113.0/24'] },
    '198.51.100.7',
    {},
    /no rule would allow it: see ufw.sshFrom/,
  ],
  ['ssh is open to the other kind of address', { sshFrom: ['0.0.0.0/1'] }, '2001:db8::7', {}, /no rule would allow it/],
  [
    'a rule that stays comes first',
    { exclusive: false },
    '198.51.100.7',
    { rules: ['deny any any 0.0.0.0/0 any 198.51.100.0/24 in', ...rules] },
    /«deny in from 198.51.100.0\/24» comes first/,
  ],
]
for (const [how, vars, clientAddress, state, said] of lockOuts) {
  test(`refuses to lock the operator out where ${how}, on a bare host as well`, () => {
    assert.throws(() => planOf(role(vars, { clientAddress }), built(state)), said)
    assert.throws(() => planOf(role(vars, { clientAddress }), { 'ufw:state': { ...nothing, ...state } }), said)
  })
}

test('an operator inside of the allowed addresses is let in, by IPv4 through an IPv6 socket too', () => {
  const mine = { sshFrom: ['203.0.113.0/24', '2001:db8::/32', '198.51.100.7'] }
  for (const clientAddress of ['203.0.113.9', '::ffff:203.0.113.9', '2001:db8::1', '198.51.100.7'])
    assert.is(planOf(role(mine, { clientAddress }), built()).length, 1)
})

test("leaves somebody's own after.init alone, and says so", () => {
  const path = '/etc/ufw/after.init'
  const own = (mode: string) => ({
    [`file:${path}`]: { type: 'file', mode, owner: 'root', group: 'root', sha256: '' },
    [`text:${path}`]: '#!/bin/sh\niptables -t nat -F\n',
  })
  assert.throws(() => planOf(role(), { ...built(), ...own('0755') }), /after.init is not ours, and ufw runs it/)
  assert.equal(planOf(role(), { ...built(), ...own('0640') }), [`file:${path}: content, mode 0640 → 0750`])
})

test('refuses a host that loads rules by another package, before anything is touched', () => {
  const host = { 'ufw:state': nothing, 'package:netfilter-persistent': { version: '1.0.23' } }
  assert.throws(() => planOf(role(), host), /^netfilter-persistent of this host cannot stay .*apt-get purge .*reboot/)
  assert.throws(
    () => planOf(role(), { ...host, 'package:iptables-persistent': 'half' }),
    /iptables-persistent and netfilter-persistent of this host/,
  )
})

const reject = 'INPUT -j REJECT --reject-with icmp-host-prohibited'
const obstacle = (before: boolean) => ({ obstacles: [{ tables: 'iptables' as const, rule: reject, before }] })
test("refuses a rule of somebody else's that decides before ufw's are asked, or would once they are loaded", () => {
  const said = /: iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited: remove it .* iptables -D INPUT -j/
  assert.throws(() => planOf(role(), built(obstacle(true))), said)
  assert.throws(() => planOf(role(), { 'ufw:state': { ...nothing, ...obstacle(true) } }), said)
  assert.equal(planOf(role(), built(obstacle(false))), [])
  assert.throws(() => planOf(role(), built({ ...obstacle(false), settings: settings({ ENABLED: 'no' }) })), said)
  assert.throws(() => planOf(role(), built({ ...obstacle(false), differences: ['ufw is not loaded'] })), said)
})

for (const [what, rule, found] of [
  ['everything', '-j REJECT --reject-with icmp6-adm-prohibited', true],
  ['all of TCP', '-p tcp -j DROP', true],
  ['all that is new', '-m conntrack --ctstate INVALID,NEW -m comment --comment "by us" -j DROP', true],
  ['all from elsewhere', '! -i lo -j REJECT --reject-with icmp-port-unreachable', true],
  ['all of it in', '-j ACCEPT', true],
  ['what is known in', '-m state --state RELATED,ESTABLISHED -j ACCEPT', false],
  ['itself in', '-i lo -j ACCEPT', false],
  ['ssh in', '-p tcp -m state --state NEW -m tcp --dport 22 -j ACCEPT', false],
  ['one out', '-s 203.0.113.7/32 -j DROP', false],
  ['what is invalid', '-m conntrack --ctstate INVALID -j DROP', false],
  ['other protocols', '-p udp -j DROP', false],
  ['a network of its own', '-i wg0 -j DROP', false],
  ['odd packets', '-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m state --state NEW -j DROP', false],
  ["fail2ban's chain", '-p tcp -m multiport --dports 22 -j f2b-sshd', false],
  ['a chain of which it knows nothing', '-j YJ-FIREWALL-INPUT', false],
] as const) {
  test(`${found ? 'sees' : 'passes over'} a rule about ${what}`, async () => {
    const around = (at: string) => `*filter\n:INPUT ACCEPT [0:0]\n${at}\nCOMMIT\n`
    const hook = '-A INPUT -j ufw-before-input'
    for (const [lines, before] of [
      [`-A INPUT ${rule}`, true],
      [`-A INPUT ${rule}\n${hook}`, true],
      [`${hook}\n-A INPUT ${rule}`, false],
    ] as const) {
      const { obstacles } = await readWith({ iptables: around(lines), ip6tables: '' })
      assert.equal(obstacles, found ? [{ tables: 'iptables', rule: `INPUT ${rule}`, before }] : [])
    }
    const { obstacles } = await readWith({ iptables: '', ip6tables: around(`-A INPUT ${rule}`) })
    assert.equal(obstacles, found ? [{ tables: 'ip6tables', rule: `INPUT ${rule}`, before: true }] : [])
  })
}

test("what ufw, Docker and ourselves load is in nobody's way", () => assert.equal(parseUfw(captured).obstacles, []))

for (const [what, vars, fine] of [
  ['a port', { allow: ['53'] }, true],
  ['a port and a protocol', { allow: ['8080/tcp'] }, true],
  ['a range', { allow: ['6000:6010/udp from 2001:db8::1'] }, true],
  ['a range without a protocol', { allow: ['6000:6010'] }, false],
  ['an interface', { allow: ['9100/tcp on eth1', '53 on mesh0 from 10.214.0.2'] }, true],
  ['an interface that is an option', { allow: ['9100/tcp on --x'] }, false],
  ['an interface behind an address', { allow: ['9100/tcp from 10.0.0.1 on eth1'] }, false],
  ['an interface with a name too long', { allow: ['9100/tcp on a234567890123456'] }, false],
  ['an unknown protocol', { allow: ['80/http'] }, false],
  ['an option', { allow: ['--help'] }, false],
  ['a port too high', { allow: ['70000/tcp'] }, false],
  ['a range that goes backwards', { allow: ['20:10/tcp'] }, false],
  ['a network with host bits', { sshFrom: ['10.1.2.3/8'] }, false],
  ['an IPv6 network with host bits', { sshFrom: ['2001:db8::1/32'] }, false],
  ['an address spelt at length', { sshFrom: ['2001:0db8::1'] }, false],
  ['a name', { sshFrom: ['vpn.example.org'] }, false],
  ['nobody', { sshFrom: [] }, false],
  ['a port in quotes', { web: ['80'] }, false],
  ['a typo', { alow: [] }, false],
] as const) {
  test(`${fine ? 'takes' : 'refuses'} ${what}`, () => assert.is(v.safeParse(ufw.vars, vars).success, fine))
}

test('reads what a host says', () => {
  const state = parseUfw(captured)
  assert.equal(state.settings, settings({}))
  assert.equal(state.rules.slice(4, 7), [
    'limit tcp 2222 0.0.0.0/0 any 0.0.0.0/0 in',
    'deny any any 0.0.0.0/0 any 10.0.0.1 in',
    'allow tcp 22 ::/0 any ::/0 in',
  ])
  assert.equal(state.differences, [])
  assert.equal(state.containers, containerRules([80, 443], [parseRule('8080/tcp')], []).loaded)
})

for (const [how, from, to, differences] of [
  ['a policy', 'policy INPUT DROP', 'policy INPUT ACCEPT', ['INPUT of ufw does not DROP']],
  ['a flushed chain', '      8 kernel ufw-user-input\n', '', ['ufw-user-input has 0 of 8 rules']],
  [
    'a chain unhooked',
    '      1 kernel INPUT to ufw6-before-input\n',
    '',
    ['INPUT to ufw6-before-input has 0 of 1 rules'],
  ],
  [
    'a rule in a file only',
    '      5 file ufw-not-local',
    '      6 file ufw-not-local',
    ['ufw-not-local has 5 of 6 rules'],
  ],
  ['IPv6 that is not to be there', 'set IPV6=yes', 'set IPV6=no', []],
] as const) {
  test(`compares the kernel with the files: ${how}`, () =>
    assert.equal(parseUfw(captured.replace(from, to)).differences, differences))
}

test('knows of two addresses in one rule of a file that they are two in the kernel', () => {
  const two = '      1 several ufw-not-local -s 10.0.0.1,10.0.0.2 -d 10.1.0.0/16 -j DROP'
  assert.equal(
    parseUfw(captured.replace('      5 file ufw-not-local', `      3 file ufw-not-local\n${two}`)).differences,
    [],
  )
})

test('a host without ufw reads as one where nothing is set', () => {
  assert.equal(parseUfw('inet6\nfamily \nfamily 6\n').rules, [])
  assert.equal(parseUfw('family \nfamily 6\n').containers, { ipv4: [], ipv6: undefined })
})

for (const [tuple, said, words] of [
  ['allow tcp 443 ::/0 any ::/0 in', 'allow 443/tcp', 'delete allow in proto tcp from ::/0 to ::/0 port 443'],
  [
    'deny tcp 23 0.0.0.0/0 99 10.0.0.1 in_eth0',
    'deny in on eth0 proto tcp from 10.0.0.1 port 99 to any port 23',
    'delete deny in on eth0 proto tcp from 10.0.0.1 port 99 to 0.0.0.0/0 port 23',
  ],
  [
    'route:allow tcp 80 10.1.1.1 any 0.0.0.0/0 in_eth0!out_docker0',
    'route allow in on eth0 out on docker0 proto tcp to 10.1.1.1 port 80',
    'route delete allow in on eth0 out on docker0 proto tcp from 0.0.0.0/0 to 10.1.1.1 port 80',
  ],
  [
    'limit_log tcp 22 0.0.0.0/0 any 0.0.0.0/0 in',
    'limit log 22/tcp',
    'delete limit in log proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 22',
  ],
  [
    'allow any any 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in',
    'allow Nginx Full',
    'delete allow in from 0.0.0.0/0 to 0.0.0.0/0 app Nginx Full',
  ],
  [
    'reject any any 10.9.9.9 any 0.0.0.0/0 out',
    'reject out to 10.9.9.9',
    'delete reject out from 0.0.0.0/0 to 10.9.9.9',
  ],
] as const) {
  test(`says and deletes what somebody added: ${said}`, () => {
    assert.is(describe(tuple), said)
    assert.is(deleting(tuple).join(' '), words)
  })
}

/** What the reading makes of these tables. */
async function readWith(saved: Record<'iptables' | 'ip6tables', string>): Promise<UfwState> {
  const stubs = Object.entries(saved).map(([tables, text]) => `${tables}-save() { printf %s '${text}'; }`)
  // A dash in a name of a function is bash's.
  return parseUfw(await shell([...stubs, ufwKind.script(['state']).text].join('\n'), 'bash'))
}

function settings(more: Record<string, string>): Record<string, string> {
  return { ...defaultSettings, ENABLED: 'yes', ...more }
}

/** A host that is as wanted, but for these differences. */
function built(more: Partial<UfwState> = {}): Record<string, unknown> {
  const path = '/etc/ufw/after.init'
  const file = role().find(({ id }) => id === `file:${path}`)
  const { content } = (file?.wants ?? {}) as { content: string }
  return {
    'package:ufw': { version: '0.36.2-9' },
    [`file:${path}`]: { type: 'file', mode: '0750', owner: 'root', group: 'root', sha256: sha256(content) },
    [`text:${path}`]: content,
    'unit:ufw.service': runningUnit,
    'ufw:state': { settings: settings({}), rules, differences: [], containers: loaded, obstacles: [], ...more },
  }
}

/** What becomes of a new packet of a container's that is on its way out: the first rule that is about it decides. */
function fate(to: string, protocol: string, port: number, resolvers: readonly string[]): string {
  const { script } = containerRules([80, 443], [], resolvers)
  const [ipv4 = '', ipv6 = ''] = script.split('swap ip6tables')
  for (const [, rule = ''] of (to.includes(':') ? ipv6 : ipv4).matchAll(/^-A botgarden-forward (.*)$/gm)) {
    const of = (option: string) => new RegExp(`(?:^| )${option} (\\S+)`).exec(rule)?.[1]
    const [target, about, at] = [of('-d'), of('-p'), of('--dport')]
    if (/ctstate|-o /.test(rule) || (about ?? protocol) !== protocol || Number(at ?? port) !== port) continue
    if (target === undefined || isInside(to, target)) return of('-j') ?? ''
  }
  return 'none'
}

test('no container gets to where clouds hand out credentials, and to the world it does', () => {
  const ipv4 = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', '168.63.129.16', '169.254.42.42']
  const ipv6 = [
    'fd00:ec2::254',
    'fd00:ec2::23',
    'fd20:ce::254',
    'fd00:c1::a9fe:a9fe',
    'fd00:100::100:200',
    'fd00:42::42',
  ]
  for (const at of [...ipv4, ...ipv6, 'fd00:a9fe:a9fe::1'])
    for (const port of [53, 80])
      assert.is(fate(at, 'tcp', port, ['192.0.2.53', '2001:db8::53']), 'DROP', `${at} ${port}`)
  for (const at of ['198.51.100.9', '100.100.100.100', '2001:db8::9', 'fd00:42::43'])
    assert.is(fate(at, 'tcp', 80, []), 'RETURN', at)
})

test('where the host asks such an address for names, so do containers, and nothing else', () => {
  const resolvers = ['169.254.169.254', 'fd00:ec2::253', '10.0.0.2']
  for (const at of ['169.254.169.254', 'fd00:ec2::253'])
    for (const protocol of ['udp', 'tcp']) {
      assert.is(fate(at, protocol, 53, resolvers), 'RETURN', at)
      assert.is(fate(at, protocol, 80, resolvers), 'DROP', at)
    }
  assert.is(fate('100.100.100.200', 'udp', 53, resolvers), 'DROP')
  // A resolver that is no such address adds no rule, so that a new one from the provider changes nothing here.
  assert.equal(containerRules([80], [], ['10.0.0.2']), containerRules([80], [], []))
})

test('a rule is for one interface where it names one', () => {
  const allow = ['9100/tcp on eth1', '53 on eth1 from 10.0.0.2']
  assert.equal(planOf(role({ allow }), built()), [
    'file:/etc/ufw/after.init: content',
    'ufw:rules: allow in on eth1 proto tcp to any port 9100, allow in on eth1 from 10.0.0.2 to any port 53',
    'ufw:enabled: load the rules about containers',
  ])
  assert.match(
    scriptsOf(role({ allow }), built()).join('\n'),
    /^ufw allow in on eth1 from 10\.0\.0\.2 to any port 53$/m,
  )
  const opened = [...rules, ...['in_eth1'].flatMap((at) => open('9100').map((each) => each.replace(/in$/, at)))]
  const after = { rules: [...opened, 'allow any 53 0.0.0.0/0 any 10.0.0.2 in_eth1'] }
  assert.equal(planOf(role({ allow }), built(after)).slice(1), ['ufw:enabled: load the rules about containers'])
  const { script } = containerRules([80], [parseRule('9100/tcp on eth1')], [])
  assert.match(script, /^-A botgarden-forward -i eth1 -p tcp -m conntrack --ctorigdstport 9100 -j RETURN/m)
})

test.run()
