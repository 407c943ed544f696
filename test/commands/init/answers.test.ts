import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { answersOf } from '../../../commands/init/answers.ts'
import { knownOf } from '../../../commands/init/known.ts'
import type { Prompt } from '../../../commands/init/prompt.ts'
import { UsageError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'init-answers-'))
test.after(() => rmSync(folder, { recursive: true }))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const token = `123456:${'a'.repeat(35)}`
const tokenFile = file('token', `${token}\n`)
const noAliases = file('ssh_config', 'Host web\n  HostName 192.0.2.9\n')

/** Answers by these flags, in a folder with this inventory and this `.env`, without a terminal unless there are answers. */
function answered(
  flags: Record<string, string>,
  { text = '', env = '', prompt }: { text?: string; env?: string; prompt?: Prompt } = {},
) {
  const given = new Map(Object.entries(flags).map(([name, value]) => [name, [value]]))
  const envFile = file('.env', env)
  return answersOf(given, (name) => knownOf(text, envFile, name), prompt, noAliases)
}

const all = {
  host: '203.0.113.7',
  domain: 'bots.example.org',
  email: 'ops@example.org',
  bot: 'hello-bot',
  'token-file': tokenFile,
}

test('every answer may be a flag', async () => {
  const { token: secret, ...answers } = await answered(all)
  assert.is(secret?.reveal(), token)
  const { host: _, 'token-file': __, ...same } = all
  assert.equal(answers, { ...same, name: 'vps1', ssh: 'root@203.0.113.7' })
})

for (const [host, user, ssh] of [
  ['203.0.113.7:2222', undefined, 'root@203.0.113.7:2222'],
  ['203.0.113.7', 'debian', 'debian@203.0.113.7'],
  ['ops@203.0.113.7', undefined, 'ops@203.0.113.7'],
  ['[2001:db8::1]:22', undefined, 'root@[2001:db8::1]:22'],
  ['web', undefined, 'web'],
  ['web', 'ops', 'ops@web'],
] as const)
  test(`${user ?? 'nobody'} at ${host} is ${ssh}`, async () =>
    assert.is((await answered({ ...all, host, ...(user && { user }) })).ssh, ssh))

test('without a domain nobody is written to', async () => {
  const { email: _, ...others } = all
  const { domain, email } = await answered({ ...others, domain: 'none' })
  assert.equal([domain, email], ['', ''])
})

test('what an earlier run has written is answered', async () => {
  const text =
    'vars: { certbot: { email: a@example.org } }\nhosts: { web1: { ssh: ops@192.0.2.1, domain: a.example.org } }\nbots: { shop: }\n'
  assert.equal(await answered({}, { text, env: `SHOP_TOKEN=${token}\n` }), {
    ...{ name: 'web1', ssh: 'ops@192.0.2.1', domain: 'a.example.org', email: 'a@example.org', bot: 'shop' },
    token: undefined,
  })
  assert.is((await answered({ user: 'root' }, { text, env: `SHOP_TOKEN=${token}\n` })).ssh, 'root@192.0.2.1')
})

const bad: readonly (readonly [flags: Record<string, string>, said: string | RegExp])[] = [
  [{ host: '-oProxyCommand=x' }, '--host: should be an alias of ssh_config or user@host:port'],
  [{ host: 'a:99999' }, '--host: should be'],
  [{ user: 'a b' }, '--user: should be the name of a user, found "a b"'],
  [{ host: 'a@b', user: 'c' }, '--user: --host names one already'],
  [{ domain: 'Bots.example.org' }, '--domain: should be a domain name in lower case'],
  [{ domain: 'localhost' }, '--domain: should be'],
  [{ domain: 'https://a.example.org' }, '--domain: should be'],
  [{ email: 'me' }, '--email: should be an e-mail address, found "me"'],
  [{ bot: 'Hello_Bot' }, '--bot: should be of a-z, 0-9 and single "-"'],
  [{ bot: 'postgres' }, '--bot: should be not a name of the core'],
  [{ 'host-name': 'VPS 1' }, '--host-name: should be of a-z'],
  [{ 'token-file': '/nowhere' }, /--token-file \/nowhere: cannot be read: ENOENT/],
  [{ 'token-file': file('empty', '\n') }, /--token-file .*empty: is empty/],
  [{ 'token-file': file('short', '123456:abc') }, /--token-file .*short: is not a bot token/],
]
for (const [flags, said] of bad)
  test(`is refused by the name of its flag: ${JSON.stringify(flags)}`, async () => {
    const { message } = await errorOf(answered({ ...all, ...flags }), UsageError)
    assert.match(message, said)
    assert.not.match(message, '123456:abc')
    assert.match(message, /see: npx zx playbooks\/init\.ts --help$/)
  })

test('all that is missing is told at once, and all that is wrong', async () => {
  const { message } = await errorOf(answered({ host: 'a', email: 'x' }), UsageError)
  for (const said of [
    /^--domain is missing/m,
    /^--email: should be/m,
    /^--bot is missing/m,
    /^--token-file is missing/m,
  ])
    assert.match(message, said)
  assert.match(message, 'there is no terminal to ask on')
})

/** A person who gives these answers, in their order. */
function person(answers: readonly string[]) {
  const asked: [message: string, initial: string | undefined][] = []
  const left = [...answers]
  const answer: Prompt['text'] = async ({ message, initial, fault }) => {
    asked.push([message, initial])
    const said = left.shift() ?? ''
    const typed = said === '' ? (initial ?? '') : said
    assert.is(fault(typed), undefined, `${message} ${typed}`)
    return typed
  }
  return { asked, prompt: { text: answer, secret: answer, yes: async () => true } }
}

test('a person is asked for what no flag says, and shown what stands there', async () => {
  const { asked, prompt } = person(['', '', 'none', '', token])
  const text = 'hosts: { vps1: { ssh: ops@192.0.2.1, domain: a.example.org } }\n'
  const answers = await answered({ user: 'ops' }, { text, prompt })
  assert.equal(
    asked.map(([, initial]) => initial),
    ['192.0.2.1', 'a.example.org', '', 'hello-bot', undefined],
  )
  assert.equal(
    { ...answers, token: answers.token?.reveal() },
    {
      ...{ name: 'vps1', ssh: 'ops@192.0.2.1', domain: 'a.example.org', email: '', bot: 'hello-bot' },
      token,
    },
  )
})

test('a wrong flag is told before anybody is asked', async () => {
  const { asked, prompt } = person([])
  await errorOf(answered({ host: '-x' }, { prompt }), UsageError)
  assert.equal(asked, [])
})

test.run()
