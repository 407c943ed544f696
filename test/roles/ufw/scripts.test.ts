// What is done to ufw and to the kernel's tables: our scripts in a real sh, with stand-ins that note what they are given.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { containerRules } from '../../../roles/ufw/containers.ts'
import { ufw } from '../../../roles/ufw/index.ts'
import { kernelDifferences } from '../../../roles/ufw/kernel.ts'
import { guard, ufwDefaults, ufwEnabled, ufwRules } from '../../../roles/ufw/resources.ts'
import { allowing, isInside, isNetwork, isRule, parseRule, tuplesOf } from '../../../roles/ufw/rules.ts'
import { defaultSettings, type UfwState, ufwState } from '../../../roles/ufw/state.ts'
import { verdict } from '../../../roles/ufw/tuples.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { changesOf, contentOf, planOf } from '../../support/plan-of.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const containers = containerRules([80, 443], [parseRule('8080/tcp'), parseRule('53 from 10.0.0.0/8')], [])
const enabled = { ...defaultSettings, ENABLED: 'yes' }
const state = (more: Partial<UfwState> = {}): Record<string, unknown> => ({
  'ufw:state': {
    ...{ settings: enabled, rules: [], differences: [], obstacles: [], containers: containers.loaded },
    ...more,
  },
})

/** A host whose tables are these; what they are to become stands in `FAMILY-TABLES`. */
function hostWith(tables: Record<string, string> = {}, programs: Record<string, string> = {}): ScratchHost {
  const saved = (name: string) => `cat "$STATE/saved-${name}-$2" 2>/dev/null || :`
  const host = scratchHost({
    'iptables-save': saved('iptables'),
    'ip6tables-save': saved('ip6tables'),
    'iptables-restore': 'cat >>"$STATE/iptables"',
    'ip6tables-restore': 'cat >>"$STATE/ip6tables"',
    iptables: '',
    ip6tables: '',
    ufw: '',
    timeout: 'shift; "$@"',
    ...programs,
  })
  for (const [name, text] of Object.entries(tables)) host.note(`saved-${name}`, text)
  host.write('/usr/lib/ufw/ufw-init', '#!/bin/sh\necho "ufw-init $*" >>"$STATE/calls"\n', 0o755)
  return host
}

const filter = `# Generated
*filter
:INPUT DROP [0:0]
:FORWARD DROP [0:0]
:ufw-before-input - [0:0]
:ufw-user-input - [12:34]
:f2b-sshd - [0:0]
-A INPUT -j f2b-sshd
-A INPUT -j ufw-before-input
-A ufw-before-input -i lo -j ACCEPT
-A ufw-before-input -j ufw-user-input
COMMIT
`
/** Its chains empty, out of the built-in ones, and then gone; nothing else. */
const unhooked = [
  ...['*filter', '-F ufw-before-input', '-F ufw-user-input', '-D INPUT -j ufw-before-input'],
  ...['-X ufw-before-input', '-X ufw-user-input', 'COMMIT'],
]

test('enabled, ufw hooks in anew what it finds nowhere; others’ rules stay', async () => {
  const host = hostWith({ 'iptables-filter': filter, 'ip6tables-filter': filter.replaceAll('ufw-', 'ufw6-') })
  const [change] = changesOf([ufwEnabled(containers)], state({ settings: defaultSettings }))
  assert.is(change?.summary, 'enable')
  const { code, calls } = await host.run(change?.script ?? '')
  assert.is(code, 0)
  assert.equal(host.noted('iptables').trim().split('\n'), unhooked)
  assert.equal(
    host.noted('ip6tables').trim().split('\n'),
    unhooked.map((line) => line.replace('ufw-', 'ufw6-')),
  )
  assert.is(calls.at(-1), 'ufw --force enable')
  assert.ok(calls.includes('iptables-restore -w 10 -n') && calls.includes('ip6tables-save -t filter'))
})

test('what the kernel lacks is loaded by ufw’s own start, and what containers lack by our script', async () => {
  const host = hostWith({ 'iptables-filter': filter })
  const [load] = changesOf([ufwEnabled(containers)], state({ differences: ['a'] }))
  const { calls } = await host.run(load?.script ?? '')
  assert.is(calls.at(-1), 'ufw-init start')
  assert.is(load?.diff?.(), 'a')
  const [rules] = changesOf([ufwEnabled(containers)], state({ containers: { ipv4: [], ipv6: [] } }))
  assert.equal([rules?.summary, rules?.script.text], ['load the rules about containers', '/etc/ufw/after.init start'])
  for (const [ipv6, changes] of [
    [undefined, 0],
    [[], 1],
  ] as const)
    assert.is(
      planOf([ufwEnabled(containers)], state({ containers: { ipv4: containers.loaded.ipv4, ipv6 } })).length,
      changes,
    )
})

for (const [was, again] of [
  ['loaded', true],
  ['not loaded', false],
] as const)
  test(`taken back, a ufw that was ${was} ${again ? 'runs its old files' : 'runs nothing'}, and nobody is shut out`, async () => {
    const mangle =
      '*mangle\n-A INPUT -i docker0 -j botgarden-input\n-A botgarden-input -j DROP\n-A FORWARD -j botgarden-forward\n-A FORWARD -j theirs\nCOMMIT\n'
    const host = hostWith({
      'iptables-filter': again ? filter : '*filter\n-A INPUT -j theirs\nCOMMIT\n',
      'iptables-mangle': mangle,
    })
    await host.run(guard.note ?? '')
    const { code, calls } = await host.run(guard.restore)
    assert.is(code, again ? 0 : 0)
    assert.equal(
      calls.filter((call) => /^ufw-init/.test(call)),
      ['ufw-init force-stop', ...(again ? ['ufw-init start'] : [])],
    )
    for (const tables of ['iptables', 'ip6tables'])
      for (const chain of ['INPUT', 'OUTPUT']) assert.ok(calls.includes(`${tables} -w 10 -P ${chain} ACCEPT`))
    assert.equal(host.noted('iptables').split('\n').slice(0, 8), [
      '*mangle',
      '-D INPUT -i docker0 -j botgarden-input',
      '-D FORWARD -j botgarden-forward',
      ':botgarden-input - [0:0]',
      '-X botgarden-input',
      ':botgarden-forward - [0:0]',
      '-X botgarden-forward',
      'COMMIT',
    ])
    assert.is(host.noted('iptables').includes('-X ufw-before-input'), again)
    assert.equal(guard.paths, [
      '/etc/ufw',
      '/etc/default/ufw',
      '/etc/systemd/system/multi-user.target.wants/ufw.service',
    ])
  })

test('a default that differs is set in its line, or added where it has none, and loaded', async () => {
  const host = hostWith()
  host.write('/etc/default/ufw', '# x\nIPV6=no\nDEFAULT_INPUT_POLICY="ACCEPT"\n')
  const settings = { ...enabled, IPV6: 'no', DEFAULT_INPUT_POLICY: 'ACCEPT', MANAGE_BUILTINS: 'yes' }
  const [change] = changesOf([ufwDefaults()], state({ settings }))
  assert.is(change?.summary, 'IPV6=yes, DEFAULT_INPUT_POLICY=DROP, MANAGE_BUILTINS=no')
  assert.is(
    change?.diff?.(),
    '-IPV6=no\n+IPV6=yes\n-DEFAULT_INPUT_POLICY=ACCEPT\n+DEFAULT_INPUT_POLICY=DROP\n-MANAGE_BUILTINS=yes\n+MANAGE_BUILTINS=no',
  )
  const { calls } = await host.run(change?.script ?? '')
  assert.is(host.read('/etc/default/ufw'), '# x\nIPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nMANAGE_BUILTINS=no\n')
  assert.equal(calls, ['ufw reload'])
  assert.equal(planOf([ufwDefaults()], state()), [])
  assert.equal(defaultSettings, {
    ...{ IPV6: 'yes', MANAGE_BUILTINS: 'no', ENABLED: 'no' },
    ...{ DEFAULT_INPUT_POLICY: 'DROP', DEFAULT_OUTPUT_POLICY: 'ACCEPT', DEFAULT_FORWARD_POLICY: 'DROP' },
  })
})

const ssh = { port: 22, from: '198.51.100.7' }
test('rules are added before others are deleted, each in ufw’s own words', async () => {
  const wanted = ['22/tcp', '53', '6000:6010/udp from 10.0.0.0/8'].map(parseRule)
  const [change] = changesOf(
    [ufwRules(wanted, { exclusive: true, ssh })],
    state({ rules: tuplesOf(parseRule('25/tcp')) }),
  )
  const { calls } = await hostWith().run(change?.script ?? '')
  assert.equal(calls, [
    'ufw allow 22/tcp',
    'ufw allow 53',
    'ufw allow in proto udp from 10.0.0.0/8 to any port 6000:6010',
    'ufw delete allow in proto tcp from 0.0.0.0/0 to 0.0.0.0/0 port 25',
    'ufw delete allow in proto tcp from ::/0 to ::/0 port 25',
  ])
  assert.is(change?.summary, 'allow 22/tcp, allow 53, allow 6000:6010/udp from 10.0.0.0/8, delete allow 25/tcp')
  assert.is(
    change?.diff?.(),
    [
      '-allow tcp 25 0.0.0.0/0 any 0.0.0.0/0 in',
      '-allow tcp 25 ::/0 any ::/0 in',
      '+allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in',
      '+allow tcp 22 ::/0 any ::/0 in',
      '+allow any 53 0.0.0.0/0 any 0.0.0.0/0 in',
      '+allow any 53 ::/0 any ::/0 in',
      '+allow udp 6000:6010 0.0.0.0/0 any 10.0.0.0/8 in',
    ].join('\n'),
  )
  assert.equal(planOf([ufwRules(wanted, { exclusive: true, ssh })], state({ rules: wanted.flatMap(tuplesOf) })), [])
})

test('rules of a ufw whose chains are gone are written while it is off', async () => {
  const host = hostWith()
  host.write('/etc/ufw/ufw.conf', 'ENABLED=yes\nLOGLEVEL=low\n')
  const resource = ufwRules([parseRule('22/tcp')], { exclusive: true, ssh })
  const of = (differences: string[], settings = enabled) =>
    changesOf([resource], state({ differences, settings }))[0]?.script ?? ''
  await host.run(of(['ufw is not loaded']))
  assert.is(host.read('/etc/ufw/ufw.conf'), 'ENABLED=no\nLOGLEVEL=low\n')
  host.write('/etc/ufw/ufw.conf', 'ENABLED=yes\n')
  await host.run(of(['ufw-x has 0 of 1 rules']))
  assert.is(host.read('/etc/ufw/ufw.conf'), 'ENABLED=yes\n')
})

for (const [what, rules, said] of [
  ['no rule', [], /would be locked out: no rule would allow it: see ufw.sshFrom/],
  [
    'a rule that denies first',
    ['deny tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', 'allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in'],
    /ssh from 198.51.100.7 to port 22 would be locked out: «deny 22\/tcp» comes first/,
  ],
] as const)
  test(`ssh that ${what} lets in is no rule set to apply`, () => {
    assert.throws(() => planOf([ufwRules([], { exclusive: false, ssh })], state({ rules })), said)
  })

for (const [tuple, port, says] of [
  ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', 22, true],
  ['allow any any 0.0.0.0/0 any 0.0.0.0/0 in', 22, true],
  ['limit tcp 22 0.0.0.0/0 any 198.51.100.0/24 in', 22, true],
  ['allow tcp 20:30 0.0.0.0/0 any 0.0.0.0/0 in', 20, true],
  ['allow tcp 20:30 0.0.0.0/0 any 0.0.0.0/0 in', 30, true],
  ['allow tcp 20:30 0.0.0.0/0 any 0.0.0.0/0 in', 31, undefined],
  ['allow tcp 20:30 0.0.0.0/0 any 0.0.0.0/0 in', 19, undefined],
  ['allow tcp 80,22 0.0.0.0/0 any 0.0.0.0/0 in', 22, true],
  ['allow tcp 22 ::/0 any ::/0 in', 22, undefined],
  ['allow udp 22 0.0.0.0/0 any 0.0.0.0/0 in', 22, undefined],
  ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 out', 22, undefined],
  ['route:allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', 22, undefined],
  ['allow tcp 22 10.0.0.1 any 0.0.0.0/0 in', 22, undefined],
  ['allow tcp 22 0.0.0.0/0 99 0.0.0.0/0 in', 22, undefined],
  ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in_eth0', 22, undefined],
  ['deny tcp 22 10.0.0.1 any 0.0.0.0/0 in', 22, false],
  ['reject tcp 22 0.0.0.0/0 99 0.0.0.0/0 in_eth0', 22, false],
  ['deny tcp 22 0.0.0.0/0 any 203.0.113.0/24 in', 22, undefined],
] as const)
  test(`a login at port ${port} and «${tuple}»: ${says ?? 'nothing'}`, () =>
    assert.is(verdict(tuple, port, ssh.from), says))

test('addresses and networks', () => {
  for (const [address, network, inside] of [
    ['10.1.2.3', '10.0.0.0/8', true],
    ['11.1.2.3', '10.0.0.0/8', false],
    ['10.1.2.3', '10.1.2.3', true],
    ['::ffff:10.1.2.3', '10.0.0.0/8', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['10.1.2.3', '::/0', false],
    ['2001:db8::1', '0.0.0.0/0', false],
  ] as const)
    assert.is(isInside(address, network), inside, `${address} ${network}`)
  for (const good of [
    '10.0.0.0/8',
    '10.1.2.3',
    '128.0.0.0/1',
    '10.1.2.254/31',
    '2001:db8::/32',
    '2001:db8::1',
    '::/1',
    '8000::/1',
    '2001:db8:1::/48',
    '::1',
    'fe80::1:0:0:0/80',
  ])
    assert.ok(isNetwork(good), good)
  for (const bad of [
    '10.0.0.0/0',
    '10.0.0.0/32',
    '10.0.0.0/33',
    '10.0.0.1/8',
    '10.1.2.255/31',
    '::/0',
    '2001:db8::/128',
    '2001:db8::1/64',
    '2001:DB8::1',
    '10.0.0.0/8/8',
    '10.0.0.0/x',
    '10.0.0.0/-1',
    'a',
    '',
    '010.0.0.1',
    '192.0.0.0/1',
  ])
    assert.not.ok(isNetwork(bad), bad)
  for (const good of ['1', '65535/udp', '22/tcp from 10.0.0.1', '1:2/tcp', '5:5']) assert.ok(isRule(good), good)
  for (const bad of [
    '0',
    '65536',
    '2:1/tcp',
    '1:2',
    '1 from x',
    '1/tcp from',
    'a',
    '1:65536/tcp',
    '0:5/tcp',
    'x1',
    '1x',
  ])
    assert.not.ok(isRule(bad), bad)
  assert.equal(parseRule('0080:0080'), { ports: '80', protocol: 'any', from: undefined })
  assert.equal(parseRule('1:2/udp from ::1'), { ports: '1:2', protocol: 'udp', from: '::1' })
  assert.equal(allowing(parseRule('80 from ::1')), ['allow', 'in', 'from', '::1', 'to', 'any', 'port', '80'])
  assert.equal(tuplesOf(parseRule('80/udp from ::1')), ['allow udp 80 ::/0 any ::1 in'])
  assert.equal(tuplesOf(parseRule('80')), ['allow any 80 0.0.0.0/0 any 0.0.0.0/0 in', 'allow any 80 ::/0 any ::/0 in'])
})

/** The rules of containers in their order, without our mark. */
const rulesFor = (family: 'ipv4' | 'ipv6') => {
  const [, four = '', six = ''] =
    /<<'rules'\n([\s\S]*?)\nrules\n[\s\S]*?<<'rules'\n([\s\S]*?)\nrules\n/.exec(containers.script) ?? []
  return (family === 'ipv4' ? four : six)
    .split('\n')
    .map((line) => line.replace(/ -m comment --comment botgarden:[0-9a-f]{12}$/, ''))
}
for (const [family, icmp, metadata, opened] of [
  ['ipv4', 'icmp', ['169.254.0.0/16'], [' -s 10.0.0.0/8 -p tcp', ' -s 10.0.0.0/8 -p udp']],
  ['ipv6', 'ipv6-icmp', ['fd00:ec2::/32', 'fd20:ce::254'], []],
] as const)
  test(`containers reach the web of their host and the world, and nobody reaches them: ${family}`, () => {
    const rules = rulesFor(family)
    const known = '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN'
    assert.equal(
      rules.filter((rule) => !rule.includes('botgarden-forward ') || rule.startsWith('-A FORWARD')),
      [
        '-A INPUT -i docker0 -j botgarden-input',
        '-A INPUT -i br-+ -j botgarden-input',
        '-A FORWARD -j botgarden-forward',
        `-A botgarden-input ${known}`,
        `-A botgarden-input -p ${icmp} -j RETURN`,
        '-A botgarden-input -p tcp -m multiport --dports 80,443 -j RETURN',
        '-A botgarden-input -j DROP',
      ],
    )
    const forward = rules
      .filter((rule) => rule.startsWith('-A botgarden-forward'))
      .map((rule) => rule.replace('-A botgarden-forward ', ''))
    for (const address of metadata)
      assert.ok(
        forward.indexOf(`-d ${address} -j DROP`) >= 0 &&
          forward.indexOf(`-d ${address} -j DROP`) < forward.indexOf(known),
      )
    assert.equal(forward.slice(forward.indexOf(known)), [
      known,
      '-i docker0 -j RETURN',
      '-i br-+ -j RETURN',
      '-p tcp -m conntrack --ctorigdstport 8080 -j RETURN',
      ...opened.map((each) => `${each.trim()} -m conntrack --ctorigdstport 53 -j RETURN`),
      '-m conntrack --ctstate DNAT -j DROP',
      '-o docker0 -j DROP',
      '-o br-+ -j DROP',
    ])
    assert.equal(
      containers.loaded[family].map((each) => each.split(' ')[0]),
      rules.map((rule) => rule.split(' ')[1]).sort(),
    )
    assert.is(new Set(containers.loaded[family].map((each) => each.split(' ')[1])).size, 1)
  })

test('without the web open no port of the host is', () => {
  assert.not.match(containerRules([], [], []).script, '--dports')
})

/** Runs /etc/ufw/after.init as ufw does. */
async function afterInit(host: ScratchHost, word: string) {
  host.write('/etc/ufw/after.init', containers.script)
  return host.run(`set -- ${word}\n${containers.script}`)
}
const hooked =
  '*mangle\n-A INPUT -i docker0 -j botgarden-input\n-A botgarden-input -j DROP\n-A FORWARD -j botgarden-forward\n-A INPUT -j theirs\nCOMMIT\n'

test('its rules are swapped for the new ones in one transaction, of IPv6 where the host has it', async () => {
  const host = hostWith({ 'iptables-mangle': hooked })
  const { code, calls } = await afterInit(host, 'start')
  assert.is(code, 0)
  const given = host.noted('iptables').trim().split('\n')
  assert.equal(given.slice(0, 5), [
    ...['*mangle', '-D INPUT -i docker0 -j botgarden-input', '-D FORWARD -j botgarden-forward'],
    ...[':botgarden-input - [0:0]', ':botgarden-forward - [0:0]'],
  ])
  assert.equal(
    given.slice(5, -1).map((line) => line.replace(/ -m comment.*/, '')),
    rulesFor('ipv4'),
  )
  assert.is(given.at(-1), 'COMMIT')
  assert.is(host.noted('ip6tables'), '')
  assert.ok(calls.includes('iptables-restore -w 10 -n'))
  host.write('/proc/net/if_inet6', '')
  await afterInit(host, 'start')
  assert.match(host.noted('ip6tables'), 'fd00:ec2::/32')
})

for (const [word, conf, gone] of [
  ['stop', 'ENABLED=yes', false],
  ['stop', 'ENABLED=no', true],
  ['flush-all', 'ENABLED=yes', true],
  ['status', 'ENABLED=no', false],
] as const)
  test(`${word} with ${conf} ${gone ? 'takes them out' : 'leaves them'}`, async () => {
    const host = hostWith({ 'iptables-mangle': hooked }, { 'ip6tables-restore': 'exit 1' })
    host.write('/etc/ufw/ufw.conf', `${conf}\n`)
    const { code } = await afterInit(host, word)
    assert.is(code, 0)
    assert.equal(
      host.noted('iptables').split('\n').filter(Boolean),
      gone
        ? [
            '*mangle',
            '-D INPUT -i docker0 -j botgarden-input',
            '-D FORWARD -j botgarden-forward',
            ':botgarden-input - [0:0]',
            ':botgarden-forward - [0:0]',
            '-X botgarden-input',
            '-X botgarden-forward',
            'COMMIT',
          ]
        : [],
    )
  })

test('what is read of a host: settings, rules, the kernel’s chains and policies, and ours', async () => {
  const host = hostWith({
    'iptables-filter': filter,
    'iptables-mangle': `*mangle\n-A INPUT -i docker0 -m comment --comment "botgarden:abc123" -j botgarden-input\n-A FORWARD -j botgarden-forward\n-A FORWARD -j theirs\n`,
  })
  host.write('/etc/default/ufw', 'IPV6=yes\nDEFAULT_INPUT_POLICY="DROP"\nIPT_SYSCTL=/x\n')
  host.write('/etc/ufw/ufw.conf', "ENABLED='yes'\nLOGLEVEL=low\n")
  host.write(
    '/etc/ufw/user.rules',
    '### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in comment=6162\n-A ufw-user-input -p tcp --dport 22 -j ACCEPT\n',
  )
  host.write('/etc/ufw/user6.rules', '### tuple ### allow tcp 22 ::/0 any ::/0 in\n')
  host.write('/etc/ufw/before.rules', '-A ufw-before-input -i lo -j ACCEPT\n')
  const read = await host.reads(ufwState)
  assert.equal(read.settings, { IPV6: 'yes', DEFAULT_INPUT_POLICY: 'DROP', ENABLED: 'yes' })
  assert.equal(read.rules, ['allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in', 'allow tcp 22 ::/0 any ::/0 in'])
  assert.equal(read.containers, { ipv4: ['FORWARD not-ours', 'INPUT abc123'], ipv6: undefined })
  assert.ok(read.differences.includes('ufw-user-input has 0 of 1 rules'))
  assert.ok(!read.differences.some((each) => each.startsWith('INPUT of ufw')), read.differences.join())
  host.write('/proc/net/if_inet6', '')
  assert.equal((await host.reads(ufwState)).containers.ipv6, [])
})

test('the kernel is compared with the files chain by chain', () => {
  const hooks = ['input', 'output', 'forward']
  const upper = (each: string) => each.toUpperCase()
  const parts = ['before-logging', 'before', 'after', 'after-logging', 'reject', 'track']
  const kernel = hooks.flatMap((each) => [
    ...parts.map((part) => `${upper(each)} to ufw-${part}-${each}`),
    ...[`ufw-before-${each}`, `ufw-skip-to-policy-${each}`],
    ...(each === 'output' ? ['ufw-track-output', 'ufw-track-output'] : []),
  ])
  const policies = ['INPUT DROP', 'OUTPUT ACCEPT', 'FORWARD DROP']
  const of = (
    more: Partial<Parameters<typeof kernelDifferences>[1]>,
    settings: Record<string, string> = defaultSettings,
  ) => kernelDifferences('ufw', { files: [], policies, kernel, ...more }, settings)
  assert.equal(of({}), [])
  assert.equal(of({ kernel: [] }), ['ufw is not loaded'])
  assert.equal(of({ kernel: kernel.slice(1) }), ['INPUT to ufw-before-logging-input has 0 of 1 rules'])
  assert.equal(of({ kernel: [...kernel, 'ufw-x'] }), ['ufw-x has 1 of 0 rules'])
  assert.equal(of({ files: ['ufw-x', 'ufw-x'] }), ['ufw-x has 0 of 2 rules'])
  assert.equal(of({ files: ['ufw-user-limit', 'ufw-user-limit-accept'] }), [])
  assert.equal(of({ policies: ['INPUT ACCEPT', 'OUTPUT ACCEPT', 'FORWARD DROP'] }), ['INPUT of ufw does not DROP'])
  assert.equal(of({}, { ...defaultSettings, DEFAULT_OUTPUT_POLICY: 'REJECT' }), [
    'OUTPUT of ufw does not DROP',
    'ufw-reject-output has 0 of 1 rules',
    'ufw-track-output has 2 of 0 rules',
  ])
})

test('the whole of it: the guard is on all that could shut somebody out', () => {
  const all = ufw.resources(v.parse(ufw.vars, {}), facts, entry)
  assert.equal(
    all.map(({ id }) => id),
    ['package:ufw', 'file:/etc/ufw/after.init', 'ufw:defaults', 'ufw:rules', 'ufw:enabled', 'unit:ufw.service'],
  )
  const bare = { settings: {}, rules: [], differences: [], containers: { ipv4: [], ipv6: [] }, obstacles: [] }
  const guards = changesOf(all, { 'ufw:state': bare }).map(({ guard: own }) => own?.name)
  assert.equal(guards, [undefined, 'ufw', 'ufw', 'ufw', 'ufw'])
  assert.match(JSON.stringify(all[1]?.wants), '"mode":"0750"')
  assert.match(contentOf(all, 'after.init'), /^#!\/bin\/sh\n# Written by botgarden/)
})

test.run()
