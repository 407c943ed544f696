import { cpSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sign, signingKey, writeSums } from '../copies.ts'
import { type Copy, writeCopy } from './marks.ts'

/** A copy that is refused before its host is asked anything. */
export interface HostileCopy {
  readonly what: string
  readonly says: RegExp
  readonly copy?: Partial<Copy>
  /** What is done to its folder afterwards, with this key. */
  readonly spoil?: (folder: string, key: string) => unknown
}

const database = (more: object) => (manifest: Record<string, unknown>) => {
  const parts = manifest.parts as Record<string, unknown>[]
  return { ...manifest, parts: parts.map((part) => (part.kind === 'database' ? { ...part, ...more } : part)) }
}
const field = (more: object) => (manifest: Record<string, unknown>) => ({ ...manifest, ...more })
const swapped = (from: string, to: string) => (manifest: Record<string, unknown>) =>
  JSON.stringify(manifest).replace(from, to)
const edit = (folder: string, file: string, change: (text: string) => string) =>
  writeFileSync(join(folder, file), change(readFileSync(join(folder, file), 'utf8')))
const parts = ['database-hello_bot.dump.age', 'globals.sql.age', 'files.tar.age']
const sealed = async (folder: string, key: string, files = ['manifest.json', ...parts]) => {
  writeSums(folder, files)
  await sign(folder, key)
}

export const ofOrigin: readonly HostileCopy[] = [
  { what: 'signed by nobody', says: /is not signed, although/, spoil: (at) => rmSync(join(at, 'SHA256SUMS.sig')) },
  {
    what: 'signed by a key of their own',
    says: /has CHANGED/,
    spoil: async (at) => sign(at, await signingKey(dirname(dirname(at)), `own-${Date.now()}`)),
  },
  {
    what: 'signed by the host, for something else',
    says: /signature is invalid/,
    spoil: (at, key) => sign(at, key, 'file'),
  },
  {
    what: 'an empty signature',
    says: /is not a signature/,
    spoil: (at) => writeFileSync(join(at, 'SHA256SUMS.sig'), ''),
  },
  {
    what: 'a signature of an older copy',
    says: /signature is invalid/,
    spoil: (at) => edit(at, 'SHA256SUMS', (text) => text.split('\n').reverse().join('\n').trim()),
  },
  {
    what: 'a manifest changed under its signature',
    says: /manifest\.json: does not match its checksum/,
    spoil: (at) => edit(at, 'manifest.json', (text) => text.replace('"hello_bot"', '"postgres"')),
  },
  {
    what: 'a manifest and its checksum changed',
    says: /signature is invalid/,
    spoil: (at) => {
      edit(at, 'manifest.json', (text) => `${text} `)
      writeSums(at, ['manifest.json', ...parts])
    },
  },
  {
    what: 'a dump of somebody else, encrypted to the same key',
    says: /its checksum differs from the manifest|has \d+ bytes instead of/,
    spoil: (at) => cpSync(join(at, 'globals.sql.age'), join(at, 'database-hello_bot.dump.age')),
  },
  { what: 'a dump that is missing', says: /missing/, spoil: (at) => rmSync(join(at, 'database-hello_bot.dump.age')) },
  { what: 'no manifest', says: /manifest\.json: missing/, spoil: (at) => rmSync(join(at, 'manifest.json')) },
  { what: 'no checksums', says: /SHA256SUMS: missing/, spoil: (at) => rmSync(join(at, 'SHA256SUMS')) },
  { what: 'a file more', says: /x\.age: is not in the manifest/, spoil: (at) => writeFileSync(join(at, 'x.age'), '') },
  {
    what: 'a link for a dump',
    says: /is not a regular file/,
    spoil: (at) => {
      rmSync(join(at, 'database-hello_bot.dump.age'))
      symlinkSync('/etc/shadow', join(at, 'database-hello_bot.dump.age'))
    },
  },
  {
    what: 'a link for the whole copy',
    says: /should be a folder: move/,
    spoil: (at) => {
      renameSync(at, join(dirname(at), '.elsewhere'))
      symlinkSync(join(dirname(at), '.elsewhere'), at)
    },
  },
  {
    what: 'checksums with a path',
    says: /SHA256SUMS: is not in the format of sha256sum/,
    spoil: async (at, key) => {
      edit(at, 'SHA256SUMS', (text) => `${text}${'0'.repeat(64)}  ../../x.age\n`)
      await sign(at, key)
    },
  },
  {
    what: 'checksums that leave the dump out',
    says: /SHA256SUMS and the manifest have different checksums/,
    spoil: (at, key) => sealed(at, key, ['manifest.json', ...parts.slice(1)]),
  },
  {
    what: 'of another host, signed by this one',
    says: /is a backup of the host vps2/,
    copy: { manifest: field({ host: 'vps2' }) },
  },
  {
    what: 'an old one under a newer name',
    says: /was taken at 2020-01-01T00:00:00Z, but is named/,
    copy: { manifest: field({ time: '2020-01-01T00:00:00Z' }) },
  },
  {
    what: 'a dump in plain',
    says: /is not encrypted with age/,
    spoil: async (at, key) => {
      const size = readFileSync(join(at, parts[0] ?? '')).length
      writeFileSync(join(at, parts[0] ?? ''), Buffer.alloc(size, 'PGDMP'))
      writeSums(at, parts)
      const sum = readFileSync(join(at, 'SHA256SUMS'), 'utf8').slice(0, 64)
      edit(at, 'manifest.json', (text) => text.replace(/("encrypted":\{"size":\d+,"sha256":")[0-9a-f]{64}/, `$1${sum}`))
      await sealed(at, key)
    },
  },
]

export const manifests: readonly HostileCopy[] = [
  ...['pg_execute_server_program', 'PG_READ_ALL_DATA', 'public', 'none'].map((owner) => ({
    what: `its owner is ${owner}`,
    says: /an owner that is not a predefined role/,
    copy: { manifest: database({ owner }) },
  })),
  ...['postgres', 'other_bot', 'botgarden-reader', '__proto__', '"; drop role x; --'].map((owner) => ({
    what: `its owner is ${owner}`,
    says: /a bot belongs to the role of the same name/,
    copy: { manifest: database({ owner }) },
  })),
  {
    what: 'its owner is written with escapes',
    says: /an owner that is not a predefined role/,
    copy: { manifest: swapped('"owner":"hello_bot"', '"owner":"\\u0070g_write_server_files"') },
  },
  {
    what: 'it has two owners, the good one first',
    says: /an owner that is not a predefined role/,
    copy: { manifest: swapped('"owner":"hello_bot"', '"owner":"hello_bot","owner":"pg_monitor"') },
  },
  ...[null, ['hello_bot'], { toString: 'hello_bot' }, 7].map((owner) => ({
    what: `its owner is ${JSON.stringify(owner)}`,
    says: /manifest\.json: .+/,
    copy: { manifest: database({ owner }) },
  })),
  {
    what: 'its database moves the terminal',
    says: /without control characters/,
    copy: { manifest: database({ database: 'a\x1b[2J' }) },
  },
  {
    what: 'its dump is elsewhere',
    says: /manifest\.json: .+/,
    copy: { manifest: database({ file: '../../../etc/shadow.age' }) },
  },
  {
    what: 'its dump is called like an option',
    says: /manifest\.json: .+/,
    copy: { manifest: database({ file: '-rf.age' }) },
  },
  ...[-1, 1.5, '5', null].map((size) => ({
    what: `a size of ${JSON.stringify(size)}`,
    says: /manifest\.json: .+/,
    copy: { manifest: database({ size }) },
  })),
  {
    what: 'a size of 1e400',
    says: /manifest\.json: .+/,
    copy: { manifest: swapped('"size":', '"size":1e400,"was":') },
  },
  {
    what: 'a count of -1',
    says: /manifest\.json: .+/,
    copy: { manifest: database({ tables: { 'public.users': -1 } }) },
  },
  ...['public.users; drop table users', 'users where pg_sleep(9) is null', 'a.b.c', '"a\nb"', ''].map((table) => ({
    what: `a table called ${JSON.stringify(table)}`,
    says: /has an invalid table name/,
    copy: { manifest: database({ tables: { [table]: 1 } }) },
  })),
  { what: 'no parts', says: /manifest\.json: .+/, copy: { manifest: field({ parts: [] }) } },
  {
    what: 'the same database twice',
    says: /is listed twice/,
    copy: {
      manifest: (manifest) => {
        const all = manifest.parts as object[]
        return { ...manifest, parts: [all[0], ...all] }
      },
    },
  },
  { what: 'a format of tomorrow', says: /another version of botgarden/, copy: { manifest: field({ format: 3 }) } },
  {
    what: 'a whole one that says it holds one database',
    says: /should contain only the database hello_bot/,
    copy: { manifest: field({ only: 'hello_bot' }) },
  },
  ...(
    [
      ['empty', ''],
      ['null', 'null'],
      ['cut', '{"format":1,"host":'],
      ['a list', '[]'],
      ['100,000 lists in each other', '['.repeat(100_000)],
      ['100,000 closed lists in each other', '['.repeat(100_000) + ']'.repeat(100_000)],
      ['with a mark of its byte order', '\ufeff{}'],
    ] as const
  ).map(([what, text]) => ({
    what: `a manifest that is ${what}`,
    says: /manifest\.json: .+/,
    copy: { manifest: () => text || ' ' },
  })),
  { what: 'a manifest of 33 MB', says: /manifest\.json: is larger than/, copy: { manifest: () => ' '.repeat(33e6) } },
]

/** Writes such a copy, as newest of its folder; returns its own. */
export async function written(
  base: string,
  honest: Copy & { key: string },
  { copy, spoil }: HostileCopy,
): Promise<string> {
  const folder = join(base, honest.host, await writeCopy(base, { ...honest, ...copy }))
  await spoil?.(folder, honest.key)
  return folder
}
