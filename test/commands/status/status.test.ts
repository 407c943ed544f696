import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hostStatus } from '../../../commands/status/host-status.ts'
import { status } from '../../../commands/status/index.ts'
import { ConnectError } from '../../../lib/std/errors.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { printed } from '../../support/printed.ts'
import { sha256 } from '../../support/sha256.ts'
import { now } from '../../support/status/health.ts'
import { answering, statusHost, statusSession } from '../../support/status/host.ts'

const folder = mkdtempSync(join(tmpdir(), 'status-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const id = 'a'.repeat(64)
const inspected = (name: string, more: object = {}) =>
  JSON.stringify({
    ...{ id, pid: 7, name: `/${name}`, status: 'running', health: 'healthy', restarts: 0 },
    ...{ startedAt: '2026-11-26T04:00:00Z', killed: false, exitCode: 0, limit: 160 * 2 ** 20 },
    ...more,
  })
const servers = [inspected('botgarden-nginx', { id: 'b'.repeat(64) }), inspected('botgarden-postgres')].join('\n')
const spec = specOf('hello:1', {}, { processes: { worker: {} } })
const release = { id: '20261126-060000-abc', spec, colour: 'blue', secrets: {}, by: 'ops' }
const hook = (result: object) =>
  `hook hello mark=x answer=${Buffer.from(JSON.stringify({ ok: true, result })).toString('base64')}\n`
const own = 'https://b.example.org/tg/hello'
const answers = {
  host: `uptime 86400\nload 0.20\nMemTotal 2048000\nMemAvailable 1024000\ndisk / 40000 20000 1000 900\ndisk /var/lib/docker 40000 20000 1000 900\nfirewall DROP\n`,
  containers: `engine answers\n${servers}\n${inspected('botgarden-hello-blue')}\n${inspected('botgarden-hello.worker-blue', { id: 'c'.repeat(64), pid: 8 })}\nmemory ${id} ${60 * 2 ** 20} 0\nmemory ${'c'.repeat(64)} ${20 * 2 ** 20} 2\n`,
  connections: 'connections 6 100\n',
  // Asked when it is read: the file may have been loaded long before.
  get clock() {
    return `${Math.floor(Date.now() / 1000)}\n`
  },
  nginx: 'wanted a\nrunning generations/a\nwhole yes\nanswers a\n',
  backups: `${now / 1000}\ngone\n`,
  served: 'served b.example.org\nsubject=CN=b.example.org\nissuer=CN=R1\nnotAfter=2099-02-10 00:00:00Z\n',
  releases: 'hello\nstray\n',
  text: textAnswer(JSON.stringify(release)),
  webhook: hook({ url: own, pending_update_count: 0 }),
  traffic: `now ${now / 1000}\ncreated 2026-11-26T08:30:00Z\nbot hello 60 1 2\nlines 70 2026-11-26T08:30:00+00:00\n`,
}
/** What the host answers about so many files with this text. */
function textAnswer(text: string, files = 1): string {
  const each = (line: string) => `${line}\n`.repeat(files)
  const sizes = `${each('file')}${each(`size ${Buffer.byteLength(text)}`)}${each(sha256(text))}`
  return `${sizes}${gzipSync(text.repeat(files)).toString('base64')}\n`
}

const host = statusHost(['hello'])
const of = async (more: Partial<typeof answers> = {}) => {
  const connection = answering({ ...answers, ...more })
  const found = await hostStatus(
    statusSession([host], () => connection),
    host,
  )
  return { ...found, requests: connection.roundTrips }
}

test('a host with its bots is read in one request', async () => {
  const { health, bots, requests, roundTrips, findings, exitCode } = await of()
  assert.equal([requests, roundTrips], [1, 1])
  assert.equal(
    findings.map(({ level, id: what, bot }) => `${level} ${bot ?? 'host'} ${what}`),
    ['error hello out-of-memory', 'warning host unknown-bot', 'note host backups'],
  )
  assert.is(exitCode, 3)
  assert.equal(health?.disks, [{ path: '/', sizeMB: 40_000, used: 0.5, inodesUsed: 0.09999999999999998 }])
  assert.equal(
    [health?.memory, health?.firewall, health?.connections, health?.nginxInForce, health?.unknownBots],
    [{ totalMB: 2000, availableMB: 1000 }, true, { used: 6, most: 100 }, true, ['stray']],
  )
  const [bot] = bots
  assert.equal(bot?.traffic, { minutes: 30, delivered: 60, failed: 1, refused: 2 })
  assert.equal(bot?.webhook, { url: 'own', pending: 0 })
  assert.equal(bot?.container !== 'absent' && bot?.container.memoryMB, 60)
  assert.equal(Object.keys(bot?.processes ?? {}), ['worker'])
})

test('three hosts with thirty bots are three requests', async () => {
  const names = Array.from({ length: 30 }, (_, i) => `bot-${i}`)
  const hosts = [0, 1, 2].map((i) => statusHost(names.slice(i * 10, i * 10 + 10), { name: `vps${i}` }))
  const records = textAnswer(JSON.stringify(release), 10)
  const hooks = (bots: readonly string[]) =>
    bots.map((bot) => hook({ url: `https://b.example.org/tg/${bot}` }).replace('hook hello', `hook ${bot}`)).join('')
  const connections = new Map(
    hosts.map(({ name, bots }) => {
      const own = bots.map((bot) => bot.name)
      return [name, answering({ ...answers, text: records, releases: own.join('\n'), webhook: hooks(own) })]
    }),
  )
  const session = statusSession(hosts, ({ name }) => connections.get(name) ?? answering({}), {
    options: { json: true },
  })
  const json = JSON.parse((await printed(() => status(session))).stdout)
  for (const { name, bots } of hosts) {
    assert.equal([connections.get(name)?.roundTrips, json.hosts[name].roundTrips], [1, 1])
    assert.equal(
      json.hosts[name].bots.map((bot: { name: string; webhook: { url: string } }) => [bot.name, bot.webhook.url]),
      bots.map((bot) => [bot.name, 'own']),
    )
  }
})

test('a webhook that is not the bot’s own is told without its URL, which may hold a token', async () => {
  const { bots, findings } = await of({ webhook: hook({ url: 'https://thief.example/123:token', last_error_date: 5 }) })
  assert.equal(bots[0]?.webhook, { url: 'foreign', pending: 0, errorAt: 5000 })
  assert.ok(findings.some(({ id: what }) => what === 'webhook-url'))
  assert.not.match(JSON.stringify([bots, findings]), /thief/)
})

test('a unit that has failed is told once: that of a job with its bot', async () => {
  const units = 'failed botgarden-job-hello.digest.service\nfailed botgarden-job-other.x.service\nfailed a.service\n'
  const { health } = await of({ host: `${answers.host}${units}` })
  assert.equal(health?.failedUnits, ['botgarden-job-other.x.service', 'a.service'])
})

test('where Docker is silent, that is the finding, and no bot is said to be gone', async () => {
  const { findings } = await of({ containers: '', traffic: '', connections: '' })
  assert.equal(
    findings.filter(({ level }) => level === 'error').map(({ id: what }) => what),
    ['engine'],
  )
})

test('the next commands are those of this inventory and this host', async () => {
  const given = { options: { inventory: 'my hosts.yaml' }, inventory: { sshConfig: '/x/ssh_config' } }
  const others = [host, statusHost([], { name: 'vps2' })]
  const session = statusSession(others, () => answering({ ...answers, containers: '' }), given)
  const { findings } = await hostStatus(session, host)
  const [engine] = findings
  assert.is(engine?.next, `npx zx playbooks/site.ts -i 'my hosts.yaml' --limit vps1`)
  const full = { ...answers, host: 'disk / 100 1 10 9\n' }
  const { findings: filled } = await hostStatus(
    statusSession([host], () => answering(full), given),
    host,
  )
  assert.match(filled[0]?.next ?? '', /^ssh -F \/x\/ssh_config -l root -p 2222 192\.0\.2\.1 'sudo du /)
})

test('a bot that the inventory has no longer is removed with its host, and its name is one word', async () => {
  const connection = answering({ ...answers, releases: 'hello\n$(id)\n' })
  const { findings } = await hostStatus(
    statusSession([host], () => connection),
    host,
  )
  const next = findings.find(({ id: what }) => what === 'unknown-bot')?.next ?? ''
  assert.match(next, /^npx zx playbooks\/bot\.ts( -i \S+)? --name \$?'\$\(id\)' --limit vps1 --remove$/)
})

test('a host that is not reached is a finding with exit code 4; with another that needs a person it is 3', async () => {
  const lost = () => {
    throw new ConnectError('vps1: ssh: connection refused\nmore')
  }
  const found = await hostStatus(statusSession([host], lost), host)
  assert.equal(
    [found.exitCode, found.findings.map(({ id: what, what: said }) => `${what}: ${said}`)],
    [4, ['unreachable: ssh: connection refused']],
  )
  const second = statusHost(['hello'], { name: 'vps2' })
  const both = statusSession([host, second], ({ name }) => (name === 'vps1' ? lost() : answering(answers)))
  assert.is((await printed(() => status(both))).value, 3)
  assert.is((await printed(() => status(statusSession([host], lost)))).value, 4)
})

test('one with nothing but notes ends with 0, and JSON has every number', async () => {
  const good = { ...answers, releases: 'hello\n', containers: answers.containers.replace(/ 2\n$/, ' 0\n') }
  const session = statusSession([host], () => answering(good), { options: { json: true } })
  const { value, stdout } = await printed(() => status(session))
  const { playbook, hosts } = JSON.parse(stdout)
  assert.equal([value, playbook, hosts.vps1.status], [0, 'status', 'ok'])
  assert.equal(hosts.vps1.bots[0].container.limitMB, 160)
  assert.equal(hosts.vps1.findings[0].id, 'backups')
})

test('a warning alone needs a person: exit code 3', async () => {
  const { exitCode, findings } = await of({ containers: answers.containers.replace(/ 2\n$/, ' 0\n') })
  assert.equal([exitCode, findings.map(({ level }) => level)], [3, ['warning', 'note']])
})

test('the page is written as a whole, for its owner alone', async () => {
  const file = join(folder, 'status.html')
  const session = statusSession([host], () => answering(answers), { options: { own: new Map([['html', [file]]]) } })
  const { stdout } = await printed(() => status(session))
  assert.match(stdout, /^vps1$/m)
  assert.match(readFileSync(file, 'utf8'), /^<!doctype html>[\s\S]*hello[\s\S]*<\/html>\n$/)
  assert.is(statSync(file).mode & 0o777, 0o600)
  assert.not.ok(existsSync(`${file}.new`))
})

test.run()
