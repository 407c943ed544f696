// The program that packs the lasting files of a bot, as the host runs it: by its real python.
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../../support/copies.ts'

const program = join(import.meta.dirname, '../../../roles/backups/templates/data.py')

function python(folder: string, verb: string, input?: Buffer) {
  const { status, stdout, stderr } = spawnSync('python3', ['-I', program, verb], { cwd: folder, input, maxBuffer: 2e8 })
  return { status, stdout, said: stderr.toString() }
}

function folderWith(fill: (folder: string) => void): string {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'app=data'))
  fill(join(folder, 'app=data'))
  return folder
}

function unpacked(archive: Buffer): string {
  const folder = scratchFolder()
  const { status, stderr } = spawnSync('tar', ['--extract', '--preserve-permissions'], { cwd: folder, input: archive })
  assert.is(status, 0, stderr.toString())
  return folder
}

test('what is packed, summed up and unpacked again is the same', () => {
  const folder = folderWith((data) => {
    mkdirSync(join(data, 'ü/deep'), { recursive: true, mode: 0o750 })
    writeFileSync(join(data, 'ü/deep/a\nb'), 'text', { mode: 0o640 })
    writeFileSync(join(data, `long-${'x'.repeat(200)}`), Buffer.alloc(100_000, 'y'))
    symlinkSync('ü/deep', join(data, 'link'))
    new DatabaseSync(join(data, 'bot.db')).exec('create table t (a); insert into t values (1)')
  })
  const packed = python(folder, 'pack')
  assert.is(packed.status, 0, packed.said)
  const [summed, checked] = [python(folder, 'sum', packed.stdout), python(unpacked(packed.stdout), 'check')]
  assert.is(checked.status, 0, checked.said)
  assert.equal(summed.stdout.toString(), checked.stdout.toString())
  assert.match(summed.stdout.toString(), /^\{"entries": 7, "content": "[0-9a-f]{64}"\}\n$/)
  assert.equal(readdirSync(folder), ['app=data'], 'its own copy is gone')
  writeFileSync(join(folder, 'app=data/ü/deep/a\nb'), 'texT')
  assert.is.not(python(folder, 'check').stdout.toString(), summed.stdout.toString())
})

for (const mode of ['wal', 'delete'])
  test(`a SQLite database is of one moment while its bot writes to it (${mode})`, async () => {
    const folder = folderWith((data) => {
      const database = new DatabaseSync(join(data, 'bot.db'))
      database.exec(`pragma journal_mode = ${mode}; create table t (a); insert into t values (0), (0)`)
      database.close()
    })
    // Both rows always have the same number.
    const writer = spawn(process.execPath, [
      '-e',
      `const { DatabaseSync } = require('node:sqlite'); const db = new DatabaseSync(${JSON.stringify(join(folder, 'app=data/bot.db'))})
       db.exec('pragma busy_timeout = 20000'); console.log('writes')
       for (;;) { db.exec('begin immediate; update t set a = a + 1 where rowid = 1'); db.exec('update t set a = a + 1 where rowid = 2; commit') }`,
    ])
    try {
      await new Promise((done) => writer.stdout.once('data', done))
      for (let i = 0; i < 3; i++) {
        const packed = python(folder, 'pack')
        assert.is(packed.status, 0, packed.said)
        const copy = unpacked(packed.stdout)
        assert.equal(readdirSync(join(copy, 'app=data')), ['bot.db'], 'nothing of its journal')
        assert.is(python(copy, 'check').status, 0)
        const rows = new DatabaseSync(join(copy, 'app=data/bot.db')).prepare('select distinct a from t').all()
        assert.is(rows.length, 1)
      }
    } finally {
      writer.kill('SIGKILL')
    }
  })

test('a damaged database is refused when it is packed, and when it was unpacked', () => {
  const folder = folderWith((data) => {
    const path = join(data, 'bot.db')
    const database = new DatabaseSync(path)
    database.exec('create table t (a); create index i on t (a)')
    for (let i = 0; i < 500; i++) database.exec(`insert into t values ('value ${i}')`)
    database.close()
    const bytes = readFileSync(path)
    bytes.fill(0x58, 4096 * 2, 4096 * 2 + 2000)
    writeFileSync(path, bytes)
  })
  for (const verb of ['pack', 'check']) {
    const { status, said } = python(folder, verb)
    assert.is(status, 1)
    assert.match(said, /^data: app=data\/bot\.db: /)
  }
})

test('what only the bot has, a function or a collation, makes no database a damaged one', () => {
  const folder = folderWith((data) => {
    const database = new DatabaseSync(join(data, 'bot.db'))
    database.function('mine', { deterministic: true }, (x) => x)
    database.exec('create table t (a check (mine(a) > 0)); insert into t values (1)')
    database.close()
  })
  const { status, said } = python(folder, 'pack')
  assert.is(status, 0, said)
})

test('what is no file, or leads elsewhere, is left out: a backup that could not be unpacked is worse', () => {
  const folder = folderWith((data) => {
    writeFileSync(join(data, 'kept'), '')
    spawnSync('mkfifo', [join(data, 'pipe')])
    for (const [name, target] of Object.entries({ a: '/etc/passwd', b: '../../x', c: '..', good: './kept' }))
      symlinkSync(target, join(data, name))
  })
  const { stdout } = python(folder, 'pack')
  const names = spawnSync('tar', ['--list'], { input: stdout }).stdout.toString().trim().split('\n')
  assert.equal(names, ['app=data/', 'app=data/good', 'app=data/kept'])
})

test('a file larger than the disk that it pretends to be on ends it at once', () => {
  const folder = folderWith((data) => spawnSync('truncate', ['--size', '15T', join(data, 'x')]))
  const { status, said } = python(folder, 'pack')
  assert.equal([status, said], [1, 'data: is larger than the disk that it is on\n'])
})

test('what a killed one has left is removed, and never a part of the next', () => {
  const folder = folderWith((data) => writeFileSync(join(data, 'x'), ''))
  mkdirSync(join(folder, '.backup'))
  writeFileSync(join(folder, '.backup/copy'), 'half')
  const packed = python(folder, 'pack')
  assert.is(packed.status, 0, packed.said)
  assert.match(python(folder, 'sum', packed.stdout).stdout.toString(), '{"entries": 2,')
  assert.equal(readdirSync(folder), ['app=data'])
})

test('an archive that is cut is none', () => {
  const { stdout } = python(
    folderWith((data) => writeFileSync(join(data, 'x'), 'y'.repeat(5000))),
    'pack',
  )
  assert.is(python('/', 'sum', stdout.subarray(0, 3000)).status, 1)
})

test.run()
