import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { pullOffsite } from '../../../commands/backup/restic.ts'
import { HostError } from '../../../lib/std/errors.ts'
import {
  knownSigner,
  place,
  refused,
  scratchFolder,
  sign,
  signingKey,
  unreachable,
  whole,
  writeCopy,
  writeSums,
} from '../../support/copies.ts'
import { run } from '../../support/runner.ts'

const scratch = scratchFolder()
const key = await signingKey(scratch, 'key')
const other = await signingKey(scratch, 'other')
const files = ['manifest.json', ...whole.map(({ file }) => file)]

const broken: readonly (readonly [title: string, said: RegExp, spoil: (folder: string) => unknown])[] = [
  [
    'without its manifest',
    /2026-11-24T031700Z: manifest\.json: missing/,
    (folder) => rmSync(join(folder, 'manifest.json')),
  ],
  ['without its checksums', /2026-11-24T031700Z: SHA256SUMS: missing/, (folder) => rmSync(join(folder, 'SHA256SUMS'))],
  [
    'that is empty',
    /manifest\.json and SHA256SUMS: missing: .* move it away, and backup\.ts/,
    (folder) => {
      rmSync(folder, { recursive: true })
      mkdirSync(folder)
    },
  ],
  [
    'that is a file',
    /should be a folder: move/,
    (folder) => {
      rmSync(folder, { recursive: true })
      writeFileSync(folder, '')
    },
  ],
  [
    'that is a link',
    /should be a folder: move/,
    (folder) => {
      renameSync(folder, join(scratch, 'moved'))
      symlinkSync(join(scratch, 'moved'), folder)
    },
  ],
  [
    'whose manifest is a folder',
    /manifest\.json: is not a regular file/,
    (folder) => {
      rmSync(join(folder, 'manifest.json'))
      mkdirSync(join(folder, 'manifest.json'))
    },
  ],
  [
    'whose manifest is no JSON',
    /manifest\.json: is not valid JSON/,
    async (folder) => {
      writeFileSync(join(folder, 'manifest.json'), '{"format": 1')
      writeSums(folder, files)
      await sign(folder, key)
    },
  ],
  [
    'whose checksums are none',
    /SHA256SUMS: is not in the format of sha256sum/,
    async (folder) => {
      writeFileSync(join(folder, 'SHA256SUMS'), 'x\n')
      await sign(folder, key)
    },
  ],
]
for (const [title, said, spoil] of broken)
  test(`a copy ${title} is said as what it is`, async () => {
    const here = place(knownSigner(key))
    await spoil(await writeCopy(here.copies, { key }))
    await refused(here, said)
  })

test('a file in the place of the copies is said as what it is', async () => {
  const here = place(knownSigner(key))
  rmSync(here.copies, { recursive: true })
  writeFileSync(here.copies, '')
  await refused(here, /should be the folder of the copies of vps1 and is a file: move it away/)
})

/** An inventory of vps1, where nobody answers: to try to log in is to have taken a copy. */

test('the status tells of a broken copy as well, and of one that somebody else has signed', async () => {
  const stamp = `${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z`
  const here = place(knownSigner(key))
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
  const here = place(knownSigner(key))
  rmSync(here.copies, { recursive: true })
  writeFileSync(here.copies, '')
  const { code, stderr } = await run(['playbooks/backup.ts', '-i', await unreachable(here.copies)])
  assert.is(code, 3, stderr)
  assert.match(
    stderr,
    /^vps1 {2}FAILED: \S+vps1: should be the folder of the copies of vps1 and is a file: move it away$/m,
  )
})

/** A restic whose newest snapshot is of this path, and holds what the script makes there. */
async function fromRestic(snapshots: string, script: string): Promise<string> {
  const folder = scratchFolder()
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
  assert.match(await fromRestic('no JSON', ':'), /cannot be parsed/)
})

test.run()
