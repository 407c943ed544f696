// What --exec and --psql refuse, and what they run.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { execInBot, psqlOfBot } from '../../../commands/deploy/exec/index.ts'
import { psqlScript } from '../../../commands/deploy/exec/psql.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { rejects } from '../../support/errors.ts'
import { connectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'
import { inventoryHost } from '../../support/stand-in.ts'

const current = '/var/lib/botgarden/bots/shop/current.json'
const record = (keys: object = {}) => {
  const spec = { ...specOf('shop:1', {}, {}), processes: { worker: { image: 'shop:1', command: ['x'] } }, ...keys }
  return JSON.stringify({ id: '1', spec, colour: 'green', secrets: {}, by: 'me' })
}
const sessionOn = (host: ScratchHost, check = false) =>
  ({
    options: { check },
    report: { line: () => {}, close: () => {} },
    connected: (_: unknown, use: (connection: unknown) => unknown) => use(connectionTo(host)),
  }) as unknown as Session
const exec = (host: ScratchHost, process?: string, check?: boolean) =>
  execInBot(sessionOn(host, check), inventoryHost, 'shop', { command: ['ls'], process })
const psql = (host: ScratchHost) => psqlOfBot(sessionOn(host), inventoryHost, 'shop')

test('a bot that was never released has no console', async () => {
  await rejects(exec(scratchHost()), 'shop has no release on this host: deploy it first')
  const torn = scratchHost()
  torn.write(current, record().slice(0, 40))
  await rejects(psql(torn), 'shop has no release on this host: deploy it first')
})

test('a process that it has not, one that does not run, and a check are refused', async () => {
  const host = scratchHost()
  host.write(current, record())
  await rejects(exec(host, 'wroker'), 'shop has no process "wroker" (did you mean "worker"?): it has bot, worker')
  await rejects(
    exec(host, 'worker'),
    'vps1: botgarden-shop.worker-green does not run: npx zx playbooks/bot.ts --name shop --logs',
  )
  host.container('botgarden-shop-blue')
  await rejects(
    exec(host, 'bot'),
    'vps1: botgarden-shop-green does not run: npx zx playbooks/bot.ts --name shop --logs',
  )
  await rejects(exec(host, undefined, true), '--exec may change anything, and --check changes nothing')
})

test('psql is for a bot with a database, whose password the host has', async () => {
  const host = scratchHost()
  host.write(current, record({ database: false }))
  await rejects(psql(host), /^--psql: shop has no database: /)
  host.write(current, record())
  await rejects(psql(host), 'vps1: /etc/botgarden/secrets/bots/shop/pgpass is missing: npx zx playbooks/site.ts')
})

test('psql runs beside the server, as the user and the role of the bot, with one password and no network', () => {
  const { text } = psqlScript('my-shop', 20_007, false)
  for (const part of ['--user 20007:20007', '--network none', 'PGUSER=my_shop', 'PGDATABASE=my_shop', '--cap-drop ALL'])
    assert.match(text, part)
  assert.match(text, 'ON_ERROR_STOP=1')
  assert.not.match(text, 'docker exec')
  assert.not.match(text, ' -t ')
  assert.match(psqlScript('my-shop', 20_007, true).text, ' -t ')
})

test.run()
