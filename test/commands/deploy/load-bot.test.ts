import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { loadBot } from '../../../commands/deploy/load-bot.ts'
import { loginsOf } from '../../../commands/deploy/secret-sources.ts'
import { secretReader } from '../../../lib/cli/secret-reader.ts'
import { InventoryError } from '../../../lib/std/errors.ts'
import { rejects } from '../../support/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'prepare-test-'))
test.after(() => rmSync(folder, { recursive: true }))

test('a NUL byte in what a bot says of itself is told with its line', async () => {
  const source = join(folder, 'nul-bot')
  mkdirSync(source)
  writeFileSync(join(source, 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(source, 'bot.yaml'), 'port: 3000\nmigrate: [node, "migrate\\0.ts"]\n')
  const entry = { name: 'nul-bot', where: 'x.yaml:2:3', settings: { source } }
  await rejects(loadBot(entry), /nul-bot\/bot\.yaml:2:17: a NUL byte, which no program can be given$/, InventoryError)
})

test('a domain in bot.yaml is told where it belongs', async () => {
  const source = join(folder, 'domain-bot')
  mkdirSync(source)
  writeFileSync(join(source, 'Dockerfile'), 'FROM scratch\n')
  const entry = { name: 'domain-bot', where: 'x.yaml:2:3', settings: { source } }
  for (const [line, column] of [
    ['domains: [shop.example.org]', 1],
    ['domain: shop.example.org', 1],
  ] as const) {
    writeFileSync(join(source, 'bot.yaml'), `port: 3000\n${line}\n`)
    const said = new RegExp(
      `bot\\.yaml:2:${column}: domains?: unknown key: a domain belongs to the place .*goes into the inventory, under "bots:"`,
    )
    await rejects(loadBot(entry), said, InventoryError)
  }
})

test('a repository has no command run on this machine', async () => {
  const source = join(folder, 'hooked-bot')
  mkdirSync(source)
  writeFileSync(join(source, 'Dockerfile'), 'FROM scratch\n')
  writeFileSync(join(source, 'bot.yaml'), 'port: 3000\nhooks: { before: touch /tmp/x }\n')
  const entry = { name: 'hooked-bot', where: 'x.yaml:2:3', settings: { source } }
  await rejects(loadBot(entry), /bot\.yaml:2:1: hooks: unknown key: .*"hooks:" goes into the inventory/, InventoryError)
})

test('a secret that is no text is told with its key', async () => {
  const nul = { command: String.raw`printf 'a\0b'` }
  const settings = { image: 'a:1', secrets: { KEY: nul } }
  const entry = { name: 'nul-bot', where: 'x.yaml:2:3', settings }
  await rejects(loadBot(entry), /^x\.yaml:2:3: bots\.nul-bot\.secrets\.KEY: the command prints a NUL/, InventoryError)
  const registries = { 'registry.example.org': { username: 'me', password: nul } }
  const logins = loginsOf({ registries }, 'registry.example.org/a:1', secretReader())
  await rejects(logins, /^bot\.registries\.registry\.example\.org\.password: .* a NUL byte/, InventoryError)
})

const helloBot = { name: 'hello-bot', where: 'x.yaml:9:3', settings: {} }

test('what is missing on this machine is said before any host is touched', async () => {
  await rejects(
    loadBot({ ...helloBot, name: 'no-bot' }),
    /no folder bots\/no-bot: create it: npx zx playbooks\/new-bot.ts --name no-bot/,
  )
  await rejects(loadBot({ ...helloBot, settings: { image: 'a:1', source: 'b' } }), /both image and source/)
  await rejects(
    loadBot({ ...helloBot, settings: { image: 'a:1', token: { command: 'echo nonsense' } } }),
    /is not a bot token/,
  )
  await rejects(
    loadBot({ ...helloBot, settings: { image: 'a:1', token: { command: 'echo why >&2; exit 3' } } }),
    /exit code 3[\s\S]*why/,
  )
  await rejects(
    loadBot({ ...helloBot, settings: { image: 'a:1' } }, undefined, undefined, 'bots/hello-bot'),
    /--source builds one/,
  )
  const { token, pull } = await loadBot({
    ...helloBot,
    settings: { image: 'a:1', token: { command: 'echo 123456:abcdefghijklmnopqrstuv' } },
  })
  assert.ok(pull)
  assert.is(String(token), '***')
})

test.run()
