// Needs a bare VPS of its own: `doctor`, and the sandbox's Telegram. What is promised is broken by hand, one thing at a time:
// doctor.ts names it, and what it says to type puts it right.
import { spawn } from 'node:child_process'
import { appendFileSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { generateIdentity } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Verdict } from '../../../commands/doctor/verdict.ts'
import { removeVps } from '../../../sandbox/index.ts'
import { run } from '../../support/runner.ts'
import { botHost } from '../../support/vps/bot-host.ts'

const host = 'doctor'
const root = resolve(import.meta.dirname, '../../..')
const bot = 'hello-bot'
const container = `botgarden-${bot}-blue`
const copies = mkdtempSync(join(tmpdir(), 'doctor-test-'))
const { telegram, called, tokens, inventory, hello, deploy, inside, answer, beginWith, bots } = botHost(host, [
  bot,
  'second-bot',
])
bots['second-bot'] = { host, source: 'bots/hello-bot' }
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
  readonly text: string
  readonly roundTrips: number
}

async function examined(...args: string[]): Promise<Examined> {
  const { code, stdout, stderr } = await run(['playbooks/doctor.ts', '-i', file, '--json', ...args])
  if (stdout === '') throw new Error(stderr)
  const { promises, roundTrips, lost } = JSON.parse(stdout).hosts[host]
  if (lost !== undefined) throw new Error(JSON.stringify(lost))
  const all = promises as Verdict[]
  const broken = all.flatMap((each) => (each.result === 'broken' ? [each] : []))
  return {
    ...{ code, promises: all, text: stdout, roundTrips },
    broken: broken.map(({ id, bot: of }) => (of === undefined ? id : `${id} ${of}`)),
    mends: [...new Set(broken.flatMap(({ faults }) => faults.map(({ mend }) => mend)))],
  }
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

const secrets = '/etc/botgarden/secrets/bots/hello-bot'
const image = '$(docker inspect -f "{{.Config.Image}}" botgarden-postgres)'
const stray = (name: string, more: string) => `docker run -d --name ${name} ${more} --entrypoint sleep ${image} 3000`
const ofOwn = '/opt/botgarden/nginx/conf/own/stray.conf'
const reload = 'docker exec botgarden-nginx nginx -c /etc/nginx/running/nginx.conf -s reload'
const site = `npx zx playbooks/site.ts -i ${file}`
/** Another machine, which answers at the address where clouds hand out credentials. */
const cloud = `ip link add cloud0 type veth peer name cloud1; setsid -f unshare -n sleep 6000 >/dev/null 2>&1; sleep 0.5
  other=$(pgrep -f '^sleep 6000'); ip link set cloud1 netns $other; ip addr add 169.254.169.1/24 dev cloud0; ip link set cloud0 up
  nsenter -t $other -n sh -c 'ip addr add 169.254.169.254/24 dev cloud1; ip link set cloud1 up; ip link set lo up; ip route add default via 169.254.169.1
    setsid -f python3 -m http.server 80 >/dev/null 2>&1'
  for i in $(seq 50); do curl -so /dev/null http://169.254.169.254/ && break; sleep 0.1; done`

interface Injected {
  readonly about: string
  /** Run on the host, or done here. */
  readonly how: string | (() => unknown)
  /** What doctor.ts must name, among others that follow from it. */
  readonly broken: readonly string[]
  /** Part of a command that it must say. */
  readonly mend: string
  /** Instead of typing what it says: it only shows where to look. */
  readonly back?: string | (() => unknown)
}

/** Each list is injected together: what they break is told apart all the same. */
const faults: readonly (readonly Injected[])[] = [
  [
    {
      about: 'nginx that answers in the place of a bot',
      how: async () => {
        await inside(`echo 'if ($uri = /tg/hello-bot) { return 200; }' >${ofOwn}`)
        await typed(site)
      },
      broken: [`webhook-secret ${bot}`],
      mend: `grep -n /tg/ ${ofOwn}`,
      back: `rm ${ofOwn}`,
    },
    {
      about: 'a certificate of another name',
      how: `cd /etc/botgarden/tls/${host}.sandbox/current && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 90 \
      -subj /CN=other.example -addext subjectAltName=DNS:other.example -keyout privkey.pem -out fullchain.pem 2>/dev/null && ${reload}; sleep 1`,
      broken: ['certificate'],
      mend: `${site} --tags nginx,certbot`,
    },
    {
      about: 'a webhook that somebody has changed',
      how: `curl -s "http://telegram.sandbox:8081/bot$(cat ${secrets}/token)/setWebhook?url=https://${host}.sandbox/elsewhere"`,
      broken: [`telegram ${bot}`],
      mend: `npx zx playbooks/bot.ts -i ${file} --name ${bot}`,
    },
    {
      about: 'the network of another bot',
      how: `docker network connect botgarden-second-bot ${container}`,
      broken: ['networks', `bot-network ${bot}`],
      mend: `docker network disconnect botgarden-second-bot ${container}`,
    },
    {
      about: 'a copy here with another byte',
      how: () => appendFileSync(join(newest(), partOf(newest())), 'x'),
      broken: ['backup-here'],
      mend: `npx zx playbooks/backup.ts -i ${file}`,
    },
    {
      about: 'a backup on the host that was cut off',
      how: 'cd /var/lib/botgarden/backups && cd "$(ls -d [0-9]*Z | tail -n 1)" && truncate -s -20 "$(ls *.age | head -n 1)"',
      broken: ['backup-there'],
      mend: `npx zx playbooks/backup.ts -i ${file}`,
    },
  ],
  [
    {
      about: 'a container that publishes a port',
      how: stray('stray', '-p 8081:80'),
      broken: ['published', 'containers'],
      mend: 'docker rm -f stray',
    },
    { about: 'a container of nobody', how: stray('nobody', ''), broken: ['containers'], mend: 'docker rm -f nobody' },
    {
      about: "a container with the engine's socket",
      how: stray('holder', '-v /var/run/docker.sock:/var/run/docker.sock'),
      broken: ['engine', 'containers'],
      mend: 'docker rm -f holder',
    },
    {
      about: 'a secret in an environment',
      how: stray('leaky', `--env "A=$(cat ${secrets}/token)"`),
      broken: ['secrets-environment', 'containers'],
      mend: 'docker rm -f leaky',
    },
    {
      about: 'a secret in an argument',
      how: `setsid -f bash -c 'exec -a "shown $(cat ${secrets}/webhook-secret)" sleep 3000' >/dev/null 2>&1; sleep 1`,
      broken: ['secrets-arguments'],
      mend: 'ps -eo',
      back: `pkill -f '^shown '`,
    },
    {
      about: 'a secret that the world may read',
      how: `chmod 644 ${secrets}/token`,
      broken: ['secret-files'],
      mend: `sudo chmod go= ${secrets}/token`,
    },
    {
      about: 'passwords for ssh',
      how: `sed -i 's/^PasswordAuthentication no/PasswordAuthentication yes/' /etc/ssh/sshd_config.d/00-botgarden.conf; systemctl reload ssh; sleep 1`,
      broken: ['login'],
      mend: `${site} --tags base`,
    },
    {
      about: 'a port that was opened by hand, and what listens there',
      how: 'ufw allow 9100/tcp; setsid -f python3 -m http.server 9100 >/dev/null 2>&1; sleep 1',
      broken: ['ports', 'firewall'],
      mend: `${site} --tags ufw`,
    },
  ],
  [
    {
      about: 'a firewall that is off',
      how: 'ufw disable',
      broken: ['firewall', `bot-host ${bot}`],
      mend: `${site} --tags ufw`,
    },
    {
      about: 'a database that everybody may enter',
      how: `docker exec botgarden-postgres psql -qU postgres -c 'grant connect on database second_bot to public'`,
      broken: [`bot-database ${bot}`],
      mend: site,
    },
  ],
  [
    {
      about: 'addresses of credentials without their rule',
      how: `${cloud}; iptables -t mangle -S botgarden-forward | grep 169.254.0.0 | sed s/^-A/-D/ | xargs iptables -t mangle`,
      broken: ['firewall', `bot-metadata ${bot}`, 'bot-metadata second-bot'],
      mend: `${site} --tags ufw`,
    },
    {
      about: 'a token that was revoked',
      how: async () => {
        tokens.HELLO_BOT_TOKEN = (await telegram().revoke(called(bot))).token
      },
      broken: [`telegram ${bot}`],
      mend: `npx zx playbooks/bot.ts -i ${file} --name ${bot}`,
    },
  ],
]

function newest(): string {
  const folder = join(copies, host)
  return join(
    folder,
    readdirSync(folder)
      .filter((name) => /^\d.*Z$/.test(name))
      .toSorted()
      .at(-1) ?? '',
  )
}

function partOf(folder: string): string {
  return readdirSync(folder).find((name) => name.endsWith('.age')) ?? ''
}

const done = (how: string | (() => unknown)) => (typeof how === 'string' ? inside(how) : how())

for (const group of faults)
  test(`${group.map(({ about }) => about).join(', ')}: named, with the commands that mend them`, async () => {
    for (const { how } of group) await done(how)
    const { code, broken: seen, mends, text } = await examined()
    assert.is(code, 3)
    for (const { about, broken, mend } of group) {
      assert.equal(
        broken.filter((id) => !seen.includes(id)),
        [],
        `${about}: ${text}`,
      )
      assert.ok(
        mends.some((each) => each.includes(mend)),
        `${about}: ${mends.join('\n')}`,
      )
    }
    for (const each of mends) assert.match(each, /^(npx zx playbooks\/|ssh |mv )/)
    const token = await inside(`cat ${secrets}/token ${secrets}/webhook-secret`)
    for (const secret of token.split(/\s+/)) assert.not.ok(text.includes(secret), 'a secret is shown')
    for (const { back } of group) if (back !== undefined) await done(back)
    const said: string[] = []
    for (const each of mends) said.push(`${each}\n${await typed(each)}`)
    const after = await examined()
    assert.equal(after.broken, [], `${said.join('\n')}\n${after.text}`)
  })

test('a bot that the inventory has no longer, and one whose container is gone', async () => {
  const { 'second-bot': entry } = bots
  delete bots['second-bot']
  const without = inventory({}, { domain: `${host}.sandbox`, backups })
  bots['second-bot'] = entry ?? {}
  const { code, stdout } = await run(['playbooks/doctor.ts', '-i', without])
  assert.is(code, 3)
  assert.match(stdout, /second-bot, which is not in the inventory\n +mend: npx zx .*--name second-bot --remove/)
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
