// The program of an archive by a real shell, a run after the other: the server and the archiver are functions of the test's.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { scratchFolder } from '../../support/copies.ts'
import { shell } from '../../support/shell.ts'

const program = fileURLToPath(new URL('../../../roles/backups/continuous/program/', import.meta.url))
const chain = '20261126T130000Z'
const segment = '000000010000000000000007'

/** Shell text: the program's functions, with a server that says which segment was closed. */
const functionsOf = (
  folder: string,
  closed = '',
) => `state=${folder} run=${folder}/run days=7 home=${program}.. to='' bound=1 archiver=a
for each in chains archiver store base leaving record main; do . ${program}$each.sh; done
sql() { cat >/dev/null; echo 'archive|7|reserved|t|1:1:|${closed}'; }
room() { :; }
keep_archiver() { :; }
start_base() { :; }`

function archive() {
  const folder = scratchFolder()
  for (const each of ['run', `store/${chain}`, 'spool']) mkdirSync(join(folder, each), { recursive: true })
  writeFileSync(join(folder, 'chain'), `${chain} 7\n`)
  const path = (name: string) => join(folder, name)
  return {
    store: path(`store/${chain}`),
    through: () => (existsSync(path('run/through')) ? Number(readFileSync(path('run/through'), 'utf8')) : 0),
    /** A run as whoever restores asks for it, at a server to which nothing was written since the last one. */
    now: () =>
      shell(`${functionsOf(folder)}
record() { echo '{}' >"$run/status.json"; }
archive_main now`),
    /** A run at this time, for which the server says that this segment was closed; how often it has waited. */
    run: async (began: number, closed = '') => {
      const said = await shell(`${functionsOf(folder, closed)}
sleep() { echo waits; }
began=${began} fault=''
work && echo well`)
      const lines = said.trim().split('\n')
      return { well: lines.includes('well'), waits: lines.filter((line) => line === 'waits').length }
    },
  }
}

test('a host that nobody writes to is archived until now, also when the last segment has gone of its archive', async () => {
  const { store, run, through } = archive()
  const stored = join(store, `wal-${segment}-${chain}.gz.age`)
  writeFileSync(stored, '')
  assert.equal([await run(100, segment), through()], [{ well: true, waits: 0 }, 100])
  assert.equal([await run(200), through()], [{ well: true, waits: 0 }, 200])
  // As retention has it, when the bases of later days need it no more.
  rmSync(stored)
  assert.equal([await run(300), through()], [{ well: true, waits: 0 }, 300])
})

test('a segment that was closed and has not come yet is waited for, and the archive ends before it', async () => {
  const { store, run, through } = archive()
  assert.equal([await run(100), through()], [{ well: true, waits: 0 }, 100])
  assert.equal([await run(200, segment), through()], [{ well: true, waits: 75 }, 100])
  assert.equal([await run(300), through()], [{ well: true, waits: 75 }, 100])
  writeFileSync(join(store, `wal-${segment}-${chain}.gz.age`), '')
  assert.equal([await run(400), through()], [{ well: true, waits: 0 }, 400])
})

test('who asks for what is there now gets the moment of the question too, though whole seconds are noted', async () => {
  const { now, through } = archive()
  while (Date.now() % 1000 < 100 || Date.now() % 1000 > 500) await pause(50)
  const asked = Date.now()
  await now()
  assert.ok(through() * 1000 >= asked, `${through()} for ${asked}`)
})

test.run()
