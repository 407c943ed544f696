// Needs a bare VPS of its own: `doctor`, and the sandbox's Telegram. What is promised is broken by hand, some things at a time:
// doctor.ts names it, status.ts what it looks at, and what they say to type puts it right.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateIdentity } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Verdict } from '../../../commands/doctor/verdict.ts'
import type { Finding } from '../../../lib/health/finding.ts'
import { removeVps } from '../../../sandbox/index.ts'
import { run } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'
import { doctorFaults, stray } from '../../support/vps/doctor-faults.ts'

const host = 'doctor'
const root = resolve(import.meta.dirname, '../../..')
const bot = 'hello-bot'
const secrets = `/etc/botgarden/secrets/bots/${bot}`
const copies = mkdtempSync(join(tmpdir(), 'doctor-test-'))
const { telegram, called, tokens, inventory, site, hello, deploy, inside, answer, beginWith, bots } = botHost(host, [
  ...[bot, 'second-bot', 'admin-bot'],
])
bots['second-bot'] = { host, source: 'bots/hello-bot' }
// Its worker does nothing, and its job fails where a file says so.
Object.assign(bots[bot] ?? {}, {
  data: { paths: ['/app/data'], shared: true },
  processes: { worker: { command: ['node', '-e', 'setInterval(() => {}, 1000)'], memory: '64m' } },
  jobs: {
    tick: { schedule: '0 5 1 1 *', command: ['node', '-e', 'process.exit(fs.existsSync("/app/data/fails") ? 3 : 0)'] },
  },
})
const backups = { recipients: ['.sandbox/backup-recipient.txt'], local: copies }
const file = inventory({}, { domain: `${host}.sandbox`, backups })

test.before(() => beginWith({ file }))
test.after(async () => {
  rmSync(copies, { recursive: true })
  await removeVps(host)
})

interface Examined {
  readonly code: number | null
  readonly promises: readonly Verdict[]
  /** `ID`, or `ID BOT`. */
  readonly broken: readonly string[]
  /** The commands that mend, each once. */
  readonly mends: readonly string[]
  /** A line for each thing that gave way. */
  readonly said: readonly string[]
  readonly text: string
  readonly roundTrips: number
}

const examined = (...args: string[]) => examinedBy(file, ...args)

async function examinedBy(from: string, ...args: string[]): Promise<Examined> {
  const { code, stdout, stderr } = await run(['playbooks/doctor.ts', '-i', from, '--json', ...args])
  if (stdout === '') throw new Error(stderr)
  const { promises, roundTrips, lost } = JSON.parse(stdout).hosts[host]
  if (lost !== undefined) throw new Error(JSON.stringify(lost))
  const all = promises as Verdict[]
  const broken = all.flatMap((each) => (each.result === 'broken' ? [each] : []))
  return {
    ...{ code, promises: all, text: stdout, roundTrips },
    broken: broken.map(({ id, bot: of }) => (of === undefined ? id : `${id} ${of}`)),
    mends: [...new Set(broken.flatMap(({ faults }) => faults.map(({ mend }) => mend)))],
    said: broken.flatMap(({ id, bot: of = host, faults }) =>
      faults.map(({ what, mend }) => `doctor ${id} ${of}: ${what} → ${mend}`),
    ),
  }
}

/** What status.ts says of the host, but for notes; `ids` as those of what is broken. */
async function status(from = file) {
  const { code, stdout, stderr } = await run(['playbooks/status.ts', '-i', from, '--json'])
  if (stdout === '') throw new Error(stderr)
  const all = (JSON.parse(stdout).hosts[host].findings as Finding[]).filter(({ level }) => level !== 'note')
  const ids = all.map(({ id, bot: of }) => (of === undefined ? id : `${id} ${of}`))
  const said = all.map(({ id, bot: of = host, what, next }) => `status ${id} ${of}: ${what} → ${next}`)
  return { code, ids, said, nexts: all.map(({ next }) => next), text: stdout }
}

/** Types a command as the operator would. */
function typed(command: string): Promise<string> {
  const child = spawn('sh', ['-c', command], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...tokens, NO_COLOR: '1', PATH: `${root}/node_modules/.bin:${process.env.PATH}` },
  })
  let said = ''
  const add = (chunk: Buffer) => {
    said += chunk
  }
  for (const stream of [child.stdout, child.stderr]) stream.on('data', add)
  return new Promise((done) => child.on('close', (code) => done(`${said}exit code ${code}`)))
}

async function isWell(): Promise<Examined> {
  const now = await examined()
  assert.equal([now.broken, now.code], [[], 0], now.text)
  return now
}

test('a host that is as it should be keeps all of its promises, and nothing is changed by the asking', async () => {
  assert.is((await hello(file)).code, 0)
  assert.is((await deploy(['--name', 'second-bot'], file)).code, 0)
  assert.match(await answer('/start'), /^Hello/)
  assert.match(await typed(`npx zx playbooks/backup.ts -i ${file}`), /exit code 0$/)
  const files = 'find /etc /opt /var/lib/botgarden /root -newer /run/mark -type f ! -path "*/postgres/18/*" | sort'
  const containers = 'docker ps -a --format "{{.ID}} {{.Names}}" | sort; ls /run/botgarden'
  await inside('touch /run/mark')
  const before = await inside(containers)
  const { promises, roundTrips } = await isWell()
  assert.is(await inside(files), '')
  assert.is(await inside(containers), before)
  const check = await run(['playbooks/site.ts', '-i', file, '--check'])
  assert.is(check.code, 0, check.stdout)
  assert.is(roundTrips, 2)
  assert.equal((await status()).ids, [])
  const untried = promises.flatMap((each) => (each.result === 'skipped' ? [each.id] : []))
  assert.equal(untried, ['alert', 'backup-opens'])
  for (const id of ['bot-network', 'bot-host', 'bot-metadata', 'bot-database', 'webhook-secret', 'telegram'])
    assert.equal(
      promises.filter((each) => each.id === id).map((each) => each.bot),
      [bot, 'second-bot'],
      id,
    )
})

test('with the key the newest copy is restored beside all that runs, and with another one it is not', async () => {
  const key = join(root, '.sandbox/backup-key.txt')
  const { promises, code } = await examined('--identity', key)
  assert.equal([code, promises.find(({ id }) => id === 'backup-opens')?.result], [0, 'kept'])
  const other = join(copies, 'other.txt')
  writeFileSync(other, `${await generateIdentity()}\n`)
  assert.equal((await examined('--identity', other)).broken, ['backup-opens'])
})

const faults = doctorFaults({
  ...{ host, file, bot, copies, inside, typed },
  revoke: async () => {
    tokens.HELLO_BOT_TOKEN = (await telegram().revoke(called(bot))).token
  },
})
const done = (how: string | (() => unknown)) => (typeof how === 'string' ? inside(how) : how())

for (const group of faults)
  test(`${group.map(({ about }) => about).join(', ')}: named, with the commands that mend them`, async () => {
    for (const { how } of group) await done(how)
    const [found, shown] = [await examined(), await status()]
    assert.is(found.code, 3)
    process.stdout.write(`${[...found.said, ...shown.said].join('\n')}\n`)
    const mends = [...new Set([...found.mends, ...shown.nexts])]
    for (const { about, broken = [], status: ids = [], mend } of group) {
      assert.equal(missing(broken, found.broken), [], `${about}: ${found.text}`)
      assert.equal(missing(ids, shown.ids), [], `${about}: ${shown.text}`)
      if (ids.length > 0) assert.is(shown.code, 3)
      assert.ok(
        mends.some((each) => each.includes(mend)),
        `${about}: ${mends.join('\n')}`,
      )
    }
    for (const each of mends) assert.match(each, /^(npx zx playbooks\/|ssh |mv )/)
    const hidden = await inside(`cat ${secrets}/token ${secrets}/webhook-secret`)
    for (const secret of hidden.split(/\s+/))
      assert.not.ok((found.text + shown.text).includes(secret), 'a secret is shown')
    for (const { back } of group) if (back !== undefined) await done(back)
    const said: string[] = []
    for (const each of mends) said.push(`${each}\n${await typed(each)}`)
    const after = await examined()
    assert.equal(after.broken, [], `${said.join('\n')}\n${after.text}`)
    const injected = group.flatMap(({ status: ids = [] }) => ids)
    const left = await status()
    assert.equal(missing(injected, missing(injected, left.ids)), [], `${said.join('\n')}\n${left.text}`)
  })

/** Those of the first list that are not in the second. */
function missing(wanted: readonly string[], there: readonly string[]): string[] {
  return wanted.filter((each) => !there.includes(each))
}

test('a domain whose DNS leads elsewhere: named by both, and what they say to type tells which record is wrong', async () => {
  const domains = ['pebble.sandbox']
  const wrong = inventory({ [bot]: { ...bots[bot], domains } }, { domain: `${host}.sandbox`, backups })
  assert.is((await site(wrong)).code, 3)
  const [found, shown] = [await examinedBy(wrong), await status(wrong)]
  assert.ok(found.broken.includes('certificate'), found.text)
  assert.ok(shown.ids.includes('certificate'), shown.text)
  const mend = `npx zx playbooks/site.ts -i ${wrong} --tags nginx,certbot`
  assert.ok(found.mends.includes(mend) && shown.nexts.includes(mend), found.mends.join('\n'))
  assert.match(await typed(mend), /pebble\.sandbox of hello-bot has no certificate.*its A record says/)
  assert.is((await site(file)).code, 0)
  assert.equal([(await isWell()).broken, (await status()).ids], [[], []])
})

test('an alert that does not arrive is named; where it arrives it really is in the chat', async () => {
  const admin = 4711
  const adminBot = called('admin-bot')
  const watch = { chat: admin, token: { env: 'ADMIN_BOT_TOKEN' } }
  const watched = inventory({}, { domain: `${host}.sandbox`, backups, watch })
  const alert = async () => (await examinedBy(watched)).promises.find(({ id }) => id === 'alert')
  const heard = async () =>
    (await telegram().chat(adminBot, admin)).filter(({ text }) => /botgarden watches doctor/.test(text)).length
  const says = (of: Verdict | undefined) => (of?.result === 'broken' ? of.faults : of?.result)
  const refused = async (why: RegExp) => {
    const { broken, mends, text, code } = await examinedBy(watched)
    assert.equal([broken, code], [['alert'], 3], text)
    assert.match(text, why)
    assert.not.ok(Object.values(tokens).some((each) => text.includes(each)))
    return mends[0] ?? ''
  }
  // A bot cannot begin a chat.
  await telegram().act(adminBot, { chat: admin, text: '/start', language: 'en' })
  // The sandbox's Telegram remembers what earlier runs were told.
  const first = await heard()
  // It is not there yet, and its own command brings it.
  assert.match(await typed(await refused(/it was not taken/)), /exit code 0$/)
  const before = await heard()
  assert.is(before, first + 1)
  assert.is(says(await alert()), 'kept')
  assert.is(await heard(), before + 1)

  tokens.ADMIN_BOT_TOKEN = (await telegram().revoke(adminBot)).token
  const mend = await refused(/it was not taken: .*Telegram refuses: Unauthorized/)
  assert.is(await heard(), before + 1)
  assert.match(await typed(mend), /exit code 0$/)
  assert.is(says(await alert()), 'kept')

  const after = await heard()
  await telegram().block(adminBot, admin, true)
  await refused(/it was not taken: .*Telegram refuses: .*blocked/)
  await telegram().block(adminBot, admin, false)
  assert.is(says(await alert()), 'kept')
  assert.is(await heard(), after + 1)
  assert.is((await site(file)).code, 0)
})

test('a bot that the inventory has no longer, and one whose container is gone', async () => {
  const { 'second-bot': entry } = bots
  delete bots['second-bot']
  const without = inventory({}, { domain: `${host}.sandbox`, backups })
  bots['second-bot'] = entry ?? {}
  const { code, stdout } = await run(['playbooks/doctor.ts', '-i', without])
  assert.is(code, 3)
  assert.match(stdout, /second-bot, which is not in the inventory\n +mend: npx zx .*--name second-bot .*--remove/)
  // After so many releases it may be of either colour.
  await inside(`docker ps -q --filter label=botgarden.bot=${bot} >/run/stopped; docker stop $(cat /run/stopped)`)
  const { promises } = await examined('--name', bot)
  assert.equal([...new Set(promises.map((each) => each.bot))], [bot])
  assert.match(JSON.stringify(promises), /its container does not run: see status.ts/)
  await inside('docker start $(cat /run/stopped)')
})

test('what a doctor that was killed has left is removed by the next one', async () => {
  await inside(
    `${stray('botgarden-doctor-old', '--label botgarden.doctor=1')}; mkdir -p /run/botgarden/doctor.killed; touch -d '-1 hour' /run/botgarden/doctor.killed`,
  )
  await isWell()
  assert.is(
    await inside('docker ps -aq --filter label=botgarden.doctor; ls -d /run/botgarden/doctor.* 2>/dev/null || :'),
    '',
  )
})

test('a secret in a log is named, and so is a host that is not there', async () => {
  await inside(`logger -t careless "it is $(cat ${secrets}/webhook-secret)"; journalctl --flush`)
  const { broken, mends } = await examined()
  assert.equal(broken, ['secrets-logs'])
  assert.match(
    mends.join(),
    new RegExp(`sudo rm ${secrets}/webhook-secret' && npx zx playbooks/bot.ts -i \\S+ --name ${bot}$`),
  )
  await inside('systemctl stop ssh ssh.socket 2>/dev/null || systemctl stop ssh')
  const lost = await run(['playbooks/doctor.ts', '-i', file], { BOTGARDEN_CONTROL_PERSIST: '0' })
  await inside('systemctl start ssh')
  assert.equal([lost.code, /✗ /.test(lost.stdout)], [4, true], lost.stdout)
})

test.run()
