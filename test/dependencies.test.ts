import { globSync, readFileSync } from 'node:fs'
import { test } from 'uvu'
import * as assert from 'uvu/assert'

const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))

test('every dependency is imported by what an operator runs', () => {
  const sources = globSync('{commands,playbooks,roles,lib,sandbox}/**/*.ts').map((path) => readFileSync(path, 'utf8'))
  assert.ok(sources.length > 100)
  const unused = Object.keys(dependencies).filter(
    (name) => !sources.some((source) => new RegExp(`(from |import\\()'${name}['/]`).test(source)),
  )
  assert.equal(unused, [])
})

test('every dependency is of one exact version', () => {
  const versions = Object.entries({ ...dependencies, ...devDependencies })
  assert.equal(
    versions.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(`${version}`)),
    [],
  )
})

test("the sandbox's Telegram runs where there are no packages: of them it takes types alone", () => {
  const sources = globSync('sandbox/telegram/**/*.ts').map((path) => readFileSync(path, 'utf8'))
  const imports = sources.flatMap((source) => source.match(/^(import|export) .*from '[^.].*$|import\('[^.].*$/gm) ?? [])
  assert.ok(imports.some((line) => line.startsWith('import type ')))
  assert.equal(
    imports.filter((line) => !/ from 'node:/.test(line) && !line.startsWith('import type ')),
    [],
  )
})

test.run()
