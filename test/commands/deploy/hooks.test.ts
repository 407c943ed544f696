import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { hooksOf } from '../../../commands/deploy/hooks.ts'
import type { Inventory, InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { HostResult } from '../../../lib/report/result.ts'
import { HostError } from '../../../lib/std/errors.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { errorOf } from '../../support/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'hooks-'))
test.after(() => rmSync(folder, { recursive: true }))

const deployment = { spec: { image: 'botgarden/shop:1', mode: 'webhook' }, commit: 'c0ffee' } as Deployment
const release = ['release:shop']

/** A run of the hooks of the bot shop on vps1. */
function hooked(hooks: object, secrets: object = {}) {
  const host = {
    name: 'vps1',
    domain: 'a.example.org',
    bots: [{ name: 'shop', where: '', settings: { hooks, secrets } }],
  }
  const said: string[] = []
  const inventory = { file: 'x.yaml', hosts: [host] } as unknown as Inventory
  const { before, after } = hooksOf(new Map([['shop', deployment]]), inventory, (line) => said.push(line))
  const there = host as unknown as InventoryHost
  const asked: string[] = []
  return {
    said,
    asked,
    before: (ids: readonly string[] = release) => before(there, ids),
    after: (ids: readonly string[] = release) =>
      after(there, { changes: ids.map((id) => ({ id })) } as unknown as HostResult, async (bot) => {
        asked.push(bot)
        return '20261126-100000-1'
      }),
  }
}

test('a hook knows what is released, and no secret', async () => {
  const file = join(folder, 'variables')
  process.env.SHOP_TOKEN = 'token'
  process.env.STRIPE_KEY = 'key'
  const { after } = hooked({ after: `env >${file}` }, { STRIPE_KEY: { env: 'STRIPE_KEY' } })
  await after()
  delete process.env.SHOP_TOKEN
  delete process.env.STRIPE_KEY
  const lines = readFileSync(file, 'utf8').split('\n')
  for (const line of [
    'BOTGARDEN_BOT=shop',
    'BOTGARDEN_HOST=vps1',
    'BOTGARDEN_DOMAIN=a.example.org',
    'BOTGARDEN_IMAGE=botgarden/shop:1',
    'BOTGARDEN_MODE=webhook',
    'BOTGARDEN_COMMIT=c0ffee',
    'BOTGARDEN_RELEASE=20261126-100000-1',
  ])
    assert.ok(lines.includes(line), line)
  assert.ok(lines.some((line) => /^BOTGARDEN_INVENTORY=\/.*x\.yaml$/.test(line)))
  assert.equal(
    lines.filter((line) => /^(SHOP_TOKEN|STRIPE_KEY)=/.test(line)),
    [],
  )
})

test('what it prints is said line by line, and it has nothing to read', async () => {
  const { said, before } = hooked({ before: 'cat; echo one; echo two >&2' })
  await before()
  assert.equal(said.sort(), ['vps1  shop before: one', 'vps1  shop before: two'])
})

test('one that fails before a release stops it', async () => {
  const { before } = hooked({ before: 'echo no; exit 7' })
  const { message } = await errorOf(before(), HostError)
  assert.is(message, 'bots.shop.hooks.before ended with exit code 7: echo no; exit 7\nnothing on vps1 was touched')
})

test('one that fails after a release is a warning', async () => {
  const { said, after } = hooked({ after: 'exit 7' })
  await after()
  assert.equal(said, ['vps1  warning: bots.shop.hooks.after ended with exit code 7: the release stays'])
})

test('it runs once in a run of several stages, and not where nothing is released', async () => {
  const file = join(folder, 'once')
  const { before, after, asked } = hooked({ before: `echo x >>${file}`, after: `echo y >>${file}` })
  await before(['limits:shop'])
  await after(['limits:shop'])
  assert.not(existsSync(file))
  await before(['image:x', ...release])
  await before()
  assert.is(readFileSync(file, 'utf8'), 'x\n')
  assert.equal(asked, [])
})

test('a bot without hooks asks nobody', async () => {
  const { said, asked, before, after } = hooked({})
  await before()
  await after()
  assert.equal([said, asked], [[], []])
})

test.run()
