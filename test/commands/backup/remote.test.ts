// What a host is asked about its backups, in a real sh, and what its answers mean.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { listRemote, takeBackup } from '../../../commands/backup/remote.ts'
import { parseKey } from '../../../commands/backup/signature.ts'
import { signatureFile } from '../../../roles/backups/manifest.ts'
import { backupDir, programDir, signingKey } from '../../../roles/backups/paths.ts'
import { connectionTo, type ScratchHost, scratchHost } from '../../support/scratch-host.ts'

const status = { format: 1, result: 'ok', at: '2026-11-24T03:17:00Z', seconds: 5, reason: '', warnings: [] }
const record = `${programDir}/status.json`
const clock = { date: 'echo 1795676546' }

const failureOf = async (run: Promise<unknown>): Promise<string> => {
  try {
    return `no failure, but ${JSON.stringify(await run)}`
  } catch (error) {
    return (error as Error).message
  }
}

test('a host lists its backups, its last run and its key', async () => {
  const host = scratchHost(clock)
  const at = (path: string) => join(host.root, path)
  mkdirSync(dirname(at(signingKey)), { recursive: true })
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', at(signingKey)])
  host.write(record, JSON.stringify(status))
  const [old, one, young] = ['2026-11-23T031700Z', '2026-11-24T031700Z-one', '2026-11-25T031700Z']
  host.write(`${backupDir}/${old}/manifest.json`, '{ "a": "b" }\n')
  host.write(`${backupDir}/${old}/${signatureFile}`, 'x')
  host.write(`${backupDir}/${one}/manifest.json`, 'no json')
  host.folder(`${backupDir}/${young}`)
  for (const name of ['2026Z', 'x2026-11-23T031700Z']) host.folder(`${backupDir}/${name}`)
  host.write(`${backupDir}/2026-11-26T031700Z`, 'a file')
  const { now, status: run, signer, backups } = await listRemote(connectionTo(host))
  assert.is(now, 1_795_676_546_000)
  assert.equal([run?.result, run?.at], ['ok', status.at])
  assert.is(signer, parseKey(readFileSync(at(`${signingKey}.pub`), 'utf8')))
  assert.ok(signer)
  assert.equal(
    backups.map(({ name, manifest, signed, only }) => [name, manifest, signed, only]),
    [
      [young, '', false, undefined],
      [one, 'no json', false, 'one'],
      [old, '{ "a": "b" }\n', true, undefined],
    ],
  )
})

test('a host without backups has none, nor where it cannot tell more than its time', async () => {
  const nothing = { now: 1_795_676_546_000, status: undefined, signer: undefined, backups: [] }
  assert.equal(await listRemote(connectionTo(scratchHost(clock))), nothing)
  assert.equal(await listRemote(connectionTo(scratchHost({ ...clock, jq: 'exit 1' }))), nothing)
})

test('an answer that is no list, and a record of a run that is none', async () => {
  assert.is(
    await failureOf(listRemote(connectionTo(scratchHost({ ...clock, jq: `printf '%0300d' 1` })))),
    `its list of backups cannot be parsed: ${'0'.repeat(200)}`,
  )
  const torn = scratchHost(clock)
  torn.write(record, '{"format":')
  assert.match((await listRemote(connectionTo(torn))).status?.warnings.join() ?? '', 'cannot be parsed')
})

/** A host whose program for backups does this. */
function backupHost(program: string): ScratchHost {
  const host = scratchHost({ 'systemd-run': 'while [ "${1#-}" != "$1" ]; do shift; done; exec "$@"' })
  host.install(`${programDir}/backup`, `#!/bin/sh\nprintf '%s\\n' "backup $*" >>"$STATE/calls"\n${program}\n`)
  return host
}
const writes = (more: object, file = record) => `echo '${JSON.stringify({ ...status, ...more })}' >${file}`

test('a backup is taken in a unit of its own, of one database if it is named', async () => {
  const host = backupHost(writes({}))
  assert.is((await takeBackup(connectionTo(host))).result, 'ok')
  const calls = () => host.noted('calls').split('\n').filter(Boolean)
  assert.match(
    calls()[0] ?? '',
    /^systemd-run --quiet --wait --collect --unit=botgarden-backup-\d+ \S+\/backup --wait$/,
  )
  assert.equal(calls().slice(1), ['backup --wait'])
  const one = backupHost(writes({ at: 'x' }, `${programDir}/status-one.json`))
  one.write(record, JSON.stringify({ ...status, result: 'failed' }))
  assert.is((await takeBackup(connectionTo(one), 'one')).at, 'x')
  assert.match(one.noted('calls'), 'backup --wait --only one\n')
})

test('a backup that fails has a status', async () => {
  const told = await takeBackup(connectionTo(backupHost(`${writes({ result: 'failed', reason: 'full' })}; exit 1`)))
  assert.equal([told.result, told.reason], ['failed', 'full'])
})

for (const [what, program, before] of [
  ['its program fails and says nothing', 'exit 1', undefined],
  ['its program is well and says nothing', ':', undefined],
  ['its program fails, and the status is of an earlier run', 'exit 1', { result: 'failed' }],
  ['its program fails, and says that it is well', `${writes({})}; exit 1`, undefined],
  ['its program is well, and says that it fails', writes({ result: 'failed' }), undefined],
  ['it is said to run', `${writes({ result: 'running', process: '1 1' })}; exit 1`, 'alive'],
] as const)
  test(`a backup was not taken where ${what}`, async () => {
    const host = backupHost(program)
    if (typeof before === 'object') host.write(record, JSON.stringify({ ...status, ...before }))
    if (before === 'alive') host.write('/proc/1/stat', `1${' x'.repeat(20)} 1`)
    assert.match(
      await failureOf(takeBackup(connectionTo(host))),
      /could not be started: (ok|failed)[\s\S]*see journalctl/,
    )
  })

test('a host that has no program for backups is told so', async () => {
  assert.match(
    await failureOf(takeBackup(connectionTo(scratchHost()))),
    'the role backups has not been applied to this host yet',
  )
})

test.run()
