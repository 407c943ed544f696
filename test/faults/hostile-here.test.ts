// Copies as somebody makes them who has the store of backups, or the host that signs them: those that are refused here. Needs no
// VPS: the host of these is one that nobody reaches, and to ask it anything would be another error.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { generateX25519Identity, identityToRecipient } from 'age-encryption'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { signingKey } from '../support/copies.ts'
import { archives } from '../support/hostile/archives.ts'
import { type HostileCopy, manifests, ofOrigin, written } from '../support/hostile/copies.ts'
import { moves, printRows, told } from '../support/hostile/rows.ts'
import { run, scratchFile, scratchInventory } from '../support/runner.ts'

const host = 'hostile'
const source = join(import.meta.dirname, '../../bots/hello-bot')
const identity = await generateX25519Identity()
const recipient = await identityToRecipient(identity)
const opens = scratchFile('identity.txt', `${identity}\n`)
const signs = await signingKey(dirname(opens), 'signing-key')
const known = scratchFile(
  'allowed_signers',
  `${host} namespaces="botgarden-backup" ${readFileSync(`${signs}.pub`, 'utf8').split(' ').slice(0, 2).join(' ')} since 2026-01-01T000000Z\n`,
)
const honest = {
  ...{ host, time: Math.floor(Date.now() / 1000) * 1000, recipient, key: signs },
  databases: [
    { database: 'hello_bot', owner: 'hello_bot', tables: { 'public.users': 1 }, dump: Buffer.from('PGDMP of a sort') },
  ],
}
let count = 0

const ways = [['--name', 'hello-bot'], ['--name', 'hello-bot', '--as', 'beside'], ['--drill'], ['--host', host]]

/** What each of these ways says of such a copy. */
async function through(hostile: HostileCopy, by: readonly string[][]) {
  const folder = join(dirname(opens), `away-${count++}`)
  mkdirSync(join(folder, host), { recursive: true })
  copyFileSync(known, join(folder, host, 'allowed_signers'))
  await written(folder, honest, hostile)
  const entry = {
    ssh: 'root@127.0.0.1:9',
    domain: `${host}.sandbox`,
    backups: { recipients: [recipient], local: folder },
  }
  const away = scratchInventory(host, {}, { hosts: { [host]: entry }, bots: { 'hello-bot': { host, source } } })
  const runs = await Promise.all(
    by.map((way) => run(['playbooks/restore.ts', '-i', away, '--identity', opens, '--yes', ...way])),
  )
  rmSync(folder, { recursive: true })
  return runs.map(({ code, stdout, stderr }) => ({ code, said: stdout + stderr }))
}

async function refused(hostile: HostileCopy, by: readonly string[][]): Promise<void> {
  for (const [i, { code, said }] of (await through(hostile, by)).entries()) {
    assert.is(code, 3, `${by[i]}: ${said}`)
    assert.match(said, hostile.says, `${by[i]}`)
    assert.not.match(said, moves)
    if (i === 0) told(hostile.what, by.map(([flag, , as]) => as ?? flag).join(' '), hostile.says.exec(said)?.[0] ?? '')
  }
}

test.after(() => printRows('says'))

test('an honest one is not: its host is asked', async () => {
  for (const { code, said } of await through({ what: '', says: / / }, ways)) assert.is(code, 4, said)
})

for (const each of [...ofOrigin, ...manifests]) test(`refused: ${each.what}`, () => refused(each, ways))
for (const each of await archives()) test(`refused with --host: ${each.what}`, () => refused(each, ways.slice(3)))

test.run()
