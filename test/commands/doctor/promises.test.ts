import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Tried } from '../../../commands/doctor/attempts.ts'
import { remoteVerdict } from '../../../commands/doctor/backup-promises.ts'
import { attemptVerdicts, confinedVerdict } from '../../../commands/doctor/bot-promises.ts'
import { parseExposure } from '../../../commands/doctor/exposure-reading.ts'
import { containerVerdicts, filesVerdict } from '../../../commands/doctor/host-promises.ts'
import { judgedLogin } from '../../../commands/doctor/outside/login-promise.ts'
import { isAllowed } from '../../../commands/doctor/outside/outside-promises.ts'
import { judgedCalls } from '../../../commands/doctor/outside/webhook-promise.ts'
import { secretVerdicts } from '../../../commands/doctor/secret-promises.ts'
import type { SecretSearch } from '../../../commands/doctor/secret-reading.ts'
import { targetsOf } from '../../../commands/doctor/targets.ts'
import { telegramVerdict } from '../../../commands/doctor/telegram-promise.ts'
import type { Verdict } from '../../../commands/doctor/verdict.ts'
import { commands, containerOf, containersWith, servingBot } from '../../support/doctor/recorded.ts'
import { facts } from '../../support/fake-host.ts'
import { healthyBot } from '../../support/status/health.ts'
import { statusHost } from '../../support/status/host.ts'

/** `ID: WHAT → MEND` of all that is broken. */
function broken(verdicts: readonly Verdict[]): string[] {
  return verdicts.flatMap((each) =>
    each.result === 'broken' ? each.faults.map(({ what, mend }) => `${each.id}: ${what} → ${mend}`) : [],
  )
}

const results = (verdicts: readonly Verdict[]) => verdicts.map(({ id, result }) => `${id} ${result}`)
const judgedContainers = (...more: readonly object[]) =>
  broken(containerVerdicts(containersWith(...more), ['hello-bot', 'other'], commands))

test('the containers of a good host break nothing', () => {
  assert.equal(judgedContainers(), [])
  assert.equal(judgedContainers(containerOf('other', 2)), [])
  const cache = {
    name: '/botgarden-hello-bot-cache',
    labels: { 'botgarden.cache': 'hello-bot', 'botgarden.config': 'c' },
  }
  assert.equal(judgedContainers(cache), [])
  const doctor = { name: '/botgarden-doctor-hello-bot-77', labels: { 'botgarden.doctor': '1' }, network: 'container:x' }
  assert.equal(judgedContainers(doctor), [])
})

test('each thing that a container has and should not is named, with what mends it', () => {
  const nobody = { name: '/nobody', labels: {}, networks: { bridge: { IPAddress: '172.17.0.2' } }, mounts: [] }
  const removal = "→ ssh vps1 'sudo docker rm -f nobody'"
  const of = (more: object) =>
    judgedContainers({ ...nobody, ...more }).filter((each) => !each.startsWith('containers:'))
  assert.equal(judgedContainers(nobody), [`containers: nobody is of nobody ${removal}`])
  assert.equal(of({ ports: { '80/tcp': [{ HostPort: '8081' }] } }), [`published: nobody publishes 8081 ${removal}`])
  assert.equal(of({ privileged: true }), [`engine: nobody has all privileges ${removal}`])
  assert.equal(of({ pidMode: 'host' }), [`engine: nobody has the processes of the host ${removal}`])
  assert.equal(of({ network: 'host' }), [`engine: nobody has the host's network ${removal}`])
  for (const source of [
    '/var/run/docker.sock',
    '/run/containerd/containerd.sock',
    '/',
    '/etc',
    '/etc/botgarden/secrets/bots/other',
  ])
    assert.is(of({ mounts: [{ Type: 'bind', Source: source, RW: false }] }).length, 1, source)
  assert.equal(of({ mounts: [{ Type: 'volume', Source: '/var/lib/docker/volumes/x', RW: true }] }), [])
  assert.equal(of({ networks: { 'botgarden-hello-bot': { IPAddress: '10.210.1.130' } } }), [
    "networks: nobody is on the network botgarden-hello-bot → ssh vps1 'sudo docker network disconnect botgarden-hello-bot nobody'",
  ])
})

test('a name like ours makes no container ours, and our own are mended by site.ts', () => {
  assert.match(
    judgedContainers({ name: '/botgarden-x', labels: {}, mounts: [] })[0] ?? '',
    /^containers: botgarden-x is of nobody/,
  )
  assert.match(judgedContainers(containerOf('former', 3))[0] ?? '', /--name former --limit vps1 --remove$/)
  const [networks = ''] = judgedContainers(
    containerOf('other', 2, { networks: { 'botgarden-hello-bot': { IPAddress: '' } } }),
  )
  assert.match(networks, /^networks: botgarden-other-blue is on the network botgarden-hello-bot/)
  const others = { mounts: [{ Type: 'bind', Source: '/etc/botgarden/secrets/bots/hello-bot', RW: false }] }
  assert.match(judgedContainers(containerOf('other', 2, others))[0] ?? '', /^engine: .* → npx zx playbooks\/site\.ts$/)
})

test('an engine that does not answer leaves nothing proved', () =>
  assert.equal([...new Set(containerVerdicts(undefined, [], commands).map(({ result }) => result))], ['broken']))

test('a bot that is not shut in says how', () => {
  const of = (more: object) =>
    broken([confinedVerdict(servingBot('other', 2), containersWith(containerOf('other', 2, more)), commands)])
  assert.equal(of({}), [])
  for (const [more, said] of [
    [{ user: '' }, /runs as the user root, not as 20002/],
    [{ user: '20001' }, /runs as the user 20001/],
    [{ readOnly: false }, /is not read-only/],
    [{ dropped: null }, /has capabilities/],
    [{ added: ['NET_ADMIN'] }, /has capabilities/],
    [{ security: null }, /may gain privileges/],
    [{ memory: 0 }, /no limit of memory/],
    [{ pids: null }, /no limit of processes/],
  ] as const)
    assert.match(of(more)[0] ?? 'nothing', said)
  assert.is(confinedVerdict(servingBot('other', 2), containersWith(), commands).result, 'skipped')
})

const bots = [servingBot(), servingBot('other', 2, { tcp: true, processes: { worker: { image: 'x', port: 8000 } } })]
const containers = containersWith(
  containerOf('other', 2, {
    networks: { 'botgarden-other': { IPAddress: '10.210.2.2' }, 'botgarden-other.db': { IPAddress: '10.213.2.2' } },
  }),
)
const around = { facts, listening: [22, 80, 443, 9999], web: [80, 443] }
const [first] = bots
const targets = first && targetsOf(first, bots, containers, around)
const control = targets?.control ?? ''
const own = targets?.own ?? ''
const attempted = (open: readonly string[]) =>
  attemptVerdicts('hello-bot', targets, new Map([['hello-bot', { open }]]), commands)

test('from where a bot is the others, its host, credentials and databases are tried', () => {
  assert.is(control, '10.210.1.1/443')
  assert.equal(
    [...(targets?.bots.keys() ?? [])].filter((each) => /3000|8000/.test(each)),
    ['10.210.2.2/3000', '10.210.2.2/8000', '10.213.2.2/3000', '10.213.2.2/8000'],
  )
  const host = [...(targets?.host.keys() ?? [])]
  for (const each of ['10.210.1.1/22', '192.0.2.1/9999', '10.210.1.1/5432']) assert.ok(host.includes(each), each)
  assert.not.ok(host.some((each) => /\/(80|443)$/.test(each)))
  assert.ok(targets?.metadata.has('169.254.169.254/80'))
  assert.ok(targets?.databases.has('sql=/run/postgresql,hello_bot,other'))
  assert.ok(targets?.databases.has('sql=/run/postgresql,other,other'))
  assert.not.ok(targets?.databases.has(own))
  for (const each of [control, own]) assert.ok(targets?.place.controls.includes(each))
})

test('what lets it in is named with the command that mends it', () => {
  assert.equal(results(attempted([control, own])), [
    ...['bot-network kept', 'bot-host kept', 'bot-metadata kept', 'bot-database kept'],
  ])
  assert.equal(broken(attempted([control, own, '10.210.2.2/3000'])), [
    "bot-network: reached port 3000 of botgarden-other-blue → ssh vps1 'sudo systemctl restart docker'",
  ])
  assert.equal(broken(attempted([control, own, '10.210.1.1/22', '192.0.2.1/22'])), [
    'bot-host: reached port 22 of its host → npx zx playbooks/site.ts --tags ufw',
  ])
  assert.match(
    broken(attempted([control, own, '169.254.169.254/80']))[0] ?? '',
    /^bot-metadata: reached 169.*--tags ufw$/,
  )
  assert.match(
    broken(attempted([control, own, 'sql=/run/postgresql,other,other']))[0] ?? '',
    /the role of other, without a password/,
  )
})

test('what could not be tried proves nothing', () => {
  assert.equal(broken(attempted([])).length, 4, 'its own host is not reached either')
  assert.match(broken(attempted([control])).join(), /^bot-database: it could not be tried: its own password/)
  for (const tried of [new Map(), new Map([['hello-bot', { untried: 'no such image' }]])] as Tried[])
    assert.is(broken(attemptVerdicts('hello-bot', targets, tried, commands)).length, 4)
  const stopped = targetsOf(servingBot('gone', 9), bots, containers, around)
  assert.equal(
    [...new Set(attemptVerdicts('gone', stopped, new Map(), commands).map(({ result }) => result))],
    ['skipped'],
  )
  const alone = first && targetsOf(first, [first], containersWith(), around)
  assert.is(
    attemptVerdicts('hello-bot', alone, new Map([['hello-bot', { open: [control, own] }]]), commands)[0]?.result,
    'skipped',
  )
})

const search = (...leaks: SecretSearch['leaks']): SecretSearch => ({
  searched: ['cmdline', 'environ', 'inspect', 'log'],
  leaks,
})
const token = 'bots/hello-bot/token'
const found = (leaks: SecretSearch['leaks'], spec = {}) =>
  broken(secretVerdicts(search(...leaks), [servingBot('hello-bot', 1, spec)], commands))

test('a secret is named by its file and its place, and a bot has what it asks for', () => {
  assert.equal(found([]), [])
  assert.match(
    found([{ where: 'cmdline', secret: token, place: '0 curl' }])[0] ?? '',
    /token is in the arguments of the process curl, of the user 0/,
  )
  assert.match(
    found([{ where: 'environ', secret: token, place: '20002 node' }])[0] ?? '',
    /environment of the process node/,
  )
  assert.equal(found([{ where: 'environ', secret: token, place: '20001 node' }]), [])
  const inspected = { where: 'inspect', secret: token, place: 'botgarden-hello-bot-blue' } as const
  assert.is(found([inspected]).length, 1)
  assert.equal(found([inspected], { references: { TOKEN: '$' + '{token}' } }), [])
  const replica = { ...inspected, place: 'botgarden-hello-bot_bot.1.x' }
  assert.equal(found([replica], { references: { TOKEN: '$' + '{token}' } }), [])
  assert.is(found([inspected], { references: { X: '$' + '{database.url}' } }).length, 1)
  assert.match(
    found([{ ...inspected, place: 'leaky' }], { references: { T: '$' + '{token}' } })[0] ?? '',
    /docker rm -f leaky/,
  )
  const log = { where: 'log', place: 'the log of the container x' } as const
  assert.match(found([{ ...log, secret: token }])[0] ?? '', /→ npx zx playbooks\/bot\.ts --name hello-bot$/)
  assert.match(
    found([{ ...log, secret: 'bots/hello-bot/webhook-secret' }])[0] ?? '',
    /sudo rm .*webhook-secret' && npx zx/,
  )
})

test('a search that did not end proves nothing', () => {
  const cut: SecretSearch = { searched: ['cmdline', 'environ'], leaks: [] }
  assert.equal(results(secretVerdicts(cut, [], commands)), [
    ...['secrets-arguments kept', 'secrets-environment broken', 'secrets-logs broken'],
  ])
  assert.is(broken(secretVerdicts(undefined, [], commands)).length, 3)
})

test('a webhook that takes strangers, one that refuses them, and one that says nothing of it', () => {
  const promised = { id: 'webhook-secret', bot: 'a', promise: 'x' }
  const of = (statuses: readonly number[], own: string[] = []) =>
    judgedCalls(
      promised,
      statuses.map((status) => ['so', { status }]),
      own,
      commands,
    )
  for (const refused of [401, 403, 404]) assert.is(of([refused, refused]).result, 'kept')
  for (const unclear of [429, 502]) assert.is(of([401, unclear]).result, 'skipped')
  assert.match(broken([of([401, 200])])[0] ?? '', /it answers 200.*→ npx zx playbooks\/bot\.ts --name a --logs$/)
  assert.match(broken([of([302, 401], ['/opt/x.conf'])])[0] ?? '', /grep -n \/tg\/ \/opt\/x\.conf/)
  assert.is(judgedCalls(promised, [['so', 'closed']], [], commands).result, 'skipped')
})

test('what sshd offers to somebody without a key', () => {
  const of = (code: number, said: string) => judgedLogin(code, said, 'mend')
  assert.is(of(255, 'root@192.0.2.1: Permission denied (publickey).\n').result, 'kept')
  assert.match(
    broken([of(255, 'x: Permission denied (publickey,password,keyboard-interactive).')])[0] ?? '',
    /takes password, keyboard-interactive/,
  )
  assert.is(of(0, '').result, 'broken')
  assert.is(of(255, 'ssh: connect to host x port 22: Connection refused').result, 'skipped')
})

test('ports that the inventory opens, ranges too, and for TCP alone', () => {
  const host = statusHost([], { vars: { ufw: { allow: ['8080/tcp', '6000:6010/tcp', '53/udp', '7 from 192.0.2.9'] } } })
  assert.equal(
    [80, 443, 8080, 6005, 7, 53, 22, 6011].map((port) => isAllowed(host, port)),
    [...[true, true, true, true, true, false, false, false]],
  )
  const other = statusHost([], { httpsPort: 8443, vars: {} })
  assert.equal(
    [80, 443, 8443].map((port) => isAllowed(other, port)),
    [true, false, true],
  )
})

test('files with a mode, and a backup with an age or a fault', () => {
  const [files = ''] = broken([filesVerdict(parseExposure('readable 644 /etc/botgarden/secrets/x\n'), commands)])
  assert.is(
    files,
    "secret-files: /etc/botgarden/secrets/x has the mode 0644 → ssh vps1 'sudo chmod go= /etc/botgarden/secrets/x'",
  )
  const now = Date.parse('2026-11-26T12:00:00Z')
  const of = (text: string) => broken([remoteVerdict(parseExposure(text), now, 'take')])
  assert.equal(of('backup 2026-11-26T105101Z\nbackup-is whole\n'), [])
  assert.match(of('backup 2026-11-24T105101Z\nbackup-is whole\n')[0] ?? '', /is .* old/)
  assert.match(of('backup 2026-11-26T105101Z\nbackup-fault x.age: FAILED\n')[0] ?? '', /x\.age: FAILED/)
  assert.match(of('')[0] ?? '', /there is none/)
})

test('of Telegram it is what Telegram says, and nothing of containers', () => {
  const now = Date.now()
  const of = (webhook: object | string) =>
    telegramVerdict({ ...healthyBot, webhook: webhook as never, container: 'absent' }, now, commands)
  assert.is(of({ url: 'own', pending: 0 }).result, 'kept')
  for (const webhook of ['refused', 'unreachable', { url: 'foreign', pending: 0 }, { url: 'none', pending: 0 }])
    assert.is(of(webhook).result, 'broken', JSON.stringify(webhook))
})

test.run()
