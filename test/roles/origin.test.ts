import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { generateIdentity, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { stringify } from 'yaml'
import { HostError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import type { Session } from '../../lib/play.ts'
import { chosenCopy } from '../../roles/backups/choose.ts'
import { pullOffsite } from '../../roles/backups/offsite.ts'
import { fingerprintOf } from '../../roles/backups/signature.ts'
import { remember, signersOf, unsignedFault } from '../../roles/backups/signers.ts'
import { backups } from '../../roles/index.ts'
import {
  type CopyOptions,
  database,
  fingerprint,
  knownSigner,
  publicHalf,
  sign,
  signingKey,
  whole,
  writeCopy,
  writeSums,
} from '../support/copies.ts'
import { run } from '../support/runner.ts'
import { onTerminal } from '../support/terminal.ts'

const zx = join(import.meta.dirname, '../../node_modules/zx/build/cli.js')
const scratch = mkdtempSync(join(tmpdir(), 'origin-test-'))
test.after(() => rmSync(scratch, { recursive: true }))
const key = await signingKey(scratch, 'key')
const other = await signingKey(scratch, 'other')
const inventory = { file: 'x.yaml' }
let count = 0

interface Place {
  /** The copies of vps1. */
  readonly copies: string
  readonly signer?: string
}

function place({ known = knownSigner(key), signer }: { known?: string; signer?: string } = {}): Place {
  const copies = join(scratch, `${++count}`, 'vps1')
  mkdirSync(copies, { recursive: true })
  if (known !== '') writeFileSync(join(copies, 'allowed_signers'), known)
  return { copies, ...(signer !== undefined && { signer }) }
}

/** What restore.ts would take: the name of the copy, or how it is refused. */
async function taken({ copies, signer }: Place, flags: readonly string[] = [], wish = {}): Promise<string> {
  const own = new Map(flags.map((flag) => [flag, ['']]))
  const session = { inventory, options: { own }, report: { line: () => {} } } as unknown as Session
  const vars = { backups: { recipients: ['x'], local: dirname(copies), signer } }
  const host: InventoryHost = { ...{ name: 'vps1', ssh: 'vps1', groups: [], httpsPort: 443, bots: [] }, vars }
  const unsigned = own.has('unsigned')
  const wanted = { from: 'copy', until: undefined, database: 'hello_bot', unsigned, ...wish } as const
  return chosenCopy(session, host, wanted, async ({ name }) => name)
}

async function refused(from: Place, said: RegExp, flags: readonly string[] = []): Promise<void> {
  try {
    assert.unreachable(`it took ${await taken(from, flags)}`)
  } catch (error) {
    assert.instance(error, HostError, `${(error as Error).stack}`)
    assert.match((error as Error).message, said)
  }
}

test('a copy that its host has signed is taken', async () => {
  const here = place()
  await writeCopy(here.copies, { key })
  assert.is(await taken(here), '2026-11-24T031700Z')
})

test('the inventory alone decides where it names who signs', async () => {
  const here = place({ known: '', signer: await fingerprint(key) })
  await writeCopy(here.copies, { key })
  assert.is(await taken(here), '2026-11-24T031700Z')
  const elsewhere = place({ signer: await fingerprint(other) })
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
  ['signed by nobody', /is not signed, though vps1 signs since 2026-11-01T000000Z by SHA256:/, {}],
  [
    'signed by another key',
    /has CHANGED.*\nit is SHA256:\S+, and \S+allowed_signers has SHA256:\S+\nif the host was set up anew, add this line/,
    { key: other },
  ],
  ['signed for something else', /signature does not hold/, { key }, (folder) => sign(folder, key, 'file')],
  [
    'with a signature of another file',
    /signature does not hold/,
    { key },
    async (folder) => {
      const old = await writeCopy(scratch, { name: '2026-11-20T031700Z', key })
      cpSync(join(old, 'SHA256SUMS.sig'), join(folder, 'SHA256SUMS.sig'))
    },
  ],
  [
    'with a signature that is none',
    /is no signature/,
    { key },
    (folder) => writeFileSync(join(folder, 'SHA256SUMS.sig'), 'x'),
  ],
  [
    'with an empty signature',
    /is no signature/,
    { key },
    (folder) => writeFileSync(join(folder, 'SHA256SUMS.sig'), ''),
  ],
  [
    'with two signatures',
    /is no signature/,
    { key },
    (folder) => append(folder, 'SHA256SUMS.sig', readFileSync(join(folder, 'SHA256SUMS.sig'), 'utf8')),
  ],
  [
    'with other checksums',
    /signature does not hold/,
    { key },
    (folder) => append(folder, 'SHA256SUMS', `${'0'.repeat(64)}  x.age\n`),
  ],
  [
    'with another manifest',
    /manifest\.json: is not the one that was written/,
    { key },
    (folder) => append(folder, 'manifest.json'),
  ],
  [
    'with another manifest and its checksum',
    /signature does not hold/,
    { key },
    (folder) => {
      append(folder, 'manifest.json')
      writeSums(folder, files)
    },
  ],
  [
    'with another part',
    /database-hello_bot\.dump\.age: its checksum is not/,
    { key },
    (folder) => {
      const path = join(folder, database.file)
      writeFileSync(path, readFileSync(path, 'utf8').replace('2026', '2027'))
    },
  ],
  ['with a part that is cut', /has \d+ bytes, and had \d+/, { key }, (folder) => append(folder, database.file)],
  [
    'without one of its parts',
    /globals\.sql\.age: missing/,
    { key },
    (folder) => rmSync(join(folder, 'globals.sql.age')),
  ],
  ['with a file more', /x\.age: is in no manifest/, { key }, (folder) => writeFileSync(join(folder, 'x.age'), '')],
  [
    'with a link for a part',
    /is no regular file/,
    { key },
    (folder) => {
      rmSync(join(folder, database.file))
      symlinkSync('/etc/passwd', join(folder, database.file))
    },
  ],
  [
    'with a link for its manifest',
    /is no regular file/,
    { key },
    (folder) => {
      renameSync(join(folder, 'manifest.json'), join(scratch, 'manifest.json'))
      symlinkSync(join(scratch, 'manifest.json'), join(folder, 'manifest.json'))
    },
  ],
  ['of another host', /is a backup of the host vps2, and not of vps1/, { key, manifest: { host: 'vps2' } }],
  [
    'of another time',
    /was taken at 2026-11-01T00:00:00Z, and is called/,
    { key, manifest: { time: '2026-11-01T00:00:00Z' } },
  ],
  [
    'of one database, as one of all',
    /holds hello_bot, and is called/,
    { key, manifest: { only: 'hello_bot' }, parts: [database] },
  ],
  [
    'of all, as one of one database',
    /holds all of the host, and is called/,
    { key, name: '2026-11-24T031700Z-hello_bot' },
  ],
  [
    'whose checksums leave a part out',
    /SHA256SUMS has another checksum/,
    { key },
    async (folder) => {
      writeSums(folder, files.slice(0, -1))
      await sign(folder, key)
    },
  ],
  [
    'whose manifest leaves a part out',
    /database-two\.dump\.age: is in no manifest/,
    { key },
    async (folder) => {
      writeFileSync(join(folder, 'database-two.dump.age'), '')
      writeSums(folder, [...files, 'database-two.dump.age'])
      await sign(folder, key)
    },
  ],
  ['whose database is a predefined role’s', /an owner that is no predefined role/, { key, parts: evil }],
  [
    'whose part has a name of its own',
    /should be called database-hello_bot\.dump\.age/,
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
      const here = place()
      const folder = await writeCopy(here.copies, options)
      await spoil?.(folder)
      await refused(here, said, flags)
    })

test('a whole one of before is no newer one, and the newest good one is not passed over in silence', async () => {
  const here = place()
  renameSync(await writeCopy(here.copies, { name: '2026-11-20T031700Z', key }), join(here.copies, '2026-11-24T031700Z'))
  await writeCopy(here.copies, { name: '2026-11-23T031700Z', key })
  await refused(here, /was taken at 2026-11-20T03:17:00Z, and is called 2026-11-24T031700Z\n--at names an older one/)
  assert.is(await taken(here, [], { until: Date.parse('2026-11-23T23:59:59Z') }), '2026-11-23T031700Z')
})

test('what is in a copy that is not proved is not looked at', async () => {
  const here = place()
  const without = whole.slice(1)
  await writeCopy(here.copies, { parts: without, key: other })
  await writeCopy(here.copies, { name: '2026-11-23T031700Z', key })
  // It says that it has no such database, which would send the choice on to an older one.
  await refused(here, /has CHANGED/)
})

test('a copy of before the host signed needs --unsigned, and a yes', async () => {
  for (const known of ['', knownSigner(key)]) {
    const here = place({ known })
    const name = '2026-10-01T031700Z'
    await writeCopy(here.copies, { name })
    await refused(here, /is not signed: --unsigned takes a copy of before/)
    await taken(here, ['unsigned']).then(
      () => assert.unreachable(),
      ({ message }: Error) => assert.match(message, /which nobody has signed, .*nobody is here to be asked; --yes/),
    )
    assert.is(await taken(here, ['unsigned', 'yes']), name)
  }
})

test('who signs a first copy is shown, and no flag says yes to that', async () => {
  const here = place({ known: '' })
  await writeCopy(here.copies, { key })
  const own = await fingerprint(key)
  await taken(here, ['yes', 'unsigned']).then(
    () => assert.unreachable(),
    ({ message }: Error) => {
      assert.ok(
        message.includes(`is signed by ${own}, and no key that signs the backups of vps1 is known here`),
        message,
      )
      assert.match(message, /take it: nobody is here to be asked; once you have compared it, name it/)
      assert.ok(message.includes(`backups: { signer: '${own}' }`), message)
    },
  )
})

test('who signs a first copy is kept once the person at the terminal says yes', async () => {
  const here = place({ known: '' })
  await writeCopy(here.copies, { key })
  const identity = join(scratch, 'identity')
  writeFileSync(identity, `${await generateIdentity()}\n`)
  const args = ['-i', await unreachable(here.copies), '--drill', '--yes', '--identity', identity]
  const { code, events } = await onTerminal([zx, 'playbooks/restore.ts', ...args], { typed: 'yes\n' })
  const said = events.map(([, text]) => text).join('')
  assert.match(said, `is signed by ${await fingerprint(key)}, and no key that signs the backups of vps1 is known here`)
  assert.is(code, 4, said)
  assert.is(readFileSync(join(here.copies, 'allowed_signers'), 'utf8'), knownSigner(key, '2026-11-24T031700Z'))
  assert.is(await taken(here), '2026-11-24T031700Z')
})

test('a file of known signers that is none is said, with its line', async () => {
  for (const [known, said] of [
    ['# mine\n* namespaces="botgarden-backup" ssh-ed25519 AAAA\n', /allowed_signers:2: should be: vps1 namespaces=/],
    [knownSigner(key).replace('botgarden-backup', 'file'), /allowed_signers:1: should be/],
  ] as const) {
    const here = place({ known })
    await writeCopy(here.copies, { key })
    await refused(here, said)
  }
  const here = place({ known: '' })
  mkdirSync(join(here.copies, 'allowed_signers'))
  await writeCopy(here.copies, { key })
  await refused(here, /allowed_signers: cannot be read/)
})

const broken: readonly (readonly [title: string, said: RegExp, spoil: (folder: string) => unknown])[] = [
  [
    'without its manifest',
    /2026-11-24T031700Z: manifest\.json: missing/,
    (folder) => rmSync(join(folder, 'manifest.json')),
  ],
  ['without its checksums', /2026-11-24T031700Z: SHA256SUMS: missing/, (folder) => rmSync(join(folder, 'SHA256SUMS'))],
  [
    'that is empty',
    /manifest\.json and SHA256SUMS: missing: .* move it away; backup\.ts/,
    (folder) => {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
    },
  ],
  [
    'that is a file',
    /should be a folder and is none/,
    (folder) => {
      rmSync(folder, { recursive: true })
      writeFileSync(folder, '')
    },
  ],
  [
    'that is a link',
    /should be a folder and is none/,
    (folder) => {
      renameSync(folder, join(scratch, 'moved'))
      symlinkSync(join(scratch, 'moved'), folder)
    },
  ],
  [
    'whose manifest is a folder',
    /manifest\.json: is no regular file/,
    (folder) => {
      rmSync(join(folder, 'manifest.json'))
      mkdirSync(join(folder, 'manifest.json'))
    },
  ],
  [
    'whose manifest is no JSON',
    /manifest\.json: is no JSON/,
    async (folder) => {
      writeFileSync(join(folder, 'manifest.json'), '{"format": 1')
      writeSums(folder, files)
      await sign(folder, key)
    },
  ],
  [
    'whose checksums are none',
    /SHA256SUMS: is not as sha256sum writes it/,
    async (folder) => {
      writeFileSync(join(folder, 'SHA256SUMS'), 'x\n')
      await sign(folder, key)
    },
  ],
]
for (const [title, said, spoil] of broken)
  test(`a copy ${title} is said as what it is`, async () => {
    const here = place()
    await spoil(await writeCopy(here.copies, { key }))
    await refused(here, said)
  })

test('a file in the place of the copies is said as what it is', async () => {
  const here = place()
  rmSync(here.copies, { recursive: true })
  writeFileSync(here.copies, '')
  await refused(here, /should be the folder of the copies of vps1 and is a file: move it away/)
})

/** An inventory of vps1, where nobody answers: to try to log in is to have taken a copy. */
async function unreachable(copies: string): Promise<string> {
  const file = join(scratch, `${++count}.yaml`)
  const recipients = [await identityToRecipient(await generateX25519Identity())]
  const vars = { backups: { recipients, local: dirname(copies) } }
  writeFileSync(file, stringify({ vars, hosts: { vps1: { ssh: 'root@127.0.0.1:9' } } }))
  return file
}

test('the status tells of a broken copy as well, and of one that somebody else has signed', async () => {
  const stamp = `${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z`
  const here = place()
  const folder = await writeCopy(here.copies, { name: stamp, key: other })
  const status = async () => run(['playbooks/backup.ts', '-i', await unreachable(here.copies), '--status'])
  const strange = await status()
  assert.is(strange.code, 3, strange.stderr)
  assert.ok(
    strange.stderr.includes(`${stamp} here: the key that signs the backups of vps1 has CHANGED`),
    strange.stderr,
  )
  rmSync(join(folder, 'manifest.json'))
  const broken = await status()
  assert.is(broken.code, 3, broken.stderr)
  assert.ok(broken.stderr.includes(`${stamp} here: manifest.json: missing`), broken.stderr)
})

test('a file in the place of the copies ends backup.ts with a word', async () => {
  const here = place()
  rmSync(here.copies, { recursive: true })
  writeFileSync(here.copies, '')
  const { code, stderr } = await run(['playbooks/backup.ts', '-i', await unreachable(here.copies)])
  assert.is(code, 3, stderr)
  assert.match(
    stderr,
    /^vps1 {2}FAILED: \S+vps1: should be the folder of the copies of vps1 and is a file: move it away$/m,
  )
})

test('since when a host signs says which copies need no signature', async () => {
  const line = (since: string) => knownSigner(key, since)
  const fault = (known: string, time: string, pinned?: string) =>
    unsignedFault(signersOf('vps1', place({ known }).copies, pinned), Date.parse(time))
  assert.is(fault('', '2026-11-24'), undefined)
  assert.is(fault(line('2026-11-24T000000Z'), '2026-11-23T23:59:59Z'), undefined)
  assert.match(fault(line('2026-11-24T000000Z'), '2026-11-24') ?? '', /signs since 2026-11-24T000000Z by SHA256:/)
  // Of two keys the first counts, and a line by hand has no time.
  const both = `# mine\n${line('2026-11-24T000000Z')}${knownSigner(other, '2026-11-20T000000Z')}`
  assert.match(fault(both, '2026-11-21') ?? '', /signs since 2026-11-20T000000Z/)
  assert.match(fault(line('x').replace(' since x', ''), '2026-01-01') ?? '', /is not signed/)
  assert.match(fault('', '2026-01-01', await fingerprint(key)) ?? '', /is not signed/)
})

test('a key that is met is kept once, beside those that were', async () => {
  const { copies } = place({ known: '' })
  const file = join(copies, 'allowed_signers')
  const first = remember(signersOf('vps1', copies, undefined), publicHalf(key), Date.parse('2026-11-24T03:17:00Z'))
  assert.is(readFileSync(file, 'utf8'), knownSigner(key, '2026-11-24T031700Z'))
  const both = remember(remember(first, publicHalf(key), 0), publicHalf(other), Date.parse('2026-11-25'))
  assert.is(
    readFileSync(file, 'utf8'),
    `${knownSigner(key, '2026-11-24T031700Z')}${knownSigner(other, '2026-11-25T000000Z')}`,
  )
  assert.equal(both.keys, [publicHalf(key), publicHalf(other)])
  assert.is(fingerprintOf(publicHalf(key)), await fingerprint(key))
})

/** A restic whose newest snapshot is of this path, and holds what the script makes there. */
async function fromRestic(snapshots: string, script: string): Promise<string> {
  const folder = join(scratch, `${++count}`)
  mkdirSync(join(folder, 'bin'), { recursive: true })
  const text = `#!/bin/sh\ncase $1 in snapshots) echo '${snapshots}' ;; *) while [ "$1" != --target ]; do shift; done; mkdir -p "$2"; cd "$2"; ${script} ;; esac\n`
  writeFileSync(join(folder, 'bin/restic'), text, { mode: 0o755 })
  mkdirSync(join(folder, 'outside/vps1'), { recursive: true })
  const { PATH } = process.env
  process.env.PATH = `${join(folder, 'bin')}:${PATH}`
  try {
    await pullOffsite(join(folder, 'to'), 'vps1', { restic: 'x' })
    return readdirSync(join(folder, 'to')).join()
  } catch (error) {
    assert.instance(error, HostError, `${(error as Error).stack}`)
    return (error as Error).message
  } finally {
    process.env.PATH = PATH
    assert.ok(existsSync(join(folder, 'outside/vps1')), 'nothing of this machine is moved')
  }
}

test('what a repository says of its paths leads nowhere else', async () => {
  const of = (path: string) => JSON.stringify([{ id: '1a', time: '2026-11-24T03:17:00Z', paths: [path] }])
  assert.is(await fromRestic(of('/a/vps1'), 'mkdir -p a/vps1/2026'), '2026')
  assert.match(await fromRestic(of('/../outside/vps1'), ':'), /holds no folder/)
  assert.match(
    await fromRestic(of('/a/vps1'), 'mkdir a; ln -s ../../outside/vps1 a/vps1'),
    /\(1a\) holds no folder \/a\/vps1/,
  )
  assert.match(await fromRestic(of('/a/vps1'), 'ln -s ../outside a'), /holds no folder/)
  assert.match(await fromRestic('[]', ':'), /holds no copies of vps1/)
  assert.match(await fromRestic('no JSON', ':'), /is not understood/)
})

test('a fingerprint in the inventory is one of OpenSSH’s', async () => {
  const is = (signer: unknown) => v.is(backups.vars, { recipients: undefined, signer })
  assert.ok(is(await fingerprint(key)))
  for (const each of ['', 'SHA256:short', 'MD5:00:11', (await fingerprint(key)).slice(7), 7])
    assert.not(is(each), `${each}`)
})

test.run()
