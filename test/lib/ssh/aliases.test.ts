import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../../lib/shell/local.ts'
import { aliasesIn, unknownAlias } from '../../../lib/ssh/aliases.ts'

const home = mkdtempSync(join(tmpdir(), 'ssh-aliases-'))
test.after(() => rmSync(home, { recursive: true }))
test.after.each(() => rmSync(join(home, '.ssh'), { recursive: true, force: true }))

test('finds each name of each Host line, however it is written, but no pattern', () => {
  const file = write(
    '.ssh/other',
    `User ops
Host one two # and three
  HostName 192.0.2.1
host = "four"
Match originalhost five
  HostName 192.0.2.5
Host web* !web9 a?c !six *
Host .host machine/.host
HOST one seven
`,
  )
  assert.equal(aliasesIn(file, home), ['one', 'two', 'four', 'seven'])
})

test('follows Include: globs, relative to ~/.ssh, files in files, and each once', () => {
  write('.ssh/config', 'Include conf.d/*.conf ~/.ssh/more missing\nHost last\n')
  write('.ssh/conf.d/b.conf', 'Host b\n')
  write('.ssh/conf.d/a.conf', `Include ${join(home, '.ssh/deep')}\nHost a\n`)
  write('.ssh/conf.d/none.txt', 'Host none\n')
  write('.ssh/more', 'Host more\nInclude more\n')
  write('.ssh/deep', 'Host deep\nInclude config\n')
  const system = aliasesIn(undefined, join(home, 'nobody'))
  assert.equal(aliasesIn(undefined, home), ['deep', 'a', 'b', 'more', 'last', ...system])
})

test('of what a Host block includes, only the names that the block is for lead somewhere, as with ssh itself', async () => {
  const inner = write('inner', 'Host db1\n  HostName 192.0.2.1\nHost other\n  HostName 192.0.2.2\n')
  const file = write('outer', `Host db* !db9\n  Include ${inner}\n`)
  assert.equal(aliasesIn(file, home), ['db1'])
  assert.is(await hostNameOf('db1', file), '192.0.2.1')
  assert.is(await hostNameOf('other', file), 'other')
})

test('a file that is missing, a folder, or one that ssh would refuse has no aliases', () => {
  assert.equal(aliasesIn(join(home, 'missing'), home), [])
  assert.equal(aliasesIn(home, home), [])
  assert.equal(aliasesIn(write('broken', 'Host "a\n'), home), [])
  assert.equal(aliasesIn(write('empty', 'Host\n'), home), [])
})

test('a name that is unknown is told with the aliases that there are, and the nearest', () => {
  const file = write('config', 'Host web1 store\n')
  assert.is(
    unknownAlias('wbe1', file),
    `"wbe1" is not an alias in ${file} (did you mean "web1"?); its aliases: web1, store`,
  )
  assert.is(unknownAlias('quite-other', file), `"quite-other" is not an alias in ${file}; its aliases: web1, store`)
  assert.is(
    unknownAlias('x', write('none', 'User ops\n')),
    `"x" is not an alias either: ${join(home, 'none')} has none`,
  )
  const many = write('many', `Host ${Array.from({ length: 23 }, (_, i) => `n${i}`).join(' ')}\n`)
  assert.match(unknownAlias('zzz', many) ?? '', /aliases: n0, n1, .*, n19, and 3 more$/)
})

test('nothing is said of an alias, nor of a full name unless an alias is like it', () => {
  const file = write('config', 'Host web1 store.example.org\n')
  assert.is(unknownAlias('web1', file), undefined)
  assert.is(unknownAlias('vps7.example.com', file), undefined)
  assert.match(unknownAlias('stroe.example.org', file) ?? '', /did you mean "store.example.org"/)
})

function write(path: string, text: string): string {
  const file = join(home, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
  return file
}

async function hostNameOf(alias: string, file: string): Promise<string | undefined> {
  return /^hostname (.*)$/m.exec((await local`ssh -G -F ${file} ${alias}`).stdout)?.[1]
}

test.run()
