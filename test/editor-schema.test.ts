// The schema that editors check inventories by, held against what botgarden itself takes and refuses.
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { editorSchema } from '../lib/inventory/editor-schema.ts'
import { readInventory } from '../lib/inventory/inventory.ts'
import { allRoles } from '../roles/index.ts'
import { inventoryFor } from '../sandbox/inventory.ts'
import { scratchFile } from './support/runner.ts'

const written = JSON.parse(readFileSync('inventory/schema.json', 'utf8'))
const example = readFileSync('inventory/example.yaml', 'utf8')
// Formats are notes to an editor; that of an address is the only one.
const validate = new Ajv({ strict: true, allowUnionTypes: true, validateFormats: false, allErrors: true }).compile(
  written,
)

test('the file is what `npm run schema` writes', () => {
  assert.equal(written, JSON.parse(JSON.stringify(editorSchema(allRoles))), 'run `npm run schema`')
})

for (const [title, text] of [
  ['inventory/example.yaml', example],
  ['inventory/example.yaml with every key set', example.replace(/^( *)#(?=\S)/gm, '$1')],
  ['inventory/sandbox.yaml', readFileSync('inventory/sandbox.yaml', 'utf8')],
  ['the inventory of several sandbox hosts', inventoryFor(['vps1', 'vps2'])],
  ['a host and nothing else', 'hosts: { a: }'],
  [
    'sections and roles without anything',
    'vars: { docker: }\ngroups: { g: }\nhosts: { a: { groups: [g], base: } }\nbots:',
  ],
  [
    'a user of which each level says a part',
    "vars: { base: { admin: { name: ops } } }\nhosts: { a: { base: { admin: { keys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBdJpIl9BtGTmLGzCbbFBW1WzyVZGM8CyP0b6hTTkXyC'] } } } }",
  ],
  [
    'a name of a setting in capitals, which no pattern of JSON Schema can allow',
    'hosts: { a: { base: { sysctls: { VM.swappiness: 1 } } } }',
  ],
] as const)
  test(`takes, as botgarden does: ${title}`, async () => {
    await readInventory(scratchFile('taken.yaml', text), allRoles)
    assert.ok(validate(parse(text)), JSON.stringify(validate.errors))
  })

for (const [where, text] of [
  ['', 'vars: {}'],
  ['/hosts', 'hosts: {}'],
  ['/hosts', 'hosts: [a]'],
  ['', 'hots: { a: }'],
  ['/hosts', 'hosts: { A: }'],
  ['/hosts/a', 'hosts: { a: { dokcer: {} } }'],
  ['/hosts/a/ssh', 'hosts: { a: { ssh: 22 } }'],
  ['/hosts/a/httpsPort', 'hosts: { a: { httpsPort: 8080 } }'],
  ['/hosts/a/docker', 'hosts: { a: { docker: { mirrors: [] } } }'],
  ['/vars/base/swap', 'vars: { base: { swap: -1 } }\nhosts: { a: }'],
  ['/groups/g/ufw/web/1', "groups: { g: { ufw: { web: [80, '443'] } } }\nhosts: { a: { groups: [g] } }"],
  ['/groups/g/certbot/certificate', 'groups: { g: { certbot: { certificate: mine } } }\nhosts: { a: { groups: [g] } }'],
  ['/bots/c/mode', 'hosts: { a: }\nbots: { c: { mode: push } }'],
  ['/bots/c/scratch/0', 'hosts: { a: }\nbots: { c: { scratch: [/tmp] } }'],
  ['/bots/c/token', 'hosts: { a: }\nbots: { c: { token: { file: x } } }'],
  ['/bots', 'hosts: { a: }\nbots: { C: }'],
] as const)
  test(`refuses, as botgarden does: ${text.replaceAll('\n', ' · ')}`, async () => {
    const refused = await readInventory(scratchFile('refused.yaml', text), allRoles).then(
      () => false,
      () => true,
    )
    assert.ok(refused, 'botgarden takes it')
    assert.not.ok(validate(parse(text)))
    assert.ok(
      validate.errors?.some(({ instancePath }) => instancePath === where),
      JSON.stringify(validate.errors),
    )
  })

test('an inventory that is written from ours names the schema, by its path from there, in its first line', () => {
  for (const [text, path] of [
    [example, 'schema.json'],
    [readFileSync('inventory/sandbox.yaml', 'utf8'), 'schema.json'],
    [inventoryFor(['vps1']), '../inventory/schema.json'],
  ] as const)
    assert.is(text.split('\n', 1)[0], `# yaml-language-server: $schema=${path}`)
})

test.run()
