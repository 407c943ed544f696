import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { parseReadings } from '../../../lib/engine/read.ts'
import type { Reading } from '../../../lib/model/reading.ts'
import { fileState, textOf } from '../../../lib/resources/file-state.ts'
import { rejects } from '../../support/errors.ts'
import { sha256 } from '../../support/sha256.ts'
import { shell } from '../../support/shell.ts'
import { withPrograms } from '../../support/stubs.ts'

const test = suite<{ directory: string }>('file state, read by a real sh', { directory: '' })

test.before(async (context) => {
  context.directory = await mkdtemp(join(tmpdir(), 'botgarden-test-'))
})
test.after((context) => rm(context.directory, { recursive: true }))

test('reads content, type and mode, whatever the name', async ({ directory }) => {
  const path = join(directory, "it's a |name| with\ttabs")
  await writeFile(path, 'text\n', { mode: 0o640 })
  const state = await stateOf(fileState(path))
  assert.is(state.type, 'file')
  assert.is(state.mode, '0640')
  assert.is(state.sha256, sha256('text\n'))
  assert.is(await stateOf(textOf(path)), 'text\n')
})

test('reads several texts at once: what is there, what is not, and none cut wrongly where one changes meanwhile', async ({
  directory,
}) => {
  const paths = ['one', 'none', 'two', 'empty', 'folder', 'three'].map((name) => join(directory, `several-${name}`))
  const [one = '', , two = '', empty = '', folder = '', three = ''] = paths
  for (const [path, text] of [
    [one, 'é\n'],
    [two, 'size 7\nnone\n'],
    [empty, ''],
    [three, 'x'.repeat(70_000)],
  ] as const)
    await writeFile(path, text)
  await mkdir(folder)
  const { kind } = textOf(one)
  const output = await shell(kind.script(paths).text)
  assert.equal(
    [...kind.parse(output, paths).values()],
    ['é\n', undefined, 'size 7\nnone\n', '', undefined, 'x'.repeat(70_000)],
  )
  assert.throws(
    () => kind.parse(output.replace('size 3\n', 'size 4\n'), paths),
    (error: Error) => error.message === `${one}: changed while it was read: run again`,
  )
})

test('a file that changes while all are read is read by itself, whole', async ({ directory }) => {
  const [one, two] = [join(directory, 'moving'), join(directory, 'still')]
  await writeFile(one, 'before')
  await writeFile(two, 'as it was\n')
  const { kind } = textOf(one)
  const programs = { gzip: `cat; printf 'after, and longer' >${one}` }
  const { said } = await withPrograms(programs, kind.script([one, two]).text)
  assert.equal([...kind.parse(said, [one, two]).values()], ['after, and longer', 'as it was\n'])
})

test('reads an empty file as a file', async ({ directory }) => {
  const path = join(directory, 'empty')
  await writeFile(path, '')
  assert.is((await stateOf(fileState(path))).type, 'file')
  assert.is(await stateOf(textOf(path)), '')
})

test('sees a link as a link and a directory as a directory', async ({ directory }) => {
  const link = join(directory, 'link')
  await symlink('/etc/passwd', link)
  assert.is((await stateOf(fileState(link))).type, 'symbolic link')
  assert.is((await stateOf(fileState(directory))).type, 'directory')
})

test('reads what is not there as absent, also below a file', async () => {
  assert.is(await stateOf(fileState('/nowhere/at/all')), 'absent')
  assert.is(await stateOf(fileState('/etc/passwd/x')), 'absent')
  assert.is(await stateOf(textOf('/nowhere/at/all')), undefined)
})

test('keeps the checksums apart from what is missing, wherever that stands', async ({ directory }) => {
  const path = join(directory, 'there')
  await writeFile(path, 'text\n')
  const readings = [fileState('/nowhere/first'), fileState(path), fileState('/nowhere/last')]
  const { kind } = readings[0] as Reading<unknown>
  const output = await shell(kind.script(readings.map(({ name }) => name)).text)
  const states = parseReadings(readings, new Map([[kind.name, Buffer.from(output)]]))
  assert.match(JSON.stringify(states.get(`file:${path}`)), /"sha256":"[0-9a-f]{64}"/)
  assert.is(states.get('file:/nowhere/last'), 'absent')
})

test('does not take a failure to read for absence', async ({ directory }) => {
  const loop = join(directory, 'loop')
  await symlink(loop, loop)
  await rejects(stateOf(fileState(join(loop, 'x'))), /cannot be read: .*symbolic links/)
})

async function stateOf<S>(reading: Reading<S>) {
  const output = await shell(reading.kind.script(['/etc', reading.name]).text)
  return parseReadings(
    [{ ...reading, name: '/etc', key: '' }, reading],
    new Map([[reading.kind.name, Buffer.from(output)]]),
  ).get(
    reading.key,
    // biome-ignore lint/suspicious/noExplicitAny: each test looks at the fields that it expects
  ) as any
}

test.run()
