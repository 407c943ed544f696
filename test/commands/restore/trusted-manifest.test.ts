import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import {
  type CopyOptions,
  database,
  fingerprint,
  knownSigner,
  place,
  refused,
  scratchFolder,
  sign,
  signingKey,
  taken,
  whole,
  writeCopy,
  writeSums,
} from '../../support/copies.ts'

const scratch = scratchFolder()
const key = await signingKey(scratch, 'key')
const other = await signingKey(scratch, 'other')

test('a copy that its host has signed is taken', async () => {
  const here = place(knownSigner(key))
  await writeCopy(here.copies, { key })
  assert.is(await taken(here), '2026-11-24T031700Z')
})

test('the inventory alone decides where it names who signs', async () => {
  const here = place('', await fingerprint(key))
  await writeCopy(here.copies, { key })
  assert.is(await taken(here), '2026-11-24T031700Z')
  const elsewhere = place(knownSigner(key), await fingerprint(other))
  await writeCopy(elsewhere.copies, { key })
  await refused(elsewhere, /is ANOTHER than the inventory says.*\nit is SHA256:\S+, and backups\.signer says SHA256:/)
})

const append = (folder: string, file: string, text = ' ') =>
  writeFileSync(join(folder, file), `${readFileSync(join(folder, file), 'utf8')}${text}`)
const files = ['manifest.json', ...whole.map(({ file }) => file)]
const evil = [{ ...database, owner: 'pg_execute_server_program' }, ...whole.slice(1)]

/** Each is a copy of vps1 by somebody else, or one that somebody has changed. */
const hostile: readonly (readonly [
  title: string,
  said: RegExp,
  options: CopyOptions,
  spoil?: (folder: string) => unknown,
])[] = [
  ['signed by nobody', /is not signed, although vps1 signs its backups since 2026-11-01T000000Z with SHA256:/, {}],
  [
    'signed by another key',
    /has CHANGED.*\nit is SHA256:\S+, and \S+allowed_signers has SHA256:\S+\nif the host was reinstalled, add this line/,
    { key: other },
  ],
  ['signed for something else', /signature is invalid/, { key }, (folder) => sign(folder, key, 'file')],
  [
    'with a signature of another file',
    /signature is invalid/,
    { key },
    async (folder) => {
      const old = await writeCopy(scratch, { name: '2026-11-20T031700Z', key })
      cpSync(join(old, 'SHA256SUMS.sig'), join(folder, 'SHA256SUMS.sig'))
    },
  ],
  [
    'with a signature that is none',
    /is not a signature/,
    { key },
    (folder) => writeFileSync(join(folder, 'SHA256SUMS.sig'), 'x'),
  ],
  [
    'with an empty signature',
    /is not a signature/,
    { key },
    (folder) => writeFileSync(join(folder, 'SHA256SUMS.sig'), ''),
  ],
  [
    'with two signatures',
    /is not a signature/,
    { key },
    (folder) => append(folder, 'SHA256SUMS.sig', readFileSync(join(folder, 'SHA256SUMS.sig'), 'utf8')),
  ],
  [
    'with other checksums',
    /signature is invalid/,
    { key },
    (folder) => append(folder, 'SHA256SUMS', `${'0'.repeat(64)}  x.age\n`),
  ],
  [
    'with another manifest',
    /manifest\.json: does not match its checksum/,
    { key },
    (folder) => append(folder, 'manifest.json'),
  ],
  [
    'with another manifest and its checksum',
    /signature is invalid/,
    { key },
    (folder) => {
      append(folder, 'manifest.json')
      writeSums(folder, files)
    },
  ],
  [
    'with another part',
    /database-hello_bot\.dump\.age: its checksum differs/,
    { key },
    (folder) => {
      const path = join(folder, database.file)
      writeFileSync(path, readFileSync(path, 'utf8').replace('2026', '2027'))
    },
  ],
  ['with a part that is cut', /has \d+ bytes instead of \d+/, { key }, (folder) => append(folder, database.file)],
  [
    'without one of its parts',
    /globals\.sql\.age: missing/,
    { key },
    (folder) => rmSync(join(folder, 'globals.sql.age')),
  ],
  ['with a file more', /x\.age: is not in the manifest/, { key }, (folder) => writeFileSync(join(folder, 'x.age'), '')],
  [
    'with a link for a part',
    /is not a regular file/,
    { key },
    (folder) => {
      rmSync(join(folder, database.file))
      symlinkSync('/etc/passwd', join(folder, database.file))
    },
  ],
  [
    'with a link for its manifest',
    /is not a regular file/,
    { key },
    (folder) => {
      renameSync(join(folder, 'manifest.json'), join(scratch, 'manifest.json'))
      symlinkSync(join(scratch, 'manifest.json'), join(folder, 'manifest.json'))
    },
  ],
  ['of another host', /is a backup of the host vps2, not of vps1/, { key, manifest: { host: 'vps2' } }],
  [
    'of another time',
    /was taken at 2026-11-01T00:00:00Z, but is named/,
    { key, manifest: { time: '2026-11-01T00:00:00Z' } },
  ],
  [
    'of one database, as one of all',
    /holds hello_bot, but is named/,
    { key, manifest: { only: 'hello_bot' }, parts: [database] },
  ],
  [
    'of all, as one of one database',
    /holds all of the host, but is named/,
    { key, name: '2026-11-24T031700Z-hello_bot' },
  ],
  [
    'whose checksums leave a part out',
    /SHA256SUMS and the manifest have different checksums/,
    { key },
    async (folder) => {
      writeSums(folder, files.slice(0, -1))
      await sign(folder, key)
    },
  ],
  [
    'whose manifest leaves a part out',
    /database-two\.dump\.age: is not in the manifest/,
    { key },
    async (folder) => {
      writeFileSync(join(folder, 'database-two.dump.age'), '')
      writeSums(folder, [...files, 'database-two.dump.age'])
      await sign(folder, key)
    },
  ],
  ['whose database is a predefined role’s', /an owner that is not a predefined role/, { key, parts: evil }],
  [
    'whose part has a name of its own',
    /should be named database-hello_bot\.dump\.age/,
    {
      key,
      parts: [{ ...database, file: 'database-other.dump.age' }, ...whole.slice(1)],
    },
  ],
  [
    'whose database has a name that moves the terminal',
    /without control characters/,
    {
      key,
      parts: [
        { ...database, database: 'a\x1b[2J', file: `database-=${Buffer.from('a\x1b[2J').toString('hex')}.dump.age` },
        ...whole.slice(1),
      ],
    },
  ],
]
for (const [title, said, options, spoil] of hostile)
  for (const flags of [[], ['unsigned', 'yes']])
    test(`a copy ${title} is refused${flags.length === 0 ? '' : ', whatever is agreed to'}`, async () => {
      const here = place(knownSigner(key))
      const folder = await writeCopy(here.copies, options)
      await spoil?.(folder)
      await refused(here, said, flags)
    })

test('a whole one of before is no newer one, and the newest good one is not passed over in silence', async () => {
  const here = place(knownSigner(key))
  renameSync(await writeCopy(here.copies, { name: '2026-11-20T031700Z', key }), join(here.copies, '2026-11-24T031700Z'))
  await writeCopy(here.copies, { name: '2026-11-23T031700Z', key })
  await refused(
    here,
    /was taken at 2026-11-20T03:17:00Z, but is named 2026-11-24T031700Z\nselect an older one with --at/,
  )
  assert.is(await taken(here, [], { until: Date.parse('2026-11-23T23:59:59Z') }), '2026-11-23T031700Z')
})

test('what is in a copy that is not proved is not looked at', async () => {
  const here = place(knownSigner(key))
  const without = whole.slice(1)
  await writeCopy(here.copies, { parts: without, key: other })
  await writeCopy(here.copies, { name: '2026-11-23T031700Z', key })
  // It says that it has no such database, which would send the choice on to an older one.
  await refused(here, /has CHANGED/)
})

test.run()
