import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import type { Answers } from '../../../commands/init/answers.ts'
import { envText, inventoryText, writeAnswers } from '../../../commands/init/write-files.ts'
import { inventoryOf } from '../../../lib/inventory/inventory.ts'
import { parseYaml } from '../../../lib/inventory/yaml.ts'
import { InventoryError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { allRoles } from '../../../roles/index.ts'
import { thrown } from '../../support/errors.ts'

const root = mkdtempSync(join(tmpdir(), 'init-files-'))
test.after(() => rmSync(root, { recursive: true }))
const token = new Secret(`123456:${'b'.repeat(35)}`)
const answers: Answers = {
  ...{ name: 'vps1', ssh: 'root@203.0.113.7', domain: 'bots.example.org', email: 'ops@example.org', bot: 'hello-bot' },
  token,
}

test('a new inventory is one that the reader takes, and names its schema', () => {
  const text = inventoryText('', 'inventory/production.yaml', answers)
  assert.match(text, /^# yaml-language-server: \$schema=schema\.json\n/)
  assert.equal(parse(text), {
    vars: { certbot: { email: 'ops@example.org' } },
    hosts: { vps1: { ssh: 'root@203.0.113.7', domain: 'bots.example.org' } },
    bots: { 'hello-bot': { host: 'vps1' } },
  })
  const { hosts } = inventoryOf(parseYaml(text, 'x.yaml'), 'x.yaml', allRoles)
  assert.equal(
    hosts[0]?.bots.map(({ name }) => name),
    ['hello-bot'],
  )
})

test('one elsewhere names the schema from there', () => {
  const [first = ''] = inventoryText('', join(root, 'garden/inventory.yaml'), answers).split('\n')
  const path = first.replace('# yaml-language-server: $schema=', '')
  assert.ok(existsSync(join(root, 'garden', path)), first)
})

test('the same answers leave every byte', () => {
  const text = inventoryText('', 'x.yaml', answers)
  assert.is(inventoryText(text, 'x.yaml', answers), text)
  const mine = `# mine\nhosts:   { vps1: { ssh: root@203.0.113.7,  domain: "bots.example.org" } }\nvars: { certbot: { email: ops@example.org } }\nbots: { hello-bot: }\n`
  assert.is(inventoryText(mine, 'x.yaml', answers), mine)
})

test('an e-mail address of the host alone stays its own, and a domain can go', () => {
  const text = `hosts:\n  vps1:\n    certbot: { email: a@example.org } # mine\n    domain: bots.example.org\n`
  assert.match(inventoryText(text, 'x.yaml', answers), 'certbot: { email: ops@example.org } # mine')
  const without = parse(inventoryText(text, 'x.yaml', { ...answers, domain: '', email: '' }))
  assert.equal(without.hosts.vps1, { certbot: { email: 'a@example.org' }, ssh: 'root@203.0.113.7' })
})

test('one that cannot be changed is told what to write', () => {
  const text = 'x: &h { ssh: a }\nhosts: { vps1: *h }\n'
  const { message } = thrown(() => inventoryText(text, 'x.yaml', answers), InventoryError)
  assert.match(
    message,
    /^x\.yaml: is written in a way .*by hand\n {2}vars\.certbot\.email: ops@example\.org\n {2}hosts\.vps1\.ssh: root@/,
  )
})

test('a variable of .env is set, and every other line stays', () => {
  assert.is(envText('', 'A_TOKEN', token), `A_TOKEN=${token.reveal()}\n`)
  assert.is(envText('# x\nA_TOKEN=old\nB=1', 'A_TOKEN', token), `# x\nA_TOKEN=${token.reveal()}\nB=1`)
  assert.is(envText('AA_TOKEN=old', 'A_TOKEN', token), `AA_TOKEN=old\nA_TOKEN=${token.reveal()}\n`)
})

/** Writes the answers into a folder; returns what was said of that. */
async function written(folder: string, more: Partial<Answers> = {}) {
  const [file, envFile] = [join(folder, 'inventory.yaml'), join(folder, '.env')]
  const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const all = { ...answers, ...more }
  const said: string[] = []
  const made: string[] = []
  await writeAnswers({
    ...{ file, envFile, answers: all, after: inventoryText(before, file, all) },
    makeBot: (bot) => void made.push(bot),
    say: (line) => said.push(line.replaceAll(folder, '')),
  })
  return { said, made }
}

test('files are written whole, the secret for its owner alone, and again only where they differ', async () => {
  const folder = join(root, 'new')
  assert.equal(await written(folder), { said: ['/.env  written', '/inventory.yaml  written'], made: ['hello-bot'] })
  assert.is(statSync(join(folder, '.env')).mode & 0o777, 0o600)
  chmodSync(join(folder, '.env'), 0o644)
  const { ino } = statSync(join(folder, 'inventory.yaml'))
  assert.equal((await written(folder)).said, ['/.env  is as answered', '/inventory.yaml  is as answered'])
  assert.is(statSync(join(folder, '.env')).mode & 0o777, 0o600)
  assert.is(statSync(join(folder, 'inventory.yaml')).ino, ino)
  assert.equal((await written(folder, { email: 'me@example.org', token: undefined })).said, [
    '/inventory.yaml  written',
  ])
})

test('git leaves the secret out, in a repository of the operator', async () => {
  const folder = join(root, 'garden')
  mkdirSync(folder)
  execFileSync('git', ['init', '--quiet', folder])
  writeFileSync(join(folder, '.gitignore'), 'node_modules')
  await written(folder)
  assert.is(readFileSync(join(folder, '.gitignore'), 'utf8'), 'node_modules\n.env\n')
  await written(folder)
  assert.is(readFileSync(join(folder, '.gitignore'), 'utf8'), 'node_modules\n.env\n')
})

test.run()
