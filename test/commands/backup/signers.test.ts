import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateIdentity } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { fingerprintOf } from '../../../commands/backup/signature.ts'
import { rememberSigner, signersOf, unsignedFault } from '../../../commands/backup/signers.ts'
import { backups } from '../../../roles/index.ts'
import {
  fingerprint,
  knownSigner,
  place,
  publicHalf,
  refused,
  scratchFolder,
  signingKey,
  taken,
  unreachable,
  writeCopy,
} from '../../support/copies.ts'
import { rejects } from '../../support/errors.ts'
import { onTerminal } from '../../support/terminal.ts'

const scratch = scratchFolder()
const key = await signingKey(scratch, 'key')
const other = await signingKey(scratch, 'other')
const zx = join(import.meta.dirname, '../../../node_modules/zx/build/cli.js')

test('a copy of before the host signed needs --unsigned, and a yes', async () => {
  for (const known of ['', knownSigner(key)]) {
    const here = place(known)
    const name = '2026-10-01T031700Z'
    await writeCopy(here.copies, { name })
    await refused(here, /is not signed: --unsigned accepts a copy from before/)
    await rejects(taken(here, ['unsigned']), /which is not signed, .*there is no terminal to ask on; --yes/)
    assert.is(await taken(here, ['unsigned', 'yes']), name)
  }
})

test('who signs a first copy is shown, and no flag says yes to that', async () => {
  const here = place('')
  await writeCopy(here.copies, { key })
  const own = await fingerprint(key)
  await taken(here, ['yes', 'unsigned']).then(
    () => assert.unreachable(),
    ({ message }: Error) => {
      assert.ok(
        message.includes(`is signed by ${own}, and no key that signs the backups of vps1 is known here`),
        message,
      )
      assert.match(message, /trust it: there is no terminal to ask on; after comparing it, set it/)
      assert.ok(message.includes(`backups: { signer: '${own}' }`), message)
    },
  )
})

test('who signs a first copy is kept once the person at the terminal says yes', async () => {
  const here = place('')
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
    const here = place(known)
    await writeCopy(here.copies, { key })
    await refused(here, said)
  }
  const here = place('')
  mkdirSync(join(here.copies, 'allowed_signers'))
  await writeCopy(here.copies, { key })
  await refused(here, /allowed_signers: cannot be read/)
})

test('since when a host signs says which copies need no signature', async () => {
  const line = (since: string) => knownSigner(key, since)
  const fault = (known: string, time: string, pinned?: string) =>
    unsignedFault(signersOf('vps1', place(known).copies, pinned), Date.parse(time))
  assert.is(fault('', '2026-11-24'), undefined)
  assert.is(fault(line('2026-11-24T000000Z'), '2026-11-23T23:59:59Z'), undefined)
  assert.match(
    fault(line('2026-11-24T000000Z'), '2026-11-24') ?? '',
    /signs its backups since 2026-11-24T000000Z with SHA256:/,
  )
  // Of two keys the first counts, and a line by hand has no time.
  const both = `# mine\n${line('2026-11-24T000000Z')}${knownSigner(other, '2026-11-20T000000Z')}`
  assert.match(fault(both, '2026-11-21') ?? '', /signs its backups since 2026-11-20T000000Z/)
  assert.match(fault(line('x').replace(' since x', ''), '2026-01-01') ?? '', /is not signed/)
  assert.match(fault(line('2026-11-24T000000Z by hand'), '2026-01-01') ?? '', /is not signed/)
  assert.match(fault('', '2026-01-01', await fingerprint(key)) ?? '', /is not signed/)
})

test('a key that is met is kept once, beside those that were', async () => {
  const { copies } = place('')
  const file = join(copies, 'allowed_signers')
  const first = rememberSigner(
    signersOf('vps1', copies, undefined),
    publicHalf(key),
    Date.parse('2026-11-24T03:17:00Z'),
  )
  assert.is(readFileSync(file, 'utf8'), knownSigner(key, '2026-11-24T031700Z'))
  const both = rememberSigner(rememberSigner(first, publicHalf(key), 0), publicHalf(other), Date.parse('2026-11-25'))
  assert.is(
    readFileSync(file, 'utf8'),
    `${knownSigner(key, '2026-11-24T031700Z')}${knownSigner(other, '2026-11-25T000000Z')}`,
  )
  assert.equal(both.keys, [publicHalf(key), publicHalf(other)])
  assert.is(fingerprintOf(publicHalf(key)), await fingerprint(key))
})

test('a fingerprint in the inventory is one of OpenSSH’s', async () => {
  const is = (signer: unknown) => v.is(backups.vars, { recipients: undefined, signer })
  assert.ok(is(await fingerprint(key)))
  for (const each of ['', 'SHA256:short', 'MD5:00:11', (await fingerprint(key)).slice(7), 7])
    assert.not(is(each), `${each}`)
})

test.run()
