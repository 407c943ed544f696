import { readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { readInventory } from '../lib/inventory/inventory.ts'
import { allRoles, bot } from '../roles/index.ts'
import { inventoryFor } from '../sandbox/inventory.ts'
import { scratchFile } from './support/runner.ts'
import { takenKeys } from './support/taken-keys.ts'

const example = readFileSync('inventory/example.yaml', 'utf8')
const everyKey = example.replace(/^( *)#(?=\S)/gm, '$1')

for (const [file, title] of [
  ['inventory/sandbox.yaml', 'the sandbox'],
  ['inventory/example.yaml', 'the example as it stands'],
  [scratchFile('every-key.yaml', everyKey), 'the example with every key set'],
] as const) {
  test(`the schema knows every key of ${title}`, async () => {
    const { hosts } = await readInventory(file, allRoles)
    assert.ok(hosts.length > 0)
  })
}

test('the inventory of several sandbox hosts is the default one, for each of them', async () => {
  const [standard] = (await readInventory('inventory/sandbox.yaml', allRoles)).hosts
  const text = inventoryFor(['vps1', 'vps2'])
  assert.match(text, /^sshConfig: ssh_config$/m)
  const { hosts } = await readInventory(scratchFile('several.yaml', text), allRoles)
  const vars = (host?: { vars: unknown }) => JSON.stringify(host?.vars)
  assert.is(vars(hosts[0]), vars(standard))
  assert.is(vars(hosts[1]), vars(standard).replaceAll('vps1', 'vps2'))
})

test('every var of every role is explained in the example', () => {
  for (const { name, vars } of allRoles) {
    const entries = Object.keys((vars as unknown as { entries: Record<string, unknown> }).entries)
    for (const key of [name, ...entries]) assert.match(example, new RegExp(`^[ #]*${key}:`, 'm'), key)
  }
})

test('every key of a bot is explained in the example', () => {
  const entries = bot.bots === undefined ? [] : takenKeys(bot.bots)
  assert.ok(entries.length > 10)
  for (const key of entries) assert.match(example, new RegExp(`^[ #]*${key}:`, 'm'), key)
})

test('a copy of the example lets nobody in and opens nothing', () => {
  assert.not.match(example, /^ *(admin|keys|allow|sshFrom):/m)
})

test.run()
