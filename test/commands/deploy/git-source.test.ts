import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { commitOf, fetchSource } from '../../../commands/deploy/git-source.ts'
import { loadBot } from '../../../commands/deploy/load-bot.ts'
import { InventoryError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'
import { type GitServer, gitServer } from './git-server.ts'

const key = 'x.yaml:1:1: bots.shop'
const bot = (text: string) => ({ Dockerfile: 'FROM scratch\n', 'bot.yaml': 'port: 3000\n', 'main.js': text })
const fetched = (server: GitServer, more: object = {}) =>
  server.reached(() => fetchSource({ git: server.address, ...more }, key))

test('the files of the newest commit are laid out, or those of a branch, a tag or a commit', async () => {
  const server = gitServer()
  const first = server.commit(bot('one'))
  server.git('tag', 'v1')
  const second = server.commit(bot('two'))
  server.git('checkout', '--quiet', '-b', 'next')
  const third = server.commit({ 'bots/shop/main.js': 'three' })
  server.git('checkout', '--quiet', 'main')
  for (const [more, commit, file, text] of [
    [{}, second, 'main.js', 'two'],
    [{ ref: 'v1' }, first, 'main.js', 'one'],
    [{ ref: 'next', path: 'bots/shop' }, third, 'main.js', 'three'],
    [{ ref: first }, first, 'main.js', 'one'],
  ] as const) {
    const source = await fetched(server, more)
    assert.equal([source.commit, readFileSync(join(source.folder, file), 'utf8')], [commit, text])
    source.remove()
    assert.not(existsSync(source.folder))
  }
  assert.not(existsSync(server.trace))
})

test('a new commit of a branch is fetched, and one that is known needs no server', async () => {
  const server = gitServer()
  const first = server.commit(bot('one'))
  assert.is((await fetched(server, { ref: 'main' })).commit, first)
  const second = server.commit(bot('two'))
  assert.is((await fetched(server, { ref: 'main' })).commit, second)
  server.git('branch', '-m', 'main', 'gone')
  assert.is((await fetched(server, { ref: second })).commit, second)
})

test('neither hooks nor filters nor submodules have their way', async () => {
  const server = gitServer()
  const inner = gitServer()
  inner.commit({ a: 'a' })
  server.commit({
    ...bot('x'),
    '.gitattributes': '*.bin filter=lfs\n*.txt filter=own\n',
    'a.bin': 'pointer',
    'b.txt': 'b',
  })
  server.git('submodule', '--quiet', 'add', inner.address.replace(/^ssh:\/\/[^/]*/, ''), 'inner')
  server.git('commit', '--quiet', '--message', 'submodule')
  const { folder, remove } = await fetched(server)
  assert.is(readFileSync(join(folder, 'a.bin'), 'utf8'), 'pointer')
  assert.equal(existsSync(join(folder, 'inner')) ? readdirSync(join(folder, 'inner')) : [], [])
  assert.not(existsSync(server.trace))
  remove()
})

const bad: readonly (readonly [what: string, more: object, said: RegExp])[] = [
  ['another protocol', { git: 'file:///srv/shop.git' }, /source\.git: should be https:\/\/…, ssh:\/\/…/],
  ['a program', { git: 'ext::sh -c id' }, /source\.git: should be/],
  ['an option', { git: '--upload-pack=id' }, /source\.git: should be/],
  ['a password', { git: 'https://me:word@example.org/x' }, /source\.git: has a user or a password in the URL/],
  ['a ref that is not there', { ref: 'nowhere' }, /source: git cannot fetch nowhere of ssh:\/\/git\.example\.org/],
  ['a folder that is not there', { path: 'bots/none' }, /source: .* has no folder bots\/none at HEAD/],
]
for (const [what, more, said] of bad)
  test(`is refused with its key: ${what}`, async () => {
    const server = gitServer()
    server.commit(bot('x'))
    const { message } = await errorOf(fetched(server, more), InventoryError)
    assert.match(message, said)
    assert.ok(message.startsWith(`${key}.source`), message)
    assert.not.match(message, 'word@')
  })

test('a link that leads out of the repository is refused, one inside is not', async () => {
  const server = gitServer()
  server.commit({ ...bot('x'), 'docs/link': '→../main.js', dangling: '→nowhere' })
  ;(await fetched(server)).remove()
  server.commit({ 'init.sql': '→/etc/hostname' })
  assert.match(
    (await errorOf(fetched(server), InventoryError)).message,
    /init\.sql is a link that leads out of the repository/,
  )
})

test('a bot of a repository is deployed with its commit, and nothing of it stays on this machine', async () => {
  const server = gitServer()
  const commit = server.commit({ ...bot('x'), '.env': 'BOT_TOKEN=123456:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n' })
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('botgarden-source-'))
  const entry = { name: 'shop', where: 'x.yaml:1:1', settings: { source: { git: server.address } } }
  const deployment = await server.reached(() => loadBot(entry))
  assert.is(deployment.commit, commit)
  assert.match(deployment.spec.image, /^botgarden\/shop:[0-9a-f]{12}$/)
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith('botgarden-source-')),
    before,
  )
})

test('a folder tells its commit where nothing in it has changed', async () => {
  const server = gitServer()
  const commit = server.commit(bot('x'))
  const folder = server.address.replace(/^ssh:\/\/[^/]*/, '')
  assert.is(await server.reached(() => commitOf(folder)), commit)
  writeFileSync(join(folder, 'main.js'), 'changed')
  assert.is(await server.reached(() => commitOf(folder)), undefined)
  const plain = mkdtempSync(join(tmpdir(), 'no-repository-'))
  assert.is(await server.reached(() => commitOf(plain)), undefined)
  rmSync(plain, { recursive: true })
})

test.run()
