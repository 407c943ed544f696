// Which programs of a host the kinds call, with stubs for them, and what they make of their answers.
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, statSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allChanges, planAll } from '../../../lib/engine/plan.ts'
import { stepsOf } from '../../../lib/engine/step.ts'
import type { Reading } from '../../../lib/model/reading.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { database, databaseRole } from '../../../lib/platform/postgres.ts'
import { freshCatalog, known, postgresCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { psql } from '../../../lib/platform/postgres-client.ts'
import { authorizedKeys } from '../../../lib/resources/authorized-keys.ts'
import { command } from '../../../lib/resources/command.ts'
import { composeProject } from '../../../lib/resources/compose.ts'
import { directory, file } from '../../../lib/resources/file.ts'
import { generatedSecret } from '../../../lib/resources/generated-secret.ts'
import { group, groupState } from '../../../lib/resources/group.ts'
import { pulledImage } from '../../../lib/resources/image.ts'
import { aptPackage, packageState } from '../../../lib/resources/package.ts'
import { swapFile, swapState } from '../../../lib/resources/swap.ts'
import { symlink } from '../../../lib/resources/symlink.ts'
import { isNamespaced, sysctl } from '../../../lib/resources/sysctl.ts'
import { dropIn, runningUnit, unit, unitState } from '../../../lib/resources/unit.ts'
import { member, user, userState } from '../../../lib/resources/user.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { bench, changesOf } from '../../support/bench.ts'
import { rejects } from '../../support/errors.ts'
import { facts } from '../../support/fake-host.ts'
import { planOf, stateOf } from '../../support/plan-of.ts'

const ops = {
  ...{ uid: 1001, home: '/home/ops', homeThere: true, shell: '/bin/bash', groups: ['ops'] },
  password: 'locked',
} as const
const running = unit('x.service', 'running')
const stopped = unit('x.service', 'stopped')
const now = (state: object) => ({ 'unit:x.service': { ...runningUnit, ...state } })

for (const [title, resource, state, expected] of [
  [
    'a unit is started, whatever it failed of before',
    running,
    now({ active: 'failed' }),
    ['systemctl reset-failed -- x.service', 'systemctl start -- x.service'],
  ],
  ['a unit is enabled', running, now({ enabled: 'disabled' }), ['systemctl enable --quiet -- x.service']],
  [
    'one enabled until the next boot is enabled',
    running,
    now({ enabled: 'enabled-runtime' }),
    ['systemctl enable --quiet -- x.service'],
  ],
  [
    'its files are read again first',
    running,
    now({ needsReload: true, enabled: 'disabled' }),
    ['systemctl daemon-reload', 'systemctl enable --quiet -- x.service'],
  ],
  ['a unit is stopped', stopped, now({ enabled: 'disabled' }), ['systemctl stop -- x.service']],
  ['a unit is disabled', stopped, now({ active: 'inactive' }), ['systemctl disable --quiet -- x.service']],
  ['one that is generated is running', running, now({ enabled: 'generated' }), []],
  ['one that reloads is running', running, now({ active: 'reloading', enabled: 'alias' }), []],
  ['one that failed is stopped', stopped, now({ active: 'failed', enabled: 'static' }), []],
  ['one that starts is stopped', stopped, now({ active: 'activating', enabled: '' }), ['systemctl stop -- x.service']],
  [
    'a user is made with a home, and no password',
    user('ops', { shell: '/bin/zsh' }),
    { 'user:ops': 'absent' },
    ['getent group ops', 'useradd --create-home --shell /bin/zsh --password * --gid ops ops'],
  ],
  ['a shell is given', user('ops'), { 'user:ops': { ...ops, shell: '/bin/sh' } }, ['usermod --shell /bin/bash ops']],
  ['a password is locked', user('ops'), { 'user:ops': { ...ops, password: 'set' } }, ['usermod --password * ops']],
  ['a member is added', member('ops', 'sudo'), { 'user:ops': ops }, ['gpasswd --add ops sudo']],
  ['a group is made', group('bots'), {}, ['groupadd bots']],
  ['a group is made with its number', group('bots', { gid: 20_000 }), {}, ['groupadd --gid 20000 bots']],
  [
    'a swap file is used',
    swapFile('/swap', 9, facts),
    { 'swap:/swap': { active: {}, fileMiB: 9, freeMiB: 0 } },
    ['swapon /swap'],
  ],
  ['an image is pulled', pulledImage('x:1'), {}, ['docker pull --quiet x:1']],
  [
    'an image is pulled with a login',
    pulledImage('x:1', { config: '/etc/x' }),
    {},
    ['docker --config /etc/x pull --quiet x:1'],
  ],
] as const)
  test(`calls: ${title}`, async () => {
    const programs = ['systemctl', 'useradd', 'usermod', 'gpasswd', 'groupadd', 'getent', 'swapon', 'docker']
    const host = bench([], Object.fromEntries(programs.map((name) => [name, ':'])))
    for (const { script } of changesOf([resource], state)) assert.is((await host.run(`set -e\n${script.text}`)).code, 0)
    assert.equal(host.calls().filter(Boolean), expected)
    host.remove()
  })

test('images are pulled side by side, and all to their end where one fails', async () => {
  // Each is to see the other: the first begins and fails while the second goes on.
  const docker = `await() { for _ in $(seq 100); do [ ! -e "$1" ] || return 0; sleep 0.1; done; exit 1; }
    case $3 in
      a:1) await /srv/b-begins; : >/srv/a-fails; exit 7 ;;
      b:1) : >/srv/b-begins; await /srv/a-fails; echo b ends ;;
    esac`
  const host = bench(['/srv'], { docker })
  const pulls = ['a:1', 'b:1'].map((name) => pulledImage(name))
  const [step, ...more] = stepsOf(allChanges(planAll(pulls, stateOf(pulls, {}))))
  assert.is(more.length, 0)
  const script = `(set -e\n${step?.script.text}\n)\necho "ended with $?"`
  assert.is((await host.run(script)).output, 'b ends\nended with 7\n')
  host.remove()
})

test('a user whose group is not there yet has it made with him', async () => {
  const host = bench([], { getent: 'exit 2', useradd: ':' })
  const [change] = changesOf([user('ops')], { 'user:ops': 'absent' })
  assert.is((await host.run(`set -e\n${change?.script.text}`)).output, '')
  assert.is(host.calls().at(-1), 'useradd --create-home --shell /bin/bash --password * --user-group ops')
  host.remove()
})

test('a unit that cannot be reset is started all the same', async () => {
  const host = bench([], { systemctl: '[ "$1" != reset-failed ]' })
  const [change] = changesOf([running], now({ active: 'inactive' }))
  assert.is((await host.run(`set -e\n${change?.script.text}`)).code, 0)
  assert.is(host.calls().at(-1), 'systemctl start -- x.service')
  host.remove()
})

test('a home is made from the skeleton, for its user alone', async () => {
  const host = bench(['/home', '/etc'], { chown: ':' })
  host.write('/etc/skel/.profile', 'x')
  const [change] = changesOf([user('ops')], { 'user:ops': { ...ops, homeThere: false } })
  assert.equal(await host.run(`set -e\n${change?.script.text}`), { code: 0, output: '' })
  assert.is(host.text('/home/ops/.profile'), 'x')
  assert.is(statSync(host.at('/home/ops')).mode & 0o777, 0o700)
  assert.equal(host.calls(), ['chown -R ops: /home/ops'])
  host.remove()
})

test('reads users, groups and units from what the system says', async () => {
  const host = bench(['/home'], {
    getent: `case $1-$2 in
      passwd-ops) echo 'ops:x:1001:1001:Ops,,,:/home/ops:/bin/bash' ;;
      passwd-gone) echo 'gone:x:1002:1002::/home/gone:/bin/sh' ;;
      group-bots) echo 'bots:x:20000:a,b' ;;
      *) exit 2 ;;
    esac`,
    id: '[ "$*" = "-nG ops" ] && echo ops sudo || echo gone',
    passwd: '[ "$2" = ops ] && echo "ops L 2026-01-01" || echo "gone NP 2026-01-01"',
    systemctl: 'printf "LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\nNeedDaemonReload=yes\\n"',
  })
  mkdirSync(host.at('/home/ops'))
  assert.equal(await host.read(userState('ops')), { ...ops, groups: ['ops', 'sudo'] })
  assert.equal(await host.read(userState('gone')), {
    ...{ uid: 1002, home: '/home/gone', homeThere: false, shell: '/bin/sh', password: 'none', groups: ['gone'] },
  })
  assert.is(await host.read(userState('nobody')), 'absent')
  assert.equal([await host.read(groupState('bots')), await host.read(groupState('x'))], [{ gid: 20_000 }, 'absent'])
  host.calls()
  assert.equal(await host.read(unitState('x.service')), { ...runningUnit, needsReload: true })
  assert.equal(host.calls(), [
    'systemctl show --property=LoadState,ActiveState,UnitFileState,NeedDaemonReload -- x.service',
  ])
  host.remove()
})

test('what the system does not answer is an error that names it', () => {
  assert.throws(
    () => unitState('x').kind.parse('Failed to connect to bus', ['x']),
    /systemd does not answer about x:\nFailed/,
  )
  assert.throws(() => userState('x').kind.parse('nonsense', ['x']), /the account of a user cannot be read: nonsense/)
  assert.throws(() => swapState('/x').kind.parse('active /dev/sda2 5', ['/x']), /the swap space cannot be read:\na/)
})

test('a unit that is masked or missing, and what says so', () => {
  const masked = { 'unit:x.service': { ...runningUnit, load: 'masked', active: 'inactive', enabled: 'masked' } }
  assert.throws(() => planOf([running], masked), /is masked on this host: .*: systemctl unmask x\.service$/)
  assert.equal(planOf([stopped], masked), [])
  assert.throws(() => planOf([running], {}), /^HostError: unit x.service does not exist|unit x.service does not exist/)
})

test('what a unit’s change looks like in a diff', () => {
  const diffs = (resource: Resource, state: object) => changesOf([resource], now(state)).map(({ diff }) => diff?.())
  assert.equal(diffs(running, { active: 'failed', enabled: '', needsReload: true }), [
    'reload its files',
    'disabled → enabled',
    'failed → active',
  ])
  assert.equal(diffs(stopped, { active: 'active' }), ['enabled → disabled', 'active → inactive'])
})

test('a start predicts what it changes elsewhere, an enabling does not', () => {
  const other = unitState('y.service')
  const whenStarted = [{ key: other.key, unknownUntilApply: true as const }]
  const resources = [unit('x.service', 'running', { whenStarted }), unit('y.service', 'running')]
  const y = { 'unit:y.service': { ...runningUnit, active: 'inactive' } }
  assert.equal(planOf(resources, { ...now({ active: 'failed' }), ...y }), [
    'unit:x.service: start',
    'unit:y.service: unknown unit:x.service',
  ])
  assert.equal(planOf(resources, { ...now({ enabled: 'disabled' }), ...y }), [
    'unit:x.service: enable',
    'unit:y.service: start',
  ])
})

test('a drop-in has systemd read its files', async () => {
  const [folder, content] = dropIn('x.service', 'botgarden', '[Service]\n')
  assert.equal(
    [folder?.id, content?.id],
    ['directory:/etc/systemd/system/x.service.d', 'file:/etc/systemd/system/x.service.d/botgarden.conf'],
  )
  const host = bench(['/etc'], { systemctl: ':', chown: ':' })
  mkdirSync(host.at('/etc/systemd/system'), { recursive: true })
  for (const { script } of changesOf(
    [folder, content].filter((each) => each !== undefined),
    {},
  ))
    assert.is((await host.run(`set -e\n${script.text}`)).code, 0)
  assert.is(host.text('/etc/systemd/system/x.service.d/botgarden.conf'), '[Service]\n')
  assert.is(host.calls().at(-1), 'systemctl daemon-reload')
  host.remove()
})

test('a command is asked by its test, and runs', async () => {
  const host = bench(['/etc'])
  const wanted = command('stamp', { unless: sh`cat; [ -e /etc/stamp ]`, script: sh`: >/etc/stamp`, summary: 'stamp' })
  assert.equal(await host.apply(wanted), ['command:stamp: stamp'])
  assert.equal(await host.apply(wanted), [])
  assert.equal(
    changesOf([wanted], {}).map(({ long }) => long),
    [false],
  )
  const long = command('stamp', { unless: sh`:`, script: sh`:`, summary: 'stamp', long: true })
  assert.equal([changesOf([long], {})[0]?.long, long.wants], [true, { unless: ':', script: ':' }])
  host.remove()
})

const catalog = { [postgresCatalog.key]: freshCatalog, 'postgres:hello /etc/x': 'wrong' }
const role = databaseRole('hello', { passwordFile: '/etc/x', connectionLimit: 8, settings: { lock_timeout: '5s' } })
const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC'
const keyFile = { path: '/home/ops/.ssh/authorized_keys', own: true, directory: 'absent', file: 'absent', keys: [] }
const [composeFolder, composeFile, container] = composeProject({
  name: 'x',
  folder: '/opt/x',
  service: { image: 'y:1' },
})
for (const [resource, state] of [
  [running, now({ active: 'failed', enabled: 'disabled', needsReload: true })],
  [stopped, now({})],
  [user('ops'), { 'user:ops': 'absent' }],
  [user('ops'), { 'user:ops': { ...ops, shell: '/bin/sh', password: 'set', homeThere: false } }],
  [member('ops', 'sudo'), { 'user:ops': ops }],
  [group('bots', { gid: 7 }), {}],
  [swapFile('/swap', 9, facts), {}],
  [swapFile('/swap', 9, facts), { 'swap:/swap': { active: {}, fileMiB: 9, freeMiB: 0 } }],
  [sysctl('net.ipv4.ip_forward', '1', facts), { 'sysctl:net.ipv4.ip_forward': '0' }],
  [symlink('/a', '/b'), {}],
  [aptPackage('ufw'), {}],
  [pulledImage('x:1'), {}],
  [command('x', { unless: sh`:`, script: sh`:`, summary: 'stamp' }), {}],
  [file('/x', { content: 'a' }), {}],
  [file('/x', { content: (text) => (`${text ?? ''}`.includes('a') ? 'a' : 'a') }), {}],
  [directory('/x'), {}],
  [directory('/x'), { 'file:/x': { type: 'directory', mode: '0700', owner: 'root', group: 'root' } }],
  [generatedSecret('/x'), {}],
  [generatedSecret('/x'), { 'file:/x': { type: 'file', mode: '0440', owner: 'root', group: 'root' } }],
  [authorizedKeys('ops', [key]), { 'keys:ops': [keyFile] }],
  [
    authorizedKeys('ops', [key]),
    { 'keys:ops': [{ ...keyFile, directory: '0777 x', file: '0600 x', keys: [{ key, options: '' }] }] },
  ],
  [role, catalog],
  [database('hello', { owner: 'hello' }), catalog],
  [composeFolder, {}],
  [composeFile, {}],
  [container, { 'image:y:1': true }],
] as const) {
  if (resource === undefined) throw new Error('no resource')
  test(`${resource.id}: once changed it is as wanted`, () => {
    const planned = planAll([resource, resource], stateOf([resource], state))
    assert.equal(
      planned.map(({ status }) => status),
      ['change', 'comes-with'],
    )
    const changes = planned[0]?.status === 'change' ? planned[0].changes : []
    for (const { summary, script } of changes) assert.ok(summary.length > 1 && script.shown !== '')
    assert.not.equal(resource.wants, undefined)
    assert.not.equal(resource.wants, {})
    assert.not.equal(resource.wants, '')
    assert.match(resource.id, /^[\w-]+:./)
  })
}

test('swap is what the kernel and the disk say, and a file of a size that can be swapped to', async () => {
  const host = bench(['/srv'], {
    df: '[ "$*" = "--output=avail -k -- /srv" ] && printf "Avail\\n 5000000\\n"',
    chattr: 'exit 1',
    mkswap: ':',
    swapon: ':',
  })
  host.write('/srv/swap', 'x'.repeat(2 ** 20))
  const { fileMiB, freeMiB } = await host.read(swapState('/srv/swap'))
  assert.equal([fileMiB, freeMiB], [1, 4883])
  host.calls()
  const [change] = changesOf([swapFile('/srv/swap', 2, facts)], {})
  assert.equal(await host.run(`set -e\numask 022\n${change?.script.text}`), { code: 0, output: '' })
  const { size, mode } = statSync(host.at('/srv/swap'))
  assert.equal([size, mode & 0o777, readdirSync(host.at('/srv')), change?.long], [2 ** 21, 0o600, ['swap'], true])
  assert.equal(host.calls(), ['chattr +C /srv/swap.new', 'mkswap /srv/swap.new', 'swapon /srv/swap'])
  host.remove()
})

test('what is in use is swapped off before its place is taken', async () => {
  const host = bench(['/srv', '/proc'], { chattr: ':', mkswap: ':', swapon: ':', swapoff: ':' })
  host.write(
    '/proc/swaps',
    'Filename Type Size\n/srv/swap file 9\n/srv/swap2 file 9\n'.replaceAll('/srv', host.at('/srv')),
  )
  const state = { 'swap:/srv/swap': { active: { '/srv/swap': 1 }, fileMiB: 1, freeMiB: 9000 } }
  const [change] = changesOf([swapFile('/srv/swap', 2, facts)], state)
  await host.run(`set -e\n${change?.script.text}`)
  assert.equal(host.calls().slice(-2), ['swapoff /srv/swap', 'swapon /srv/swap'])
  assert.equal((await host.read(swapState('/srv/x'))).active, { '/srv/swap': 0, '/srv/swap2': 0 })
  host.remove()
})

test('which settings of the kernel a container has for itself', () => {
  assert.equal(
    ['net.core.somaxconn', 'net.core.rmem_max', 'net.ipv4.ip_forward', 'vm.swappiness', 'kernel.net.x'].map(
      isNamespaced,
    ),
    [true, false, true, false, false],
  )
})

test('sysctl reads a value of several lines or none as one', async () => {
  const { kind } = sysctl('a.b', '1', facts).reads[0] as Reading
  const output = '/proc/sys/a/b:1\t2\n/proc/sys/a/b: 3\nnonsense\n/proc/sys/a/c:x:y\n'
  assert.equal([...kind.parse(output, ['a.b', 'a.c', 'a.d']).values()], ['1 2 3', 'x:y', undefined])
})

test('an image is pulled where the engine has none of its name', async () => {
  const host = bench([], {
    curl: `case "$*" in *there:1/json) echo '{"Id":"a"}' ;; *) echo '{"message":"No such"}' ;; esac`,
  })
  assert.equal(await host.apply(pulledImage('there:1')), [])
  const [change, ...rest] = changesOf([pulledImage('gone:1')], { 'image:gone:1': await host.read(imageOf('gone:1')) })
  assert.equal([change?.summary, rest], ['pull', []])
  assert.match(host.calls()[0] ?? '', /^curl .*docker\/images\/there:1\/json$/)
  host.remove()
})

function imageOf(name: string): Reading {
  return pulledImage(name).reads[0] as Reading
}

const apt = {
  'apt-get': `[ ! -e "$FAIL" ] || exit 100; echo "$DEBIAN_FRONTEND $NEEDRESTART_MODE"`,
  dpkg: ':',
  sleep: ':',
  seq: 'echo 1; echo 2',
  stat: '[ -e "$4" ] || [ -e "$3" ] && echo 77',
}
const aptOptions =
  '-q -y -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold'

test('packages: what was cut is finished, the lists are fetched, and nothing is removed for them', async () => {
  const host = bench(['/var', '/proc'], apt)
  host.write('/proc/locks', '')
  const [change] = changesOf([aptPackage('a')], {})
  const { code, output } = await host.run(`set -e\n${change?.script.text}`)
  assert.equal([code, output], [0, 'noninteractive l\nnoninteractive l\n'])
  assert.equal(
    host.calls().filter((line) => !/^(stat|seq)/.test(line)),
    [
      'dpkg --configure -a --force-confdef --force-confold',
      `apt-get ${aptOptions} -o APT::Update::Error-Mode=any update`,
      `apt-get ${aptOptions} --no-install-recommends --no-remove install -- a`,
    ],
  )
  assert.is(change?.script.shown, 'apt-get --no-install-recommends install -- a')
  host.remove()
})

test('packages: whoever holds a lock is waited for, and named when it takes too long', async () => {
  const host = bench(['/var', '/proc'], apt)
  host.write('/var/lib/dpkg/lock', '')
  host.write(
    '/proc/locks',
    '1: POSIX  ADVISORY  WRITE 4321 fe:00:77 0 EOF\n2: POSIX  ADVISORY  READ 9 fe:00:77 0 EOF\n',
  )
  host.write('/proc/4321/comm', 'unattended-upgr\n')
  const [change] = changesOf([aptPackage('a')], {})
  const { code, output } = await host.run(`set -e\n${change?.script.text}`)
  assert.is(code, 1)
  assert.is(
    output,
    'waiting: process 4321 (unattended-upgr) holds /var/lib/dpkg/lock\nafter 600 s still: process 4321 (unattended-upgr) holds /var/lib/dpkg/lock\n',
  )
  assert.not.ok(host.calls().some((line) => /^(apt|dpkg)/.test(line)))
  host.remove()
})

test('packages: what dpkg says is asked of all at once, and what is missing is no complaint', async () => {
  const host = bench([], { 'dpkg-query': 'echo "a ok installed 1.0"; echo "no package b" >&2; exit 1' })
  assert.equal(await host.read(packageState('a')), { version: '1.0' })
  assert.is(await host.read(packageState('b')), 'absent')
  assert.match(
    host.calls()[0] ?? '',
    /^dpkg-query -W -f \$\{Package\} \$\{db:Status-Eflag\} \$\{db:Status-Status\} \$\{Version\}\\n -- a$/,
  )
  const diffs = (state: Record<string, unknown>) =>
    changesOf([aptPackage('a')], state).map(({ diff, long }) => [diff?.(), long])
  assert.equal(diffs({}), [['absent → installed', true]])
  assert.equal(diffs({ 'package:a': 'half' }), [['half installed → installed', true]])
  host.remove()
})

const docker = `case "$*" in
  *inspect*State.Running*) echo "\${RUNNING:-true}" ;;
  *pg_isready*) exit 0 ;;
  *psql*|*'sh -c'*) cat ;;
esac`

test('SQL goes to the server’s own psql by stdin, and stops at its first error', async () => {
  const host = bench(['/etc'], { docker })
  host.write('/etc/x', 's3cret\nmore\n')
  const [create] = changesOf([role], catalog)
  const { code, output } = await host.run(`set -e\n${create?.script.text}`)
  assert.is(code, 0)
  assert.equal(output.split('\n').slice(0, 5), [
    'create role "hello" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN connection limit 8;',
    `alter role "hello" set "lock_timeout" = '5s';`,
    ...['s3cret', 's3cret'],
    `\\set sum '${createHash('sha256').update('s3cret\nmore\n').digest('hex')}'`,
  ])
  const call = 'docker exec -i botgarden-postgres psql -XqAt -v ON_ERROR_STOP=1 -v VERBOSITY=terse -U postgres'
  assert.equal(host.calls(), [call, `${call} -c \\password "hello"`, call])
  assert.match(create?.script.shown ?? '', /^create role[\s\S]*\\password hello$/)
  host.write('/etc/x', '')
  const empty = await host.run(`set -e\n${create?.script.text}`)
  assert.equal([empty.code, empty.output.split('\n').at(-2)], [1, '/etc/x: no password'])
  assert.is(psql('-d', 'a b').shown.split(' -U postgres ')[1], "-d 'a b'")
  host.remove()
})

test('what differs of a role or a database is put right in SQL', async () => {
  const host = bench([], { docker })
  const hello = { attributes: ['LOGIN', 'CREATEDB'], connectionLimit: 8, settings: {}, memberOf: ['a', 'b"c'] }
  const sqlOf = async (resource: Resource, differences: object) => {
    const state = {
      ...catalog,
      [postgresCatalog.key]: { ...freshCatalog, ...differences },
      'postgres:hello /etc/x': 'proved',
    }
    const changes = changesOf([resource], state)
    const outputs: string[] = []
    for (const { script } of changes) outputs.push((await host.run(`set -e\n${script.text}`)).output)
    return { sql: outputs.join(''), diff: changes.map(({ diff }) => diff?.()).join() }
  }
  assert.equal(await sqlOf(role, { roles: { hello } }), {
    sql: `alter role "hello" NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS LOGIN connection limit 8;
alter role "hello" set "lock_timeout" = '5s';
revoke "a" from "hello";
revoke "b""c" from "hello";
`,
    diff: 'NOCREATEDB\nlock_timeout unset → 5s\nno member of a, b"c',
  })
  const owned = database('hello', { owner: 'hello' })
  assert.is(
    (await sqlOf(owned, {})).sql,
    'create database "hello" owner "hello" template template0;\nrevoke all on database "hello" from public;\n',
  )
  assert.equal(await sqlOf(owned, { databases: { hello: { owner: 'old', grantees: ['PUBLIC', 'old', 'x'] } } }), {
    sql: `alter database "hello" owner to "hello";
revoke all on database "hello" from public;
revoke all on database "hello" from "x";
`,
    diff: 'owner old → hello\nshut to PUBLIC, x',
  })
  host.remove()
})

const answer = {
  roles: { hello: { attributes: ['LOGIN'], connectionLimit: 8, settings: ['a=1', 'b=x=y'], memberOf: [] } },
  ...{
    databases: { hello: { owner: 'hello', grantees: ['hello'] } },
    config: '',
    pendingRestart: [],
    extensions: ['x'],
  },
}

test('the catalog is what the server answers, nothing where it does not run, an error where it does not answer', async () => {
  const json = JSON.stringify(answer)
  const replying = (words: string, running = true, status = 0) =>
    bench(['/run'], {
      docker: `case "$*" in *inspect*) echo ${running} ;; *psql*) cat >/dev/null; ${running ? '' : 'exit 1;'} echo '${words}'; exit ${status} ;; esac`,
      sleep: ':',
    })
  const up = replying(`NOTICE: x\n${json}`)
  const catalog = known((await up.read(postgresCatalog)) as Parameters<typeof known>[0])
  assert.equal(catalog?.roles.hello?.settings, { a: '1', b: 'x=y' })
  assert.equal([catalog?.config, catalog?.databases, catalog?.extensions], [undefined, answer.databases, ['x']])
  assert.equal(
    up.calls().filter((call) => call.startsWith('docker')).length,
    1,
    'one command tells all where nothing is wrong',
  )
  const down = replying(json, false)
  assert.is(await down.read(postgresCatalog), undefined)
  const failing = replying('FATAL: no room', true, 2)
  await rejects(failing.read(postgresCatalog), 'the database server does not answer: FATAL: no room')
  for (const each of [up, down, failing]) each.remove()
  const { kind, name } = postgresCatalog
  const { config } = Object(kind.parse(JSON.stringify({ ...answer, config: 'abc' }), [name]).get(name))
  assert.is(config, 'abc')
})

test('a server in which Docker starts nothing is not waited for, and the place that has no room is named', async () => {
  const host = bench(['/run'], {
    docker: 'case "$*" in *inspect*) echo true ;; *) echo "OCI runtime exec failed: x"; exit 126 ;; esac',
    df: 'echo Avail; case "$2" in */run) echo 0 ;; *) echo 9 ;; esac',
    sleep: ':',
  })
  mkdirSync(host.at('/run/botgarden/postgres'), { recursive: true })
  await rejects(
    host.read(postgresCatalog),
    /\/run has no room\nOCI runtime exec failed: x\n.*: see df -h \/run \/tmp on the host/,
  )
  assert.not(host.calls().some((call) => call.startsWith('sleep')))
  host.remove()
})

test('what is made in the database leaves what else is there', () => {
  const kept = { attributes: ['LOGIN'], connectionLimit: 8, settings: { lock_timeout: '5s', mine: '1' }, memberOf: [] }
  const state = {
    [postgresCatalog.key]: {
      ...freshCatalog,
      roles: { ...freshCatalog.roles, kept },
      databases: { ...freshCatalog.databases, kept: { owner: 'kept', grantees: ['kept'] } },
    },
    'postgres:kept /etc/x': 'proved',
    'postgres:hello /etc/x': 'wrong',
  }
  const options = { passwordFile: '/etc/x', connectionLimit: 8, settings: { lock_timeout: '5s' } }
  const both = ['hello', 'kept'].map((name) => [databaseRole(name, options), database(name, { owner: name })])
  assert.equal(planOf(both.flat(), state), ['postgres-role:hello: create', 'postgres-database:hello: create'])
  const [change] = changesOf(both.flat(), state)
  const [prediction] = change?.predicts ?? []
  const after =
    prediction &&
    'after' in prediction &&
    prediction.after(state[postgresCatalog.key], () => assert.unreachable() as never)
  const before = state[postgresCatalog.key] as typeof freshCatalog
  assert.equal(after, { ...before, roles: { ...before.roles, hello: { ...kept, settings: { lock_timeout: '5s' } } } })
})

test('the server is asked for everything that a plan goes by', async () => {
  const host = bench(['/run'], { docker: 'case "$*" in *inspect*) echo true ;; *psql*) cat >/run/sql ;; esac' })
  await host.run(postgresCatalog.kind.script([postgresCatalog.name]))
  const asked = [...(host.text('/run/sql') ?? '').matchAll(/'(\w+)', /g)].map(([, name]) => name)
  for (const name of [
    'roles',
    'attributes',
    'connectionLimit',
    'settings',
    'memberOf',
    'databases',
    'owner',
    'grantees',
  ])
    assert.ok(asked.includes(name), name)
  for (const name of ['config', 'pendingRestart', 'extensions']) assert.ok(asked.includes(name), name)
  host.remove()
})

test('a server that starts is waited for', async () => {
  const host = bench(['/run'], {
    docker:
      'case "$*" in *inspect*) echo true ;; *pg_isready*) [ -e /run/ready ] ;; *psql*) cat >/dev/null; [ -e /run/ready ] || exit 2; echo "{}" ;; esac',
    sleep: ': >/run/ready',
  })
  mkdirSync(host.at('/run/botgarden/postgres'), { recursive: true })
  await host.run(postgresCatalog.kind.script([postgresCatalog.name]))
  assert.equal(
    host.calls().map((line) => line.split(' ')[0]),
    ['docker', 'docker', 'docker', 'sleep', 'docker', 'docker'],
  )
  host.remove()
})

test('a password is proved by its mark, else right unless the server refuses it, with the one that the host keeps', async () => {
  const host = bench(['/etc'], {
    docker: `case "$*" in
  *ON_ERROR_STOP*) cat >/dev/null; printf 'password %s\\n' 'ann unproved' 'bob unproved' 'dan proved' 'eve unproved' ;;
  *) shift 5; exec "$@" ;;
esac`,
    psql: 'read -r given; [ "$given" = right ] || echo "FATAL: password authentication failed" >&2; exit 2',
  })
  host.write('/etc/a', 'right\n')
  host.write('/etc/b', 'wrong\n')
  const reading = role.reads[1] as Reading
  const names = ['ann /etc/a', 'bob /etc/b', 'dan /etc/a', 'eve /etc/none']
  const { output } = await host.run(reading.kind.script(names))
  assert.equal([...reading.kind.parse(output, names).values()], ['right', 'wrong', 'proved', 'wrong'])
  const [, exec, ...more] = host.calls()
  assert.match(exec ?? '', /^docker exec -i -e PGPASSFILE=\/nonexistent botgarden-postgres sh -c /)
  const logins = more.filter((line) => line.startsWith('psql')).map((line) => line.trim())
  assert.equal(
    logins,
    ['ann', 'bob'].map((each) => `psql -X -W -U ${each} -d template1 -c`),
    'none is proved twice',
  )
  host.remove()
  const down = bench([], { docker: '[ "$1" = version ] || { echo false; exit 1; }' })
  assert.is((await down.run(reading.kind.script(names))).output, '')
  assert.not.ok(down.calls().some((line) => line.startsWith('docker exec -i -e')))
  down.remove()
})

test.run()
