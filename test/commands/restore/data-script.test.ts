// The script that brings the lasting files of a bot back on its host, in a real sh, with the real tar and python.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { restoreDataScript } from '../../../commands/restore/data-script.ts'
import type { DataPart, DataTask } from '../../../commands/restore/restore-task.ts'
import { dataProgram } from '../../../roles/backups/host-program.ts'
import { scratchFolder } from '../../support/copies.ts'
import { type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const archive = '/var/lib/botgarden/incoming/data-hello.tar'
const data = '/var/lib/botgarden/data/hello'
const order: DataTask = { bot: 'hello', kind: 'data', drill: false }
const sum = '0'.repeat(64)

/** What a host has packed, and what its manifest says of that. */
function packed(fill: (folder: string) => void): { tar: Buffer; part: DataPart } {
  const folder = scratchFolder()
  mkdirSync(join(folder, 'app=data'))
  fill(join(folder, 'app=data'))
  const run = (verb: string, input?: Buffer) =>
    spawnSync('python3', ['-I', '-c', dataProgram, verb], { cwd: folder, input }).stdout
  const tar = run('pack')
  const { entries, content } = JSON.parse(run('sum', tar).toString())
  const part = { kind: 'data', bot: 'hello', file: 'data-hello.tar.age', size: tar.length, sha256: sum } as const
  return { tar, part: { ...part, encrypted: { size: 1, sha256: sum }, entries, content } }
}
const good = packed((folder) => {
  new DatabaseSync(join(folder, 'bot.db')).exec('create table t (a)')
  writeFileSync(join(folder, 'note'), 'from the backup')
})

/** A host where the bot serves, and has written since. */
function hostWith(tar = good.tar): ScratchHost {
  const host = scratchHost()
  host.write(archive, '')
  writeFileSync(join(host.root, archive), tar)
  host.write('/var/lib/botgarden/allocations', 'other 2\nhello 7\n')
  host.write('/var/lib/botgarden/bots/hello/current.json', '{"id":"1","colour":"blue"}\n')
  host.write(`${data}/current/app=data/note`, 'of today')
  host.container('botgarden-hello-blue')
  host.note('docker', `case "$1" in ps) echo botgarden-hello-blue; exit ;; esac`)
  return host
}
const restore = (host: ScratchHost, task = order, more: Partial<DataPart> = {}) =>
  host.run(restoreDataScript(task, { ...good.part, ...more }, archive))
const note = `${data}/current/app=data/note`
const incoming = (host: ScratchHost) => host.list('/var/lib/botgarden/incoming')

test('it changes places with what is there while the bot is down, which stays as a copy', async () => {
  const host = hostWith()
  const { code, output, calls } = await restore(host)
  assert.is(code, 0, output)
  assert.match(
    output,
    /^the data that was replaced is in \/var\/lib\/botgarden\/data\/hello\/before-\d{8}-\d{6}\.1\nin \d+ s\n$/,
  )
  assert.is(host.read(note), 'from the backup')
  const [copy = ''] = host.list(data)
  assert.is(host.read(`${data}/${copy}/app=data/note`), 'of today')
  const inOrder = ['setpriv', 'docker ps', 'docker stop', 'docker start botgarden-hello-blue']
  const at = inOrder.map((start) => calls.findIndex((call) => call.startsWith(start)))
  assert.equal(
    at.toSorted((a, b) => a - b),
    at,
    calls.join('\n'),
  )
  assert.ok(calls.some((call) => /^setpriv --reuid \d+ --regid \d+ .* tar --extract/.test(call)))
  assert.equal([host.containers(), incoming(host)], [['botgarden-hello-blue running always'], []])
})

test('the processes of the release that serves are started again with its bot, those of another are not', async () => {
  const host = hostWith()
  host.write(
    '/var/lib/botgarden/bots/hello/current.json',
    '{"id":"1","spec":{"processes":{"worker":{}}},"colour":"blue"}\n',
  )
  for (const name of ['worker-blue', 'worker-green']) host.container(`botgarden-hello.${name}`, { status: 'exited' })
  host.note('docker', `case "$1 $2" in 'ps --quiet') echo botgarden-hello-blue; exit ;; esac`)
  const { code, output, calls } = await restore(host)
  assert.is(code, 0, output)
  assert.ok(calls.includes('docker start botgarden-hello-blue botgarden-hello.worker-blue'), calls.join('\n'))
})

test('a folder that the backup does not have stays as it is', async () => {
  const host = hostWith()
  host.write(`${data}/current/more/x`, 'mine')
  const { code, output } = await restore(host)
  assert.is(code, 0, output)
  assert.match(output, 'more is not in the backup, and stays as it is\n')
  assert.equal([host.read(`${data}/current/more/x`), host.read(note)], ['mine', 'from the backup'])
})

test('a bare host gets it before its bot', async () => {
  const host = hostWith()
  await host.run(`rm -r ${data} /var/lib/botgarden/bots/hello`)
  host.note('docker', 'case "$1" in ps) exit ;; esac')
  const { code, output, calls } = await restore(host)
  assert.is(code, 0, output)
  assert.equal([host.read(note), host.list(data)], ['from the backup', ['current']])
  assert.not(calls.some((call) => /^docker (start|stop)/.test(call)))
})

test('a bot whose database comes next stays down until then, but not where this fails', async () => {
  const host = hostWith()
  const { code, calls } = await restore(host, { ...order, beforeDatabase: true })
  assert.is(code, 0)
  assert.not(calls.some((call) => call.startsWith('docker start')))
  const spoilt = hostWith()
  spoilt.program('mv', 'exit 1')
  const failed = await restore(spoilt, { ...order, beforeDatabase: true })
  assert.is(failed.code, 1)
  assert.ok(failed.calls.includes('docker start botgarden-hello-blue'))
})

test('a cache is stopped, replaced and started again, and its bot with it', async () => {
  const host = hostWith()
  host.container('botgarden-hello-cache')
  host.write(`${data}/cache/appendonlydir/old`, 'of today')
  const { code, output, calls } = await restore(host, { ...order, kind: 'cache' })
  assert.is(code, 0, output)
  assert.equal(host.list(`${data}/cache`), ['app=data'])
  assert.is(host.read(note), 'of today')
  const about = calls.filter((call) => /^docker (stop|start)/.test(call))
  assert.equal(about, [
    'docker stop --time 20 botgarden-hello-blue',
    'docker stop --time 20 botgarden-hello-cache',
    'docker start botgarden-hello-cache',
    'docker start botgarden-hello-blue',
  ])
  assert.equal(incoming(host), ['data-hello.tar'].slice(1))
})

test('a drill touches neither the bot nor its data, and needs no bot', async () => {
  for (const allocations of ['hello 7\n', '']) {
    const host = hostWith()
    host.write('/var/lib/botgarden/allocations', allocations)
    const { code, output, calls } = await restore(host, { ...order, drill: true })
    assert.is(code, 0, output)
    assert.match(output, /^in \d+ s\n$/)
    assert.ok(calls.some((call) => call.includes(' check')))
    assert.not(calls.some((call) => call.startsWith('docker')))
    assert.equal([host.read(note), host.list(data), incoming(host)], ['of today', ['current'], []])
  }
})

const broken = packed((folder) => {
  const path = join(folder, 'bot.db')
  const database = new DatabaseSync(path)
  database.exec('create table t (a); create index i on t (a)')
  for (let i = 0; i < 500; i++) database.exec(`insert into t values ('value ${i}')`)
  database.close()
})
/** A backup from a host that has not looked: one page is another one. */
const damaged = Buffer.from(broken.tar)
damaged.copy(
  damaged,
  damaged.indexOf('SQLite format 3') + 4096,
  damaged.indexOf('SQLite format 3') + 8192,
  damaged.indexOf('SQLite format 3') + 12_288,
)

for (const [what, tar, more, said] of [
  [
    'other files than the manifest says',
    good.tar,
    { content: 'f'.repeat(64) },
    /what was unpacked is not what the backup says: \{"entries": 3/,
  ],
  ['another number of files', good.tar, { entries: 4 }, /what was unpacked is not what the backup says/],
  [
    'a damaged database',
    damaged,
    broken.part,
    /what was unpacked is not what the backup says: data: app=data\/bot\.db: /,
  ],
  ['what is no archive', Buffer.alloc(2000, 'x'), {}, /the archive cannot be unpacked: no data was changed/],
  [
    'more than the disk has room for',
    good.tar,
    { size: 2 ** 60 },
    /the disk has \d+ MiB free, and the restore needs \d+ MiB: no data was changed/,
  ],
] as const)
  for (const drill of [false, true])
    test(`${what} changes nothing${drill ? ' (drill)' : ''}`, async () => {
      const host = hostWith(tar)
      const { code, output, calls } = await restore(host, { ...order, drill }, more)
      assert.is(code, 1)
      assert.match(output, said)
      assert.not(calls.some((call) => call.startsWith('docker stop')))
      assert.equal([host.read(note), host.list(data), incoming(host)], ['of today', ['current'], []])
    })

test('a bot that the host does not know is not restored, since its user is not known', async () => {
  const host = hostWith()
  host.write('/var/lib/botgarden/allocations', 'hello-two 1\n')
  const { code, output } = await restore(host)
  assert.is(code, 1)
  assert.match(output, /the bot hello is not on this host: deploy it first \(bot\.ts\), or restore the whole host/)
})

test('the program that the host runs every night is the one that a restore checks by', () =>
  assert.is(readFileSync(join(import.meta.dirname, '../../../roles/backups/templates/data.py'), 'utf8'), dataProgram))

test.run()
