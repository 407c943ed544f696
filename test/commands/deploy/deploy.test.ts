import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { deploy } from '../../../commands/deploy/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { bot } from '../../../roles/bot/index.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { facts } from '../../support/fake-host.ts'

const tokenOf = (name: string) => ({ command: `echo ${name.charCodeAt(1)}:abcdefghijklmnopqrstuv` })
const entry = (name: string) => ({
  name,
  where: 'x.yaml:1:1',
  settings: { image: `${name}:1`, token: tokenOf(name) },
})
const hostOf = (name: string, ...bots: string[]): InventoryHost => ({
  ...{ name, ssh: name, domain: `${name}.example.org`, httpsPort: 443, groups: [] },
  ...{ bots: bots.map(entry), vars: { bot: v.parse(bot.vars, {}) } },
})
const hosts = [hostOf('vps1', 'one', 'two'), hostOf('vps2', 'three')]
const past = { id: '1', spec: specOf('x:1', {}, {}), colour: 'blue', secrets: {}, by: 'me' }
const releases = [past, { ...past, id: '2', spec: { ...past.spec, image: 'x:2' } }].map((each) => JSON.stringify(each))

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** A run of bot.ts with these options, at a host whose Telegram says this: its exit code, and what the host was asked. */
async function deployed(given: Record<string, string[]>, telegram = '{"ok":true}') {
  const asked: string[] = []
  const connection = {
    facts,
    request: async (script: (nonce: string) => string, { text }: { text?: (bytes: Buffer) => void }) => {
      asked.push(script('N'))
      const isTelegram = script('N').includes('curl ')
      const answer = script('N').includes('image inspect')
        ? 'x:1\nx:2\n'
        : `${base64(`${releases.join('\n')}\n`)}\n${base64(`${releases[1]}\n`)}\n`
      text?.(Buffer.from(isTelegram ? telegram : answer))
      return 0
    },
  } as unknown as Connection
  const session = {
    ...{ hosts, inventory: { file: 'x.yaml', hosts, sandbox: false, sshConfig: undefined } },
    options: { own: new Map(Object.entries(given)), check: false },
    report: { line: () => {} },
    converge: async (
      some: readonly InventoryHost[],
      roles: (host: InventoryHost, c: Connection) => Promise<unknown>,
    ) => {
      for (const host of some) await roles(host, connection)
      return 0
    },
    connected: (_: InventoryHost, use: (c: Connection) => Promise<unknown>) => use(connection),
  } as unknown as Session
  const code = await deploy(session, () => false)
  return { code, told: asked.filter((script) => script.includes('curl ')) }
}

for (const action of ['logs', 'remove', 'rollback', 'releases', 'rollback-to'])
  test(`--${action} is for one bot, and says so instead of taking the first`, async () => {
    for (const name of [['one,two'], ['one', 'three']])
      await refused({ name, [action]: ['1'], yes: [] }, new RegExp(`--${action} takes exactly one bot: --name BOT`))
  })

test('what waits is dropped after a release, of these bots alone', async () => {
  const { code, told } = await deployed({ name: ['one'], 'drop-pending': [] })
  assert.is(code, 0)
  assert.is(told.length, 1)
  assert.match(told[0] ?? '', /drop_pending_updates=true/)
})

test('a rollback drops what waits as well, with what is told of the version that it went back to', async () => {
  const { code, told } = await deployed({ name: ['one'], rollback: [], 'drop-pending': [] })
  assert.is(code, 0)
  assert.match(told.join(''), /drop_pending_updates=true/)
  assert.equal((await deployed({ name: ['one'], rollback: [] })).told, [])
})

test('what Telegram did not drop is a failure', async () => {
  for (const more of [{}, { rollback: [] }])
    assert.is((await deployed({ name: ['one'], 'drop-pending': [], ...more }, '{"ok":false}')).code, 3)
})

test('--drop-pending is refused where nothing is released', () =>
  refused({ name: ['one'], logs: [], 'drop-pending': [] }, /--drop-pending goes with a release or a rollback/))

async function refused(given: Record<string, string[]>, said: RegExp): Promise<void> {
  await deployed(given).then(
    () => assert.unreachable('nothing was refused'),
    (error: Error) => assert.match(error.message, said),
  )
}

test.run()
