import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { explain, explainedText } from '../../../lib/inventory/explain.ts'
import { readInventory } from '../../../lib/inventory/inventory.ts'
import { readYaml } from '../../../lib/inventory/yaml.ts'
import { UsageError } from '../../../lib/std/errors.ts'
import { rejects } from '../../support/errors.ts'

const roles = [
  {
    name: 'base',
    vars: v.strictObject({
      swap: v.optional(v.number()),
      sysctls: v.optional(v.record(v.string(), v.number()), {}),
      journal: v.optional(v.strictObject({ maxUse: v.optional(v.string(), '200M') }), {}),
    }),
  },
  { name: 'docker', vars: v.strictObject({ mirrors: v.optional(v.array(v.string()), []) }) },
]

const file = join(mkdtempSync(join(tmpdir(), 'explain-test-')), 'x.yaml')
test.after(() => rmSync(join(file, '..'), { recursive: true }))
writeFileSync(
  file,
  `vars:
  base: { swap: 512 }
groups:
  core:
    base:
      swap: 1024
      sysctls: { vm.swappiness: 10 }
    docker: { mirrors: [http://a] }
hosts:
  vps1:
    groups: [core]
    base: { swap: 2048 }
  vps2:
`,
)

test('a value is traced to the level that set it, and to what it overrides there', async () => {
  assert.is(
    await explained('base.swap'),
    `base.swap
  vps1  2048  (host vps1, FILE:12:13)
        over 1024  (group core, FILE:6:7)
        over 512  (vars, FILE:2:11)
  vps2  512  (vars, FILE:2:11)`,
  )
})

test('what no level sets is the default of its role, or not set at all', async () => {
  assert.is(
    await explained('base.journal'),
    `base.journal.maxUse
  vps1  "200M"  (the role's default)
  vps2  "200M"  (the role's default)`,
  )
  writeFileSync(`${file}.bare`, 'hosts: { vps1: }')
  assert.is(await explained('base.swap', `${file}.bare`), 'base.swap\n  vps1  not set')
})

test('a name with dots in it, and one that only some host has', async () => {
  assert.is(
    await explained('base.sysctls.vm.swappiness'),
    `base.sysctls.vm.swappiness
  vps1  10  (group core, FILE:7:18)
  vps2  not set`,
  )
})

test('a list is one value', async () => {
  assert.match(await explained('docker.mirrors'), `vps1  ["http://a"]  (group core, FILE:8:15)`)
})

test('a whole role is told variable by variable', async () => {
  const keys = (await explained('base')).split('\n').filter((line) => /^\w/.test(line))
  assert.equal(keys.sort(), ['base.journal.maxUse', 'base.swap', 'base.sysctls', 'base.sysctls.vm.swappiness'])
})

for (const [key, near] of [
  ['base.swpa', ' (did you mean "base.swap"?)'],
  ['dokcer', ' (did you mean "docker"?)'],
  ['base.swap.size', ''],
  ['quite-other', ''],
] as const) {
  test(`"${key}" is no variable`, async () => {
    await rejects(explained(key), `--explain: unknown variable "${key}"${near}`, UsageError)
  })
}

async function explained(key: string, from = file): Promise<string> {
  const { hosts } = await readInventory(from, roles)
  return explainedText(explain(key, await readYaml(from), hosts, roles)).replaceAll(from, 'FILE')
}

test.run()
