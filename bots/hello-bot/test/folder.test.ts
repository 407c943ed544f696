import { globSync, readFileSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allowedUpdates } from '../src/bot.ts'
import { readConfig } from '../src/config.ts'

const folder = resolve(import.meta.dirname, '..')
const read = (file: string) => readFileSync(resolve(folder, file), 'utf8')

test('bot.yaml says what the code does', () => {
  const manifest = read('bot.yaml')
  const { port, webhook } = readConfig({ BOT_TOKEN: '1:a' })
  assert.match(manifest, `\nport: ${port}\n`)
  assert.match(manifest, `\nwebhookPath: ${webhook.path}\n`)
  assert.match(manifest, `\nallowedUpdates: [${allowedUpdates.join(', ')}]\n`)
})

test('.env.example is a configuration, with each of its lines in use too', () => {
  const lines = read('.env.example').split('\n')
  const given = (pattern: RegExp) =>
    Object.fromEntries(lines.flatMap((line) => (pattern.exec(line) ? [line.replace('#', '').split(/=(.*)/s)] : [])))
  assert.equal(Object.keys(given(/^\w+=/)), ['BOT_TOKEN'])
  const all = given(/^#?[A-Z_]+=/)
  assert.is(readConfig(all).database.kind, 'url')
  const names = read('src/config.ts').match(/\b(?:BOT|WEBHOOK|TELEGRAM|LOG|PG|DATABASE)_?[A-Z_]+\b|\bPORT\b/g) ?? []
  const known = new Set(names.map((name) => name.replace(/_FILE$/, '')))
  assert.equal(Object.keys(all).sort(), [...known].sort())
})

test('nothing is imported from outside the folder, so that it can be copied', () => {
  const files = globSync('{src,migrations,test}/**/*.ts', { cwd: folder })
  const outside = files.flatMap((file) =>
    [...read(file).matchAll(/(?:from|import\(?) '(\.[^']*)'/g)]
      .map(([, path = '']) => resolve(folder, file, '..', path))
      .filter((path) => !path.startsWith(folder + sep)),
  )
  assert.equal(outside, [])
})

test('the image gets no file but those that the app runs', () => {
  const kept = read('.dockerignore').match(/(?<=^!)\S+/gm) ?? []
  const copied = read('Dockerfile')
    .split('\n')
    .filter((line) => line.startsWith('COPY') && !line.includes('--from'))
    .flatMap((line) => line.split(' ').slice(1, -1))
  assert.equal([...new Set(copied)].sort(), kept.sort())
})

test.run()
