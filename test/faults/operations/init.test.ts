// Needs bare VPSs of its own: `newcomer`, the machine of somebody who begins, and `first` and `second`, the hosts of that person.

import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { quote } from '../../../lib/shell/sh.ts'
import { freshVps, removeVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { paths } from '../../../sandbox/machine/paths.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { outputIn } from '../../support/vps/inside.ts'
import { newcomer } from '../../support/vps/newcomer.ts'

const person = newcomer('newcomer')
const garden = '/root/garden'
const inventory = `${garden}/inventory.yaml`
let telegram: TelegramClient

/** What stands in for the internet: without it the inventory of a newcomer is not there yet. */
const standIns = `# What stands in for the internet here.
vars:
  docker: { registryMirrors: ['http://mirror.sandbox:5000'] } # no public registry
  nginx: { telegram: ['10.212.0.0/16'] }
  certbot:
    server: https://pebble.sandbox:14000/dir
    authority: acme-ca.pem
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 2 }
`

const fingerprintOf = async (host: string) =>
  /SHA256:\S+/.exec(await outputIn(host)('ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub'))?.[0] ?? ''
const tokenOf = async (name: string) => (await telegram.ensureBot(name)).token

/** The commands that are left to type, as a run says at its end. */
const commandsIn = (text: string) =>
  [...text.matchAll(/^\W*(npx zx playbooks\/.*)$/gm)].map(([, line = '']) => line.trim())

async function chats(name: string): Promise<string> {
  const chat = Math.floor(Date.now() / 1000)
  await telegram.act(name, { chat, text: '/help', language: 'en' })
  for (let tries = 0, after = 0; tries < 20; tries++)
    for (const entry of await telegram.chat(name, chat, { after, wait: 1 })) {
      after = entry.seq
      if (entry.from === 'bot') return entry.text
    }
  return 'no answer'
}

test.before(async () => {
  for (const host of ['first', 'second']) await freshVps(host)
  await person.begin('first')
  telegram = telegramAt(await telegramControlUrl())
  await person.at(`mkdir -p ${garden} && git init --quiet ${garden}`)
  await person.write(`${garden}/acme-ca.pem`, readFileSync(paths.acmeCa, 'utf8'))
  await person.write(inventory, standIns)
})
test.after(async () => {
  for (const host of ['newcomer', 'first', 'second']) await removeVps(host)
})

/** A command line of init.ts; '': without that flag. */
const flags = async (more: Record<string, string> = {}) => {
  const all = {
    ...{ i: inventory, host: 'first.sandbox', fingerprint: await fingerprintOf('first'), domain: 'first.sandbox' },
    ...{ email: 'ops@example.org', bot: 'first-bot', 'token-file': '/root/token', ...more },
  }
  const given = Object.entries(all).filter(([, value]) => value !== '')
  const words = given.map(([flag, value]) => `${flag === 'i' ? '-i' : `--${flag}`} ${quote(value)}`)
  return `npx zx playbooks/init.ts ${words.join(' ')} </dev/null`
}

/** What is asked for a bot on `second`, and the answers. */
const questions = async (bot: string): Promise<(readonly [question: string, answer: string])[]> => [
  ['The address of the VPS', 'second.sandbox'],
  ['Who logs in', ''],
  ['The domain', 'second.sandbox'],
  ['certificate authority', ''],
  ['first bot is called', `\x15${bot}`],
  [`The token of ${bot}`, await tokenOf(bot)],
  ['Is it the same?', 'y'],
]

test('without a terminal every answer that is missing is named by its flag, and nothing is written', async () => {
  const { status, all } = await person.type(`npx zx playbooks/init.ts -i ${inventory} --host first.sandbox </dev/null`)
  assert.is(status, 1, all)
  for (const flag of ['--domain', '--email', '--bot', '--token-file']) assert.match(all, `${flag} is missing`)
  assert.is(await person.read(inventory), standIns.trim())
})

for (const [what, more, code, said] of [
  ['a host key that nobody has compared', { fingerprint: '' }, 1, /if it is the same: --fingerprint SHA256:\S{43}$/],
  [
    'a fingerprint of another key',
    { fingerprint: `SHA256:${'A'.repeat(43)}` },
    4,
    'its host key is not the one of --fingerprint',
  ],
  ['a user who may not log in', { user: 'nobody' }, 4, /the login was refused.*\ntry: ssh /],
  [
    'a user without sudo',
    { user: 'guest' },
    4,
    /guest may not use sudo without a password: .*\nlog in as root, or put/,
  ],
  [
    'a host that is not there',
    { host: 'third.sandbox' },
    4,
    /cannot be reached.*\nno address is known for third\.sandbox/,
  ],
  [
    'a port that is closed',
    { host: 'first.sandbox:2222' },
    4,
    /cannot be reached.*\nsee that the address and the port are right.*\ntry: ssh .*-p 2222 /,
  ],
  ['a token that Telegram does not know', { 'token-file': '/root/wrong-token' }, 3, 'Telegram refuses this token'],
] as const)
  test(`nothing is written for ${what}`, async () => {
    await person.write('/root/token', await tokenOf('first-bot'))
    await person.write('/root/wrong-token', `1:${'x'.repeat(35)}`)
    await outputIn('first')(
      'id guest 2>/dev/null || useradd --create-home guest; cp -r ~/.ssh ~guest && chown -R guest ~guest/.ssh',
    )
    const { status, all } = await person.type(await flags(more))
    assert.is(status, code, all)
    assert.match(all, said)
    assert.not.match(all, 'x'.repeat(35))
    assert.is(await person.read(inventory), standIns.trim())
    assert.is((await person.at(`ls -A ${garden}`)).stdout, '.git\nacme-ca.pem\ninventory.yaml')
  })

for (const [what, last] of [
  ['a question stands there', 'The token of third-bot'],
  ['the host key is shown', 'Is it the same?'],
] as const)
  test(`Ctrl-C while ${what} leaves nothing behind`, async () => {
    const all = await questions('third-bot')
    const before = all.slice(
      0,
      all.findIndex(([question]) => question === last),
    )
    const command = 'npx zx playbooks/init.ts -i /root/third/inventory.yaml'
    const { code, shown, unasked } = await person.talk(command, [...before, [last, '\x03']])
    assert.equal([code, unasked], [130, []], shown)
    assert.match(shown, /nothing was written\s+botgarden: stopped by Ctrl-C/)
    assert.is((await person.at('test -e /root/third || ssh-keygen -F second.sandbox')).status, 1)
  })

test('what is wrong outside is said with what to do, and the rest is written', async () => {
  const closed = await outputIn('first')(
    'apt-get update >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nftables >/dev/null && nft add table inet t && nft add chain inet t in "{ type filter hook input priority 0; }" && nft add rule inet t in tcp dport 80 drop && echo closed',
  )
  assert.match(closed, 'closed')
  const i = '/root/other/inventory.yaml'
  await person.write(i, standIns)
  const { status, all } = await person.type(await flags({ i, domain: 'second.sandbox' }))
  await outputIn('first')('nft delete table inet t')
  assert.is(status, 3, all)
  assert.match(all, "second.sandbox leads to an address that is not the host's")
  assert.match(all, /port 80 of \S+ cannot be reached from here: open it in the provider's firewall/)
  assert.not.match(all, 'port 443')
  assert.is(parse(await person.read(i)).hosts.vps1.domain, 'second.sandbox')
})

test('from init.ts to a bot that chats, by flags alone and what it says to type', async () => {
  const begun = await person.type(await flags())
  assert.is(begun.status, 0, begun.all)
  assert.match(begun.all, /first-bot\S*\s+made from the model/)
  assert.match(begun.all, 'ports  80 and 443')
  assert.equal((await person.at(`stat -c %a ${garden}/.env`)).stdout, '600')
  assert.is(await person.read(`${garden}/.gitignore`), '.env')
  const written = await person.read(inventory)
  for (const line of standIns.trim().split('\n')) assert.ok(written.includes(line), line)
  const { hosts, bots, vars } = parse(written)
  assert.equal(hosts, { vps1: { ssh: 'root@first.sandbox', domain: 'first.sandbox' } })
  assert.equal([bots, vars.certbot.email], [{ 'first-bot': { host: 'vps1' } }, 'ops@example.org'])

  const commands = commandsIn(begun.stdout)
  assert.is(commands.length, 2)
  for (const command of commands) {
    const { status, all } = await person.type(command)
    assert.is(status, 0, `${command}\n${all}`)
  }
  assert.match(await chats('first-bot'), '/start – say hello')
})

test('again: what is answered the same stays, and what differs is changed alone', async () => {
  const stat = `stat -c %Y.%i ${inventory} ${garden}/.env`
  const [text, before] = [await person.read(inventory), (await person.at(stat)).stdout]
  const same = await person.type(`npx zx playbooks/init.ts -i ${inventory} </dev/null`)
  assert.is(same.status, 0, same.all)
  assert.is((await person.at(stat)).stdout, before)
  const other = await person.type(`npx zx playbooks/init.ts -i ${inventory} --email me@example.org </dev/null`)
  assert.is(other.status, 0, other.all)
  assert.is(await person.read(inventory), text.replace('ops@example.org', 'me@example.org'))
})

test('the same on a terminal, where each answer is asked for', async () => {
  const file = '/root/second/inventory.yaml'
  await person.write(file, standIns)
  await person.write('/root/second/acme-ca.pem', readFileSync(paths.acmeCa, 'utf8'))
  const token = await tokenOf('second-bot')
  const { code, shown, unasked } = await person.talk(
    `npx zx playbooks/init.ts -i ${file}`,
    await questions('second-bot'),
  )
  assert.is(code, 0, shown)
  assert.equal(unasked, [])
  assert.match(shown, await fingerprintOf('second'))
  assert.not.match(shown, token)
  assert.equal(parse(await person.read(file)).hosts, { vps1: { ssh: 'root@second.sandbox', domain: 'second.sandbox' } })
  for (const command of commandsIn(shown.replaceAll('\r', ''))) {
    const { status, all } = await person.type(command)
    assert.is(status, 0, `${command}\n${all}`)
  }
  assert.match(await chats('second-bot'), '/start – say hello')
})

test.run()
