// The steps of a server beside the one that serves, by a real shell: nothing ends well where one of them has failed.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { partsIn } from '../../../../commands/restore/second/index.ts'
import { dumpEach, dumpOne, secondFolder, withSecondServer } from '../../../../commands/restore/second/server-script.ts'
import type { Script } from '../../../../lib/shell/sh.ts'
import { HostError } from '../../../../lib/std/errors.ts'
import { scratchFolder } from '../../../support/copies.ts'
import { thrown } from '../../../support/errors.ts'
import { shell } from '../../../support/shell.ts'

/** The databases one and two, of which somebody is the owner, each with a table of two rows. */
const docker = `#!/bin/sh
case "$*" in
*datname\\ from*) [ ! -e no-names ] || exit 1; printf 'one\\ntwo\\n' ;;
*' psql '*) cat >/dev/null; echo somebody ;;
*pg_dump*) [ ! -e no-dump ] || exit 1; echo dump ;;
*pg_restore*) cat >/dev/null ;;
esac
`
const jq = `#!/bin/sh
case "$*" in *"$(cat no-jq 2>/dev/null || echo none)"*) exit 5 ;; *' one '*) echo one ;; *' two '*) echo two ;; esac
`

/** What is printed where these steps fail. */
async function said(use: Script, failing: readonly string[] = [], noJq = ''): Promise<string[]> {
  const folder = scratchFolder()
  for (const [name, text] of Object.entries({ docker, jq })) writeFileSync(join(folder, name), text, { mode: 0o755 })
  for (const name of ['no-names', 'no-dump'].filter((each) => failing.includes(each)))
    writeFileSync(join(folder, name), '')
  if (noJq !== '') writeFileSync(join(folder, 'no-jq'), noJq)
  writeFileSync(join(folder, 'rows.awk'), 'BEGIN { print "2\\tt" }\n')
  const text = withSecondServer(0, use)
    .text.replaceAll(secondFolder, join(folder, 'second'))
    .replace(/rows=\S+/, `rows=${folder}/rows.awk`)
    .replace(/^ *(need_disk|unpack|recover)$/gm, (_, step) => (failing.includes(step) ? 'false' : ':'))
  const output = await shell(`PATH=${folder}:$PATH; cd ${folder}; mkdir second\n${text}`)
  return output.trim().split('\n')
}

test('all databases are told, and then that it ended well', async () => {
  assert.equal(await said(dumpEach), ['one', 'two', 'ended well'])
  assert.equal(await said(dumpOne('one', 'x')), ['one', 'ended well'])
})

for (const step of ['need_disk', 'unpack', 'recover', 'no-names', 'no-dump'])
  test(`nothing ends well after a step that fails: ${step}`, async () => {
    assert.not((await said(dumpEach, [step])).includes('ended well'))
  })

test('a database of which nothing can be told is not left out in silence', async () => {
  for (const name of ['one', 'two']) {
    const lines = await said(dumpEach, [], ` ${name} `)
    assert.not(lines.includes('ended well'))
    assert.is(lines.at(-1), `what was dumped of ${name} cannot be told`)
  }
})

test('a host that has dumped no database has not brought its archive back', () => {
  const dumped = { database: 'one', owner: 'somebody', size: 5, sha256: 'a', tables: { 'public.t': 2 } }
  const [part] = partsIn(`NOTICE\n${JSON.stringify({ dumped })}\nended well\n`)
  assert.equal([part?.database, part?.tables], ['one', { 'public.t': 2 }])
  for (const [output, why] of [
    ['ended well\n', /no database was dumped/],
    ['it cannot\n', /^it cannot$/],
    ['', /^$/],
  ] as const)
    assert.match(thrown(() => partsIn(output), HostError).message, why)
})

test.run()
