// The workflow's own steps are run by test/faults/bots/ci.test.ts; here what is written, where, and what is refused.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { parse } from 'yaml'
import { run, scratch } from './support.ts'

const botgarden = ['--botgarden', 'https://git.example.org/botgarden.git']

/** A repository with a bot in it, at its top unless this folder is named. */
function repository(path = '.'): { top: string; folder: string } {
  const top = scratch()
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'trunk', top])
  const folder = join(top, path)
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'bot.yaml'), 'port: 3000\n')
  return { top, folder }
}
const ci = (folder: string, more: readonly string[] = botgarden) =>
  run('new-bot', ['--name', 'shop', '--ci', 'github', '--in', folder, ...more])

test('a workflow is written for the branch that the repository is at, and again it stays', async () => {
  const { top, folder } = repository()
  const { code, stdout, stderr } = await ci(folder)
  assert.is(code, 0, stderr)
  const text = readFileSync(join(top, '.github/workflows/deploy.yml'), 'utf8')
  const { on, jobs } = parse(text)
  assert.equal(on, { push: { branches: ['trunk'] }, workflow_dispatch: null })
  assert.is(jobs.deploy.if, "github.ref == 'refs/heads/trunk'")
  assert.equal(jobs.deploy.env.BOTGARDEN_REPOSITORY, 'https://git.example.org/botgarden.git')
  assert.match(jobs.deploy.env.BOTGARDEN_COMMIT, /^[0-9a-f]{40}$/)
  assert.match(text, '--name shop --source "$GITHUB_WORKSPACE" \\')
  assert.match(text, 'SHOP_TOKEN: ${{ secrets.SHOP_TOKEN }}')
  assert.not.match(text, '<%')
  for (const secret of ['BOTGARDEN_SSH_KEY', 'BOTGARDEN_KNOWN_HOSTS', 'BOTGARDEN_INVENTORY'])
    assert.match(stdout, secret)
  assert.is((await ci(folder)).code, 0)
  writeFileSync(join(top, '.github/workflows/deploy.yml'), '# mine\n')
  const other = await ci(folder)
  assert.is(other.code, 1)
  assert.match(other.stderr, /deploy\.yml is there already, and is another one: remove it first/)
})

test('a bot in a folder of a larger repository is released when that folder changes', async () => {
  const { top, folder } = repository('bots/shop')
  assert.is((await ci(folder)).code, 0)
  const text = readFileSync(join(top, '.github/workflows/deploy-shop.yml'), 'utf8')
  assert.equal(parse(text).on.push.paths, ['bots/shop/**'])
  assert.match(text, '--source "$GITHUB_WORKSPACE/bots/shop" \\')
})

const bad: readonly (readonly [what: string, args: readonly string[], said: RegExp])[] = [
  ['another system', ['--name', 'shop', '--ci', 'gitlab'], /^--ci: should be github, found "gitlab"/],
  ['no bot', ['--name', 'shop', '--ci', 'github'], /^--in: no bot at bots\/shop: no such folder/],
  [
    'no repository',
    ['--name', 'shop', '--ci', 'github', '--in', 'PLAIN'],
    /^--in: .* is in no repository of git: git init/,
  ],
  ['this checkout', ['--name', 'hello-bot', '--ci', 'github'], /^--in: bots\/hello-bot is a part of this checkout/],
  [
    'a model',
    ['--name', 'shop', '--ci', 'github', '--from', 'x'],
    /^--from makes a bot, and --ci is for one that is there/,
  ],
  ['no system', ['--name', 'shop', '--in', 'x'], /^--in goes with --ci github/],
  [
    'a password',
    ['--name', 'shop', '--ci', 'github', '--in', 'BOT', '--botgarden', 'https://a:word@b/c'],
    /^--botgarden: has a user or a password/,
  ],
  [
    'a path',
    ['--name', 'shop', '--ci', 'github', '--in', 'BOT', '--botgarden', '../botgarden'],
    /^--botgarden: should be https:/,
  ],
  [
    'a quote',
    ['--name', 'shop', '--ci', 'github', '--in', 'BOT', '--botgarden', "https://b/c'd"],
    /^--botgarden: .* cannot be named in a workflow/,
  ],
]
for (const [what, args, said] of bad)
  test(`is refused: ${what}`, async () => {
    const plain = scratch()
    writeFileSync(join(plain, 'bot.yaml'), '')
    const { top } = repository()
    const words = args.map((word) => ({ PLAIN: plain, BOT: top })[word] ?? word)
    const { code, stderr } = await run('new-bot', words)
    assert.is(code, 1, stderr)
    assert.match(stderr, said)
    assert.not.match(stderr, 'word@')
    assert.not(existsSync(join(top, '.github')))
  })

test.run()
