// From the login to the report, with a shell on this machine as the host.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { runHost } from '../../../lib/cli/run-host.ts'
import { credentialsOf } from '../../../lib/engine/credentials.ts'
import { guarded } from '../../../lib/model/combinators.ts'
import { type Kind, reading } from '../../../lib/model/reading.ts'
import { type Resource, resource } from '../../../lib/model/resource.ts'
import { role } from '../../../lib/model/role.ts'
import { directory, file } from '../../../lib/resources/file.ts'
import { local } from '../../../lib/shell/local.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { type Connection, connect } from '../../../lib/ssh/connection.ts'
import { ask, stream } from '../../../lib/ssh/exec.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { errorOf } from '../../support/errors.ts'
import { inventoryHost, type StandIn, standIn, watchedRun } from '../../support/stand-in.ts'

const test = suite('a host that is a shell on this machine')
const owner = (await local`id -un`).stdout.trim()
const group = (await local`id -gn`).stdout.trim()
let host: StandIn
test.before.each(() => {
  host = standIn()
})
test.after.each(() => host.remove())

async function connected<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await connect(host.target)
  return use(connection).finally(() => connection.close())
}

const at = (path: string) => host.at(path)

test('what a host is comes with the login', async () => {
  host.program('systemd-detect-virt', 'echo lxc')
  host.program('dpkg', 'echo arm64')
  host.program('nproc', 'echo 3')
  host.write('/etc/systemd/system/botgarden-changes.timer', '')
  host.program('hostname', 'echo "192.0.2.1 2001:db8::1 "')
  host.program('ip', 'echo "192.0.2.1 via 192.0.2.254 dev eth0 src 192.0.2.77 uid 0"')
  await connected(async ({ facts, roundTrips }) => {
    const { memoryMiB, ipv6, resolvers, ...known } = facts
    assert.equal(known, {
      ...{ os: 'debian', version: '13', osName: 'Debian 13 (stand-in)', architecture: 'arm64', cpus: 3 },
      ...{ container: 'lxc', addresses: ['192.0.2.1', '2001:db8::1'], address: '192.0.2.77', booting: false },
      timers: ['botgarden-changes.timer'],
      ...{ user: owner, sshPort: 2222, clientAddress: '198.51.100.7', mesh: false, swarm: false },
    })
    assert.ok(memoryMiB > 100 && memoryMiB < 2 ** 24)
    assert.type(ipv6, 'boolean')
    // Those of this machine, whichever they are.
    for (const resolver of resolvers) assert.match(resolver, /^[\d.]+$|^[\da-f:]+$/)
    assert.is(roundTrips, 0)
  })
  assert.match(host.read('/ssh.log'), /BatchMode=.* vps1 exec sh -c /)
})

test('a script runs in a known environment, and its status, output and marks come back', async () => {
  await connected(async (connection) => {
    const output = await ask(connection, sh`umask; echo "$LC_ALL $PATH"; cat; echo complaint >&2`)
    assert.match(output, /^0022\nC \S+:\/usr\/sbin:\/sbin\ncomplaint\n$/)
    const heard: string[] = []
    const handlers = {
      mark: (words: readonly string[]) => void heard.push(`[${words.join(' ')}]`),
      text: (bytes: Buffer) => void heard.push(bytes.toString()),
    }
    const script = (nonce: string) => `echo one; printf '\\036%s a b\\n' ${nonce}; exit 7`
    assert.is(await connection.request(script, handlers, 'kept=there; export kept'), 7)
    assert.is(heard.join(''), 'one\n[a b]')
    assert.is(await ask(connection, sh`echo $kept`), 'there\n')
    assert.is(connection.roundTrips, 3)
    const first = ask(connection, sh`sleep 0.1`)
    assert.match((await errorOf(ask(connection, sh`:`))).message, /one request at a time/)
    await first
  })
})

test('a stream is handed on as it is, and its sink’s failure is the caller’s', async () => {
  await connected(async (connection) => {
    const chunks: Buffer[] = []
    assert.is(await stream(connection, sh`printf 'a\000b'; exit 3`, (bytes) => void chunks.push(bytes)), 3)
    assert.is(Buffer.concat(chunks).toString(), 'a\0b')
    let calls = 0
    const full = () => {
      calls++
      throw new Error('disk full')
    }
    assert.is((await errorOf(stream(connection, sh`echo a; sleep 0.1; echo b`, full))).message, 'disk full')
    assert.is(calls, 1)
    assert.is(await ask(connection, sh`echo still there`), 'still there\n')
  })
})

test('another login is one of its own, and counts with the first', async () => {
  await connected(async (connection) => {
    const fresh = await connection.fresh()
    assert.is.not(await ask(fresh, sh`echo $$`), await ask(connection, sh`echo $$`))
    await fresh.close()
    assert.is(connection.roundTrips, 2)
  })
  const [first = '', second = ''] = host.read('/ssh.log').split('\n')
  assert.not.match(first, 'ControlPath=none')
  assert.match(second, 'ControlPath=none')
})

test('a connection that ends in a request says so, with the last words of ssh', async () => {
  host.program('lose', `kill "$(cat ${host.at('ssh.pid')})"; sleep 1`)
  await connected(async (connection) => {
    const error = await errorOf(ask(connection, sh`lose`))
    assert.instance(error, ConnectError)
    assert.match(error.message, /^vps1: the connection was lost/)
  })
})

for (const [what, words, expected] of [
  [
    'refused logins',
    'Permission denied (publickey).',
    /^vps1: the login was refused: Permission denied[\s\S]*\ntry: ssh vps1$/,
  ],
  [
    'hosts that cannot be reached',
    'ssh: connect to host vps1: No route',
    /^vps1: cannot be reached: ssh: connect.*\ntry: ssh vps1$/,
  ],
  ['ssh without a word', '', /^vps1: cannot be reached: ssh ended without a word/],
] as const)
  test(`says of ${what} why, and what to try`, async () => {
    host.write('/refused', words)
    const error = await errorOf(connect(host.target))
    assert.instance(error, ConnectError)
    assert.match(error.message, expected)
  })

test('a name that ssh cannot resolve is told with the aliases that there are; another than ours is not', async () => {
  host.write('/config', 'Host web1 vps7\n')
  const target = { ...host.target, ssh: 'ops@VPS77', sshConfig: host.at('/config') }
  host.write('/refused', 'ssh: Could not resolve hostname vps77: Name or service not known')
  assert.is(
    (await errorOf(connect(target))).message,
    `vps1: cannot be reached: ssh: Could not resolve hostname vps77: Name or service not known
"VPS77" is not an alias in ${host.at('/config')} (did you mean "vps7"?); its aliases: web1, vps7
use an alias, or an address, as in root@192.0.2.1:22 (in the inventory: "ssh" of this host)`,
  )
  // A jump host, or what an alias leads to.
  host.write('/refused', 'ssh: Could not resolve hostname gate: Name or service not known')
  assert.match((await errorOf(connect(target))).message, /known\ntry: ssh .*VPS77$/)
})

const answering = `case " $* " in
  *' -G '*) printf '%s\\n' "$SETTINGS"; exit 0 ;;
  *accept-new*PreferredAuthentications=none*)
    for word; do case $word in UserKnownHostsFile=*) file=\${word#*=} ;; esac; done
    printf '%s\\n' "$OFFERED" >"$file"; exit 255 ;;
esac`
const offered = 'vps1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC'
const fingerprint = 'SHA256:[\\w+/]{43} \\(ED25519\\)'
for (const [what, words, settings, key, expected] of [
  [
    'an unknown key',
    'Host key verification failed.',
    'port 22',
    offered,
    `^vps1: its host key is not known yet: ${fingerprint}\ncompare it with .*ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\nif it is the same, run again with --accept-new$`,
  ],
  [
    'a key that cannot be read',
    'No ED25519 host key is known for vps1',
    'port 22',
    '',
    'not known yet: and it could not be read\n',
  ],
  [
    'an unknown jump',
    'Host key verification failed.',
    'proxyjump gate.example.org',
    '',
    '^vps1: the host key of gate.example.org, by which it is reached, is not known yet: log in there once: ssh gate.example.org$',
  ],
  [
    'a changed key',
    'WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!',
    'hostname 192.0.2.1\nport 22\nuserknownhostsfile /home/ops/known /home/ops/known2',
    offered,
    `its host key has CHANGED: .*\nit now shows ${fingerprint}\nif the host was reinstalled: ssh-keygen -R '192.0.2.1' -f /home/ops/known, then run again, and compare the new one when it is shown$`,
  ],
  [
    'a changed key of a host that ssh -G says nothing of',
    'REMOTE HOST IDENTIFICATION HAS CHANGED',
    '',
    '',
    `ssh-keygen -R 'vps1' -f ~/.ssh/known_hosts`,
  ],
  [
    'a changed key at another port, by an alias',
    'REMOTE HOST IDENTIFICATION HAS CHANGED',
    'hostname 192.0.2.1\nhostkeyalias alias\nport 2222',
    '',
    `it now shows a key that could not be read\n.*ssh-keygen -R '\\[alias\\]:2222' -f ~/.ssh/known_hosts`,
  ],
] as const)
  test(`tells ${what}`, async () => {
    host.program('ssh', `SETTINGS='${settings}' OFFERED='${key}'\n${answering}\necho '${words}' >&2; exit 255`)
    assert.match((await errorOf(connect(host.target))).message, new RegExp(expected))
  })

test('a login without root goes by sudo, and says what is missing where that may not be', async () => {
  host.program('id', 'case $1 in -u) echo 1001 ;; *) echo ops ;; esac')
  host.program('sudo', `echo "$*" >>${host.at('sudo.log')}; shift; exec "$@"`)
  await connected(async ({ facts }) => assert.is(facts.user, 'ops'))
  assert.is(host.read('/sudo.log'), '-n true\n-n sh\n')
  host.program('sudo', 'echo "sudo: a password is required" >&2; exit 1')
  const error = await errorOf(connect(host.target))
  assert.instance(error, ConnectError)
  assert.match(
    error.message,
    /^vps1: ops may not use sudo without a password: sudo: a password is required\nlog in as root, or put this line into a file of \/etc\/sudoers.d on the host: ops ALL=\(ALL\) NOPASSWD: ALL$/,
  )
})

test('a login shell that talks does no harm; one that hides where we come from is refused', async () => {
  host.program('ssh', 'for c; do :; done; echo Welcome; echo botgarden login x; SSH_CONNECTION="1 2 3 4" sh -c "$c"')
  await connected(async ({ facts }) => assert.equal([facts.sshPort, facts.clientAddress], [4, '1']))
  host.program('ssh', 'for c; do :; done; unset SSH_CONNECTION; sh -c "$c"')
  const error = await errorOf(connect(host.target))
  assert.instance(error, HostError)
  assert.is(error.message, 'vps1: the login printed no SSH_CONNECTION: is this a real sshd?')
})

test('a first boot is waited for, and one that does not end is named', async () => {
  host.write('/run/cloud-init/enabled', '')
  host.program('seq', 'echo 1; echo 2')
  host.program('sleep', `[ -e ${host.at('stuck')} ] || : >${host.at('/run/cloud-init/result.json')}`)
  const lines: string[] = []
  const connection = await connect(host.target, (line) => lines.push(line))
  assert.equal(
    [connection.facts.booting, lines],
    [true, ['waiting for cloud-init, which is still setting the host up']],
  )
  await connection.close()
  await connected(async ({ facts }) => assert.is(facts.booting, false))
  await local`rm ${host.at('/run/cloud-init/result.json')}`
  assert.is((await runOf([])).lines[0], 'vps1  waiting for cloud-init, which is still setting the host up')
  host.write('/stuck', '')
  await local`rm ${host.at('/run/cloud-init/result.json')}`
  const error = await errorOf(connect(host.target))
  assert.instance(error, HostError)
  assert.is(error.message, 'vps1: cloud-init still runs after 10 minutes: see cloud-init status')
  host.program('systemctl', '[ "$*" != "is-failed cloud-final.service" ] || echo failed')
  await connected(async ({ facts }) => assert.is(facts.booting, true))
})

const kind: Kind<string> = {
  name: 'mark',
  script: (names) => sh`for name in ${names}; do cat "$name" 2>/dev/null || echo none; done`,
  parse: (output, names) => new Map(names.map((name, i) => [name, output.split('\n')[i] ?? ''])),
}
const mark = (path: string) => reading(kind, path)
/** Wants a file to hold one line; its script is what the test is about. */
function wants(path: string, line: string, script = sh`echo ${line} >${path}`, more: object = {}): Resource {
  return resource({
    id: `mark:${path.replace(host.folder, '')}`,
    wants: line,
    reads: { now: mark(path) },
    plan: ({ now }) => (now === line ? [] : [{ summary: `${now} → ${line}`, script, ...more }]),
  })
}

async function runOf(resources: readonly Resource[], argv: readonly string[] = [], wait = false) {
  const { run, lines } = watchedRun(argv, { holder: 'ops@laptop, site.ts', wait })
  const result = await runHost(inventoryHost, [role('base', v.any(), () => resources)], run)
  const text = (result.error?.message ?? '').replaceAll(host.folder, '')
  return {
    ...{ result, lines: lines.map((line) => line.replace(/\d+\.\d s/, 'N s').replaceAll(host.folder, '')), text },
    changes: result.changes.map(({ id, summary }) => `${id}: ${summary}`.replaceAll(host.folder, '')),
  }
}
const mine = { owner, group }

/** Waits for a line, or for the end of the run that does not say it. */
async function said(lines: readonly string[], words: string, run: Promise<unknown>): Promise<void> {
  let ended = false
  void run.finally(() => {
    ended = true
  })
  while (!ended && !lines.some((line) => line.includes(words))) await pause(20)
  assert.ok(
    lines.some((line) => line.includes(words)),
    lines.join('\n'),
  )
}

test('a run brings a host to the wanted state, and the next one changes nothing in one round trip', async () => {
  const resources = [directory(at('/var/d'), mine), file(at('/var/d/x'), { content: 'text\n', ...mine })]
  const check = await runOf(resources, ['--check'])
  assert.equal(check.changes, ['directory:/var/d: create', 'file:/var/d/x: create'])
  assert.not.ok(existsSync(host.at('/var/d')))
  assert.not.ok(existsSync(host.at('/run/botgarden')))
  const { result, lines, changes } = await runOf(resources)
  assert.is(result.error, undefined)
  assert.equal(changes, ['directory:/var/d: create', 'file:/var/d/x: create'])
  assert.is(host.read('/var/d/x'), 'text\n')
  assert.match(lines[0] ?? '', /^vps1 {2}connected: Debian 13 \(stand-in\), \w+, \d+ MiB/)
  assert.equal(lines.slice(1), [
    ...['vps1  ▸ directory:/var/d: create', 'vps1  ✓ directory:/var/d: create (N s)'],
    ...['vps1  ▸ file:/var/d/x: create', 'vps1  ✓ file:/var/d/x: create (N s)'],
  ])
  assert.equal(
    [result.roundTrips, result.resources, result.host, result.unmanageable, result.roleOf(`file:${at('/var/d/x')}`)],
    [2, 2, 'vps1', [], 'base'],
  )
  assert.ok(result.seconds > 0.01 && result.seconds < 100)
  assert.equal([check.result.roundTrips, statSync(host.at('/run/botgarden')).mode & 0o777], [1, 0o700])
  const again = await runOf(resources)
  assert.equal([again.changes, again.result.roundTrips, again.result.error], [[], 1, undefined])
})

test('a step that fails ends the run, with what it printed; the later ones are not begun', async () => {
  const broken = wants(at('/var/b'), 'on', sh`echo ${'x'.repeat(30)}; seq 40; echo why >&2; false; echo never`)
  const { result, changes, lines, text } = await runOf([wants(at('/var/a'), 'on'), broken, wants(at('/var/c'), 'on')])
  assert.equal(changes, ['mark:/var/a: none → on'])
  assert.match(
    text,
    /^mark:\/var\/b: none → on: exit code 1: echo x+; seq 40;[\s\S]*… 12 lines before\n12\n[\s\S]*40\nwhy$/,
  )
  assert.is(lines.at(-1), 'vps1  ✗ mark:/var/b: none → on (N s)')
  assert.not.ok(existsSync(host.at('/var/c')))
  assert.is(result.error?.exitCode, 3)
})

test('a long step outlives its connection, in a unit of its own; its output comes as it is made', async () => {
  const long = wants(at('/var/a'), 'on', sh`echo working; echo on >${at('/var/a')}`, { long: true })
  const { result, lines } = await runOf([long], ['--verbose'])
  assert.is(result.error, undefined)
  assert.equal(lines.slice(-4, -1), [
    'vps1  ▸ mark:/var/a: none → on',
    'vps1    $ echo working; echo on >/var/a',
    'vps1    working',
  ])
  const left = readdirSync(host.at('/run/botgarden'), { recursive: true }).filter((name) => name !== 'steps')
  assert.equal(left.sort(), ['holder', 'lock', 'step'])
  const failing = wants(at('/var/b'), 'on', sh`echo no; exit 9`, { long: true })
  assert.match((await runOf([failing])).text, /exit code 9: echo no; exit 9\nno$/)
})

test('another run that holds the host is named, or waited for', async () => {
  const { run, lines } = watchedRun([], { holder: 'ann@desk, site.ts', wait: false })
  const first = runHost(
    inventoryHost,
    [
      role('base', v.any(), () => [
        wants(at('/var/a'), 'on', sh`while [ ! -e ${at('/var/go')} ]; do sleep 0.05; done; echo on >${at('/var/a')}`),
      ]),
    ],
    run,
  )
  await said(lines, '▸', first)
  const busy = await runOf([wants(at('/var/b'), 'on')])
  assert.match(
    busy.text,
    /^is being changed by ann@desk, site.ts, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, at mark:\/var\/a: none → on: --wait waits for it$/,
  )
  assert.is(busy.result.error?.exitCode, 3)
  const waiting = watchedRun([], { holder: 'ops@laptop, bot.ts', wait: true })
  const second = runHost(inventoryHost, [role('base', v.any(), () => [wants(at('/var/b'), 'on')])], waiting.run)
  await said(waiting.lines, 'waiting for ann@desk', second)
  assert.not.ok(existsSync(host.at('/var/b')))
  host.write('/var/go', '')
  assert.equal([(await first).error, (await second).error], [undefined, undefined])
  assert.is(host.read('/var/b'), 'on\n')
})

test('a lock without a name is a run that has just begun', async () => {
  mkdirSync(host.at('/run/botgarden'))
  const holder = spawn('flock', [host.at('/run/botgarden/step'), 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  const busy = await runOf([wants(at('/var/b'), 'on')])
  assert.is(busy.text, 'is being changed by a run that has just begun: --wait waits for it')
  holder.stdin.end()
  await once(holder, 'exit')
  assert.is((await runOf([wants(at('/var/b'), 'on')])).text, '')
})

test('a host that moved between reading and changing is read again; one that goes on moving is left', async () => {
  host.write('/var/count', '0\n')
  const moving = (often: number) =>
    resource({
      id: 'moving',
      wants: '',
      reads: {
        now: reading<string>(
          {
            name: 'moving',
            script: () =>
              sh`n=$(cat ${at('/var/count')}); echo $n; [ $n -ge ${often} ] || echo $((n + 1)) >${at('/var/count')}`,
            parse: (output, names) => new Map(names.map((name) => [name, output.trim()])),
          },
          'x',
        ),
      },
      plan: () => [],
    })
  assert.is((await runOf([moving(1), wants(at('/var/a'), 'on')])).text, '')
  assert.is(host.read('/var/a'), 'on\n')
  host.write('/var/count', '0\n')
  const { text } = await runOf([moving(1000), wants(at('/var/b'), 'on')])
  assert.match(text, /^another program is changing this host: twice it differed/)
  assert.not.ok(existsSync(host.at('/var/b')))
})

test('a check proves candidates in a folder that is gone afterwards', async () => {
  const validation = sh`echo "$dir" >${at('/var/seen')}; [ -d "$dir" ] && [ "$(stat -c %a "$dir")" = 700 ]`
  const right = await runOf([wants(at('/var/a'), 'on', sh`:`, { validation })], ['--check'])
  assert.equal([right.text, right.changes, right.result.roundTrips], ['', ['mark:/var/a: none → on'], 2])
  assert.not.ok(existsSync(host.read('/var/seen').trim()))
  const wrong = await runOf([wants(at('/var/a'), 'on', sh`:`, { validation: sh`echo bad; false` })], ['--check'])
  assert.match(wrong.text, /^mark:\/var\/a: validate: exit code 1: echo bad; false\nbad$/)
})

test('what a host has to say is among the outputs, and what opens it is a path', async () => {
  host.write('/var/password', 'hunter2222\n')
  const telling: Resource = {
    ...wants(at('/var/a'), 'on'),
    credential: at('/var/password'),
    outputs: (read) => ({ state: read(mark(at('/var/a'))) }),
  }
  const other: Resource = { ...wants(at('/var/b'), 'on'), credential: at('/var/none') }
  const { result } = await runOf([telling, other])
  assert.equal(result.outputs, { state: 'on', credentials: [at('/var/password'), at('/var/none')] })
  await connected(async (connection) => {
    const shown = await credentialsOf([telling, other], connection, { reveal: true })
    assert.equal(shown, { credentials: [`${at('/var/password')} hunter2222`, `${at('/var/none')} not there yet`] })
    assert.equal(await credentialsOf([], connection, { reveal: true }), {})
  })
  const revealed = await runOf([telling, other], ['--show-secrets'])
  assert.equal(revealed.result.outputs.credentials, [
    `${at('/var/password')} hunter2222`,
    `${at('/var/none')} not there yet`,
  ])
})

test('what cannot be managed is reported, a bug of ours is one of this host, and an old system is refused', async () => {
  const shared: Resource = { ...wants(at('/var/a'), 'on'), reads: [], plan: () => [], unmanageable: 'is shared' }
  assert.equal((await runOf([shared])).result.unmanageable, [{ id: 'mark:/var/a', reason: 'is shared' }])
  const buggy = resource({
    ...{ id: 'bug', wants: '', reads: {} },
    plan: () => {
      throw new TypeError('oops')
    },
  })
  const { result } = await runOf([buggy])
  assert.equal([result.error?.exitCode, result.changes, result.roundTrips], [70, [], 1])
  for (const [id, version, words] of [
    ['debian', '12', / is not supported: it has no Compose v2\. Debian 13 is/],
    ['ubuntu', '22.04', /^X is not supported\. Debian 13 is, and Ubuntu 24.04/],
  ] as const) {
    host.write('/etc/os-release', `ID=${id}\nVERSION_ID=${version}\nPRETTY_NAME=X\n`)
    const refused = await runOf([])
    assert.match(refused.text, words)
    assert.is(refused.result.error?.exitCode, 3)
  }
  host.write('/etc/os-release', 'ID=ubuntu\nVERSION_ID=24.04\nPRETTY_NAME=X\n')
  assert.is((await runOf([])).text, '')
})

test('secrets that a step prints are masked, in lines and in errors', async () => {
  const secret = new Secret('hunter2222')
  const leaking = wants(at('/var/a'), 'on', sh`printf 'it is %s\n' ${secret} | tee /dev/stderr; exit 4`)
  const { text, lines } = await runOf([leaking], ['--verbose'])
  assert.match(text, /\nit is \*\*\*/)
  assert.ok(lines.includes('vps1    it is ***'))
  assert.not.match(lines.join('\n'), 'hunter2222')
})

const guard = () => ({ name: 'sshd', paths: [at('/var/a'), at('/var/new')], restore: sh`:` })

test('a guarded change is confirmed by another login, and nothing is kept of it', async () => {
  host.write('/var/a', 'old\n')
  mkdirSync(host.at('/etc/systemd/system'), { recursive: true })
  const { result, lines, text } = await runOf([guarded(wants(at('/var/a'), 'on'), guard())])
  assert.is(text, '')
  assert.is(result.roundTrips, 3)
  assert.match(lines[1] ?? '', /▸ guard: keep the old sshd, to be reverted in 60 s unless confirmed$/)
  assert.is(host.read('/var/a'), 'on\n')
  assert.not.ok(existsSync(host.at('/var/lib/botgarden/guard')))
  assert.not.ok(existsSync(host.at('/etc/systemd/system/botgarden-guard.service')))
})

test('a run ends the guard that an earlier one left', async () => {
  host.write('/var/lib/botgarden/guard/armed', '')
  host.write(
    '/var/lib/botgarden/guard/take-back',
    `mv ${host.at('/var/lib/botgarden/guard')}/armed ${host.at('/var/lib/botgarden/guard')}/reverted; echo taken >${host.at('/var/back')}`,
  )
  assert.is((await runOf([wants(at('/var/a'), 'on')])).text, '')
  assert.is(host.read('/var/back'), 'taken\n')
  assert.not.ok(existsSync(host.at('/var/lib/botgarden/guard')))
})

test.run()
