// What happens to backups on the operator's machine: who is told, what is printed, where copies are pushed, and when cron runs.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { alertHere } from '../../../commands/backup/alert.ts'
import { installCron, removeCron } from '../../../commands/backup/crontab.ts'
import { backup } from '../../../commands/backup/index.ts'
import { type BackupResult, faultLines, printResults } from '../../../commands/backup/report.ts'
import { pullOffsite, pushOffsite } from '../../../commands/backup/restic.ts'
import { decryptPart, identitiesIn } from '../../../commands/restore/decrypt.ts'
import type { Session } from '../../../lib/cli/session.ts'
import { formatAge, formatBytes } from '../../../roles/backups/backup-name.ts'
import { settingsOf } from '../../../roles/backups/backup-settings.ts'
import type { BackupPart } from '../../../roles/backups/manifest.ts'
import { rejects } from '../../support/errors.ts'
import { printed } from '../../support/printed.ts'
import { scratchHost, withPrograms } from '../../support/scratch-host.ts'
import { sha256 } from '../../support/sha256.ts'

const folder = mkdtempSync(join(tmpdir(), 'operator-backups-'))
test.after(() => rmSync(folder, { recursive: true }))
const result = (more: Partial<BackupResult> = {}): BackupResult => ({
  host: 'vps1',
  faults: [],
  warnings: [],
  facts: {},
  exitCode: 0,
  ...more,
})

test('a fault is a block of its own, a doubt is one line, and what could not be reached is told apart', () => {
  assert.equal(faultLines(result({ faults: ['one\ntwo'], warnings: ['three'], exitCode: 3 })), [
    'vps1  FAILED: one',
    '    two',
    'vps1  suspicious: three',
  ])
  assert.equal(faultLines(result({ faults: ['no route'], exitCode: 4 })), ['vps1  unreachable: no route'])
  assert.equal(faultLines(result()), [])
})

const session = (own: Record<string, string[]> = {}, json = false) =>
  ({
    options: { own: new Map(Object.entries(own)), json, check: false, limit: [] },
    inventory: { file: join(folder, 'x.yaml') },
    hosts: [],
  }) as unknown as Session
const good = result({
  facts: {
    taken: '2026-11-24T031700Z',
    seconds: 3,
    bytes: 5e6,
    pulled: ['a', 'b'],
    removed: ['c'],
    folder: '/copies',
    copies: 7,
    lines: ['all: well'],
  },
})

test('what was taken and brought is printed, and what failed apart from it; the worst decides how it ends', async () => {
  const bad = result({ host: 'vps2', faults: ['gone'], exitCode: 4 })
  const all = await printed(() => printResults('backup', [good, bad], session()))
  assert.is(
    all.stdout,
    'vps1  all: well\nvps1  taken: 2026-11-24T031700Z, 5.0 MB, in 3 s\nvps1  here: /copies, 7 in all, 2 new and verified, 1 removed\n',
  )
  assert.is(all.stderr, 'vps2  unreachable: gone\n')
  assert.is(all.value, 4)
  const quiet = await printed(() => printResults('backup', [good, bad], session({ quiet: [] })))
  assert.equal([quiet.stdout, quiet.stderr], ['', 'vps2  unreachable: gone\n'])
  for (const [codes, worst] of [
    [[0, 0], 0],
    [[0, 3], 3],
    [[4, 3], 3],
    [[3, 1], 1],
    [[1, 70], 70],
  ] as const)
    assert.is(
      (
        await printed(() =>
          printResults(
            'backup',
            codes.map((exitCode) => result({ exitCode })),
            session({ quiet: [] }),
          ),
        )
      ).value,
      worst,
    )
})

test('as JSON it is one object, by host', async () => {
  const { stdout, stderr } = await printed(() =>
    printResults(
      'backup',
      [good, result({ host: 'b', exitCode: 4, faults: ['x'] }), result({ host: 'c', exitCode: 3, warnings: ['y'] })],
      session({}, true),
    ),
  )
  assert.is(stderr, '')
  const { playbook, hosts } = JSON.parse(stdout)
  assert.equal([playbook, hosts.vps1.status, hosts.b.status, hosts.c.status], ['backup', 'ok', 'unreachable', 'failed'])
  assert.equal([hosts.vps1.taken, hosts.b.faults, hosts.c.warnings], ['2026-11-24T031700Z', ['x'], ['y']])
})

test('who is to be told is told of faults alone: by a command’s stdin, and by a POST', async () => {
  const bodies: string[] = []
  let code = 200
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      bodies.push(`${request.method} ${request.url} ${body}`)
      response.writeHead(code).end()
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/alert`
  const file = join(folder, 'alerted')
  const settings = settingsOf({ alert: { command: `cat >>${file}`, url } })
  await alertHere(result(), settings)
  assert.equal(bodies, [])
  const failed = result({ faults: ['no disk'], exitCode: 3 })
  await alertHere(failed, settings)
  const text = 'botgarden: backup of vps1:\nvps1  FAILED: no disk\n'
  assert.equal([readFileSync(file, 'utf8'), bodies, failed.warnings], [text, [`POST /alert ${text}`], []])
  code = 500
  // It does not read its input either.
  const doubted = result({ faults: ['no disk', 'x'.repeat(1e6)], exitCode: 3 })
  await alertHere(doubted, settingsOf({ alert: { command: 'exit 7', url } }))
  assert.equal(doubted.warnings, ['the alert command ended with exit code 7', 'the alert could not be sent: HTTP 500'])
  server.close()
  server.closeAllConnections()
  const lost = result({ faults: ['x'], exitCode: 3 })
  await alertHere(lost, settingsOf({ alert: { url } }))
  assert.match(lost.warnings.join(), /^the alert could not be sent: /)
})

test('what is left out is usual', () => {
  const { schedule, keep, minFree, timeLimit, alert, local, offsite: none } = settingsOf({})
  assert.equal(
    [schedule, keep, minFree, timeLimit, alert, local, none],
    [...['17 3 * * *', { daily: 7, weekly: 5, monthly: 6 }, 15, 7200, {}, 'backups', undefined]],
  )
})

for (const [milliseconds, shown] of [
  [0, '0 min'],
  [99 * 60_000, '99 min'],
  [100 * 60_000, '2 h'],
  [71 * 3_600_000, '71 h'],
  [72 * 3_600_000, '3 days'],
  [-120_000, '2 min from the future'],
] as const)
  test(`an age of ${milliseconds} ms is ${shown}`, () => assert.is(formatAge(milliseconds), shown))

for (const [bytes, shown] of [
  [0, '0 kB'],
  [1, '1 kB'],
  [999_000, '999 kB'],
  [1e6, '1.0 MB'],
  [123_456_789, '123.5 MB'],
] as const)
  test(`${bytes} bytes are ${shown}`, () => assert.is(formatBytes(bytes), shown))

const offsite = { restic: 'sftp:there:/r', passwordFile: '/pass', passwordCommand: 'pass show r' }
const resticWith = (text: string) =>
  scratchHost({
    restic: `printf 'with %s|%s|%s\\n' "$RESTIC_REPOSITORY" "$RESTIC_PASSWORD_FILE" "$RESTIC_PASSWORD_COMMAND" >>"$STATE/calls"\n${text}`,
  })

test('copies are pushed with the host’s name, but for what begins with a dot', async () => {
  const here = resticWith('')
  await withPrograms(here, () => pushOffsite('/copies/vps1', 'vps1', offsite))
  const [call = '', env] = here.noted('calls').split('\n')
  assert.match(
    call,
    /^restic backup --quiet --tag botgarden --host vps1 --exclude \/copies\/vps1\/\.\* .*\/copies\/vps1$|^restic backup --quiet --tag botgarden --host vps1 --exclude \/copies\/vps1\/\.\* \/copies\/vps1$/,
  )
  assert.is(env, 'with sftp:there:/r|/pass|pass show r')
  const bare = resticWith('')
  await withPrograms(bare, () => pushOffsite('/copies/vps1', 'vps1', { restic: 'r' }))
  assert.is(bare.noted('calls').split('\n')[1], 'with r||')
})

for (const [what, text, said] of [
  ['is missing', 'exit 127', /^this machine: restic is missing, which offsite needs: apt-get install restic$/],
  [
    'finds no repository',
    'exit 10',
    /^offsite: there is no repository yet: create it with the same password: restic --repo sftp:there:\/r init$/,
  ],
  [
    'finds none, in the words of older ones',
    'echo "Fatal: x\nIs there a repository at the following location?" >&2; exit 1',
    /there is no repository yet/,
  ],
  [
    'fails',
    'printf "1\\n2\\n3\\n4\\n5\\nwrong password\\n" >&2; exit 12',
    /^offsite: restic ended with exit code 12: 2; 3; 4; 5; wrong password$/,
  ],
] as const)
  test(`a restic that ${what} is told with what to do`, () =>
    rejects(
      withPrograms(resticWith(text), () => pushOffsite('/copies/vps1', 'vps1', offsite)),
      said,
    ))

test('what was pushed last comes back, wherever it was pushed from', async () => {
  const snapshots = [
    { id: 'aa11', time: '2026-11-23T00:00:00.123456789Z', paths: ['/old/vps1'] },
    { id: 'bb22', time: '2026-11-24T00:00:00.123456789Z', paths: ['/home/ops/copies/vps1'] },
    { id: 'cc33', time: '2026-11-22T00:00:00.123456789Z', paths: ['/older/vps1'] },
  ]
  const here = resticWith(
    `case $1 in snapshots) echo '${JSON.stringify(snapshots)}' ;; restore) for target; do :; done; mkdir -p "$target/home/ops/copies/vps1"; echo "$3" >"$target/home/ops/copies/vps1/from" ;; esac`,
  )
  const target = join(folder, 'pulled')
  await withPrograms(here, () => pullOffsite(target, 'vps1', offsite))
  assert.is(readFileSync(join(target, 'from'), 'utf8'), 'bb22\n')
  assert.is(here.noted('calls').split('\n')[0], 'restic snapshots --json --tag botgarden --host vps1')
  await rejects(
    withPrograms(resticWith('echo "[]"'), () => pullOffsite(target, 'vps1', offsite)),
    /^offsite: sftp:there:\/r holds no copies of vps1$/,
  )
})

/** A crontab that is a file. */
const cronWith = (text?: string) => {
  const here = scratchHost({
    crontab: `case $1 in -l) cat "$STATE/crontab" 2>/dev/null || { echo "no crontab for ops" >&2; exit 1; } ;; -r) rm "$STATE/crontab" ;; -) cat >"$STATE/crontab" ;; esac`,
  })
  if (text !== undefined) here.note('crontab', text)
  return here
}

test('cron runs it as long as it is wanted, and all else in the crontab stays', async () => {
  const here = cronWith('MAILTO=ops\n')
  const run = (what: () => Promise<number>) => withPrograms(here, () => printed(what))
  const installed = await run(() => installCron(session(), '17 3 * * *'))
  assert.match(installed.stdout, /^added to the crontab:\n17 3 \* \* \* cd /)
  assert.is(installed.value, 0)
  const lines = here.noted('crontab').split('\n')
  assert.equal(
    [lines[0], lines[1], lines[3]],
    ['MAILTO=ops', `# botgarden: backups of ${folder}/x.yaml`, `# botgarden: end of backups of ${folder}/x.yaml`],
  )
  assert.match(lines[2] ?? '', `zx playbooks/backup.ts -i ${folder}/x.yaml --quiet 2>&1 | tee -a `)
  await run(() => installCron(session(), '5 5 * * *'))
  assert.is(
    here
      .noted('crontab')
      .split('\n')
      .filter((line) => line.includes('backup.ts')).length,
    1,
  )
  assert.match(here.noted('crontab'), /^5 5 \* \* \* /m)
  assert.is((await run(() => removeCron(session()))).stdout, 'removed from the crontab\n')
  assert.is(here.noted('crontab'), 'MAILTO=ops\n')
  assert.is((await run(() => removeCron(session()))).stdout, `cron had no entry for ${folder}/x.yaml\n`)
})

test('a crontab that had nothing else is gone with it', async () => {
  const here = cronWith()
  await withPrograms(here, () => printed(() => installCron(session(), '17 3 * * *')))
  assert.match(here.noted('crontab'), 'backup.ts')
  await withPrograms(here, () => printed(() => removeCron(session())))
  assert.is(here.noted('crontab'), '')
  assert.match(here.noted('calls'), 'crontab -r')
})

for (const [what, text, said] of [
  ['missing', 'exit 127', /^this machine: crontab is missing: apt-get install cron$/],
  ['forbidden', 'echo "you may not" >&2; exit 1', /^crontab -l: exit code 1: you may not$/],
  [
    'not to be written',
    'case $1 in -l) echo "no crontab for x" >&2; exit 1 ;; *) echo "no room" >&2; exit 2 ;; esac',
    /^crontab: exit code 2: no room$/,
  ],
] as const)
  test(`a crontab that is ${what} is told`, () =>
    rejects(
      withPrograms(scratchHost({ crontab: text }), () => installCron(session(), '17 3 * * *')),
      said,
    ))

test('a time that is none is refused before anything is written', () =>
  rejects(
    installCron(session(), 'daily'),
    /^--install-cron: should be five fields as of crontab\(5\), as in '17 3 \* \* \*', found "daily"$/,
  ))

for (const [own, check, said] of [
  [{ name: ['a'], status: [] }, false, /^--name and --status cannot be combined$/],
  [{ status: [], 'install-cron': ['x'] }, false, /^--status and --install-cron cannot be combined$/],
  [{}, true, /^backup.ts has no --check: use --status, which takes no backup$/],
] as const)
  test(`refuses ${Object.keys(own).join(' and ') || 'a check'}`, () => {
    const given = session(own as Record<string, string[]>)
    assert.throws(
      () => backup({ ...given, options: { ...given.options, check } } as Session),
      (error: Error) => said.test(error.message),
    )
  })

test('what was encrypted is opened by its key alone, and is what its manifest says to the last byte', async () => {
  const identity = await generateX25519Identity()
  const file = join(folder, 'key.txt')
  writeFileSync(file, `# created: today\n${identity}\n  ${await generateX25519Identity()}  \n`)
  const identities = await identitiesIn(file)
  assert.equal([identities.length, identities[0]?.reveal(), String(identities[0])], [2, identity, '***'])
  const encrypter = new Encrypter()
  encrypter.addRecipient(await identityToRecipient(identity))
  mkdirSync(join(folder, 'copy'))
  writeFileSync(join(folder, 'copy/x.age'), await encrypter.encrypt('plain text'))
  const part = {
    kind: 'globals',
    file: 'x.age',
    size: 10,
    sha256: sha256('plain text'),
  } as BackupPart
  const read = async (given: BackupPart, keys = identities) => {
    const chunks = []
    for await (const chunk of decryptPart(join(folder, 'copy'), given, keys)) chunks.push(chunk)
    return Buffer.concat(chunks).toString()
  }
  assert.is(await read(part), 'plain text')
  await rejects(read({ ...part, sha256: '0'.repeat(64) }), /^x.age: its decrypted content does not match the manifest$/)
  await rejects(
    read(part, identities.slice(1)),
    /^x.age: none of these identities can decrypt it: it was encrypted for another key$/,
  )
  const bytes = readFileSync(join(folder, 'copy/x.age'))
  writeFileSync(join(folder, 'copy/x.age'), bytes.subarray(0, -3))
  await rejects(read(part), /^x.age: cannot be decrypted: /)
  writeFileSync(join(folder, 'none.txt'), 'age1public\n')
  await rejects(identitiesIn(join(folder, 'none.txt')), /has no line AGE-SECRET-KEY-1… as age-keygen writes it$/)
  await rejects(identitiesIn(join(folder, 'nowhere')), /cannot be read: /)
})

test.run()
