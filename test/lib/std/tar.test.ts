import { execFileSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type TarEntry, tarOf } from '../../../lib/std/tar.ts'

const folder = mkdtempSync(join(tmpdir(), 'tar-test-'))
test.after(() => rmSync(folder, { recursive: true }))

const file = (path: string, text: string, mode = 0o644) => ({ path, mode, link: '', content: Buffer.from(text) })
const link = (path: string, to: string) => ({ path, mode: 0o777, link: to, content: Buffer.alloc(0) })
const deep = (length: number) => `deep/${'d'.repeat(60)}/${'é'.repeat(80)}/`.padEnd(length, 'x')

const samples: [what: string, entry: TarEntry][] = [
  ['a file', file('a.txt', 'hello\n')],
  ['an empty one', file('empty', '')],
  ['one that fills a block', file('block', 'b'.repeat(512))],
  ['one of some blocks', file('src/large', 'l'.repeat(1_000_001))],
  ['one that can be run', file('bin/run', '#!/bin/sh\n', 0o755)],
  ['one with a name that is not ASCII', file('grüße/日本 語.txt', 'x')],
  ['one with odd characters in its name', file("-o 'quoted'\n*.txt", 'x')],
  ['one whose name just fits', file('f'.repeat(100), 'fits')],
  ['one whose name just does not', file('n'.repeat(101), 'long')],
  ['one whose name ends its field within a character', file(`${'m'.repeat(99)}é`, 'cut')],
  ['one that lies deep', file(deep(250), 'deep')],
  ['a link', link('link', '../elsewhere/ü')],
  ['a link to something long', link('long-link', `to/${'t'.repeat(200)}`)],
]
const archive = await packed(samples.map(([, entry]) => entry))

test.before(() => void execFileSync('tar', ['-x', '-C', folder], { input: archive }))

for (const [what, { path, mode, link: to, content }] of samples) {
  test(`tar finds ${what} as it was`, () => {
    const at = join(folder, path)
    const found = lstatSync(at)
    assert.is(found.mtimeMs, 0)
    if (to !== '') return assert.is(readlinkSync(at), to)
    assert.is(found.mode & 0o777, mode)
    assert.ok(readFileSync(at).equals(content))
  })
}

test('tar finds nothing else, all of it of root', () => {
  const listed = execFileSync('tar', ['-t', '-v', '--numeric-owner'], { input: archive }).toString().trim().split('\n')
  assert.is(listed.length, samples.length)
  assert.equal(
    listed.filter((line) => !/^\S+ +0\/0 /.test(line)),
    [],
  )
})

// A length of three digits makes itself longer by its third.
test('every length of a name is told right', async () => {
  const paths = Array.from({ length: 900 }, (_, more) => `${'p/'.repeat(50)}${'q/'.repeat(more / 2)}${more}`)
  const all = await packed(paths.map((path) => file(path, '')))
  const listed = execFileSync('tar', ['-t'], { input: all, maxBuffer: 2e6 }).toString().trim().split('\n')
  assert.equal(listed, paths)
})

async function packed(entries: TarEntry[]): Promise<Buffer> {
  const from = async function* () {
    yield* entries
  }
  return Buffer.concat(await Array.fromAsync(tarOf(from())))
}

test.run()
