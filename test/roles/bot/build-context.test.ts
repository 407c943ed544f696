import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { contextOf } from '../../../roles/bot/spec/build-context.ts'
import { rejects } from '../../support/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'context-test-'))
test.after(() => rmSync(folder, { recursive: true }))

test('an image is of what git would keep: content and whether it can be run, without secrets of this machine', async () => {
  const source = join(folder, 'source')
  mkdirSync(join(source, 'node_modules/x'), { recursive: true })
  for (const [path, text] of [
    ['Dockerfile', 'FROM x'],
    ['.env', 'BOT_TOKEN=1'],
    ['node_modules/x/y', '1'],
    ['bot.yaml', 'port: 1'],
    ['a.txt', 'a'],
    ['b.md', 'b'],
    ['.dockerignore', '*.md'],
  ] as const)
    writeFileSync(join(source, path), text)
  const first = await contextOf(source, 'bots.x')
  assert.is(first.files, 3)
  writeFileSync(join(source, 'b.md'), 'changed')
  writeFileSync(join(source, '.env'), 'changed')
  writeFileSync(join(source, 'bot.yaml'), 'port: 2')
  assert.is((await contextOf(source, 'bots.x')).checksum, first.checksum)
  writeFileSync(join(source, 'a.txt'), 'A')
  assert.is.not((await contextOf(source, 'bots.x')).checksum, first.checksum)
  rmSync(join(source, 'Dockerfile'))
  await rejects(contextOf(source, 'bots.x'), /has no Dockerfile/)
})

test('another Dockerfile, a stage and arguments make another image', async () => {
  const source = join(folder, 'other')
  mkdirSync(join(source, 'docker'), { recursive: true })
  writeFileSync(join(source, 'docker/prod'), 'FROM x')
  writeFileSync(join(source, '.dockerignore'), 'docker\n')
  await rejects(contextOf(source, 'bots.x'), /has no Dockerfile: write one .*, or set "dockerfile:"/)
  const of = (more: object) => contextOf(source, 'bots.x', { dockerfile: 'docker/prod', ...more })
  const plain = await of({})
  assert.equal([plain.files, plain.options], [2, ['--file', 'docker/prod']])
  const { options, checksum } = await of({ target: 'bot', args: { A: 1, B: 'x y' } })
  assert.equal(options, ['--file', 'docker/prod', '--target', 'bot', '--build-arg', 'A=1', '--build-arg', 'B=x y'])
  assert.is(new Set([checksum, plain.checksum, (await of({ args: { A: 2 } })).checksum]).size, 3)
})

test('the archive of an image holds these files, what can be run and where links lead, the same at any time', async () => {
  const [source, target] = [join(folder, 'packed'), join(folder, 'unpacked')]
  for (const path of [join(source, 'src'), target]) mkdirSync(path, { recursive: true })
  for (const [path, mode] of [
    ['Dockerfile', 0o600],
    ['src/run.sh', 0o700],
    [`src/${'n'.repeat(120)}`, 0o664],
  ] as const)
    writeFileSync(join(source, path), path, { mode })
  symlinkSync('src/run.sh', join(source, 'run'))
  const { archive } = await contextOf(source, 'bots.x')
  utimesSync(join(source, 'Dockerfile'), 1, 1)
  assert.is((await contextOf(source, 'bots.x')).archive, archive)
  execFileSync('tar', ['-xzp', '-C', target], { input: Buffer.from(archive, 'base64') })
  assert.is(readlinkSync(join(target, 'run')), 'src/run.sh')
  const mode = (path: string) => (statSync(join(target, path)).mode & 0o777).toString(8)
  assert.equal(['Dockerfile', 'src/run.sh', `src/${'n'.repeat(120)}`].map(mode), ['644', '755', '644'])
  assert.is(readFileSync(join(target, 'src/run.sh'), 'utf8'), 'src/run.sh')
})

test.run()
