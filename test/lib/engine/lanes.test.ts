import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { lanesOf, sideBySide } from '../../../lib/engine/lanes.ts'
import { digestible, digestOf, readText } from '../../../lib/engine/read.ts'
import { type Kind, reading } from '../../../lib/model/reading.ts'
import { frames } from '../../../lib/ssh/framing.ts'
import { collecting } from '../../../lib/ssh/sections.ts'
import { shell } from '../../support/shell.ts'

test('scripts run at the same time, and what they print stays apart and in order', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lanes-'))
  // Each ends only when all of the others have begun; a shell that ran them one by one would give up.
  const meeting = (name: string) => `
    echo begin ${name}; echo error ${name} >&2
    : >${folder}/${name}
    n=0
    while [ "$(ls ${folder} | wc -l)" -lt 4 ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
    ls ${folder} | wc -l`
  const names = ['a', 'b', 'c', 'd']
  const said = await shell(`{\n${sideBySide(names.map(meeting))}\n} 2>&1`)
  rmSync(folder, { recursive: true })
  assert.is(said, names.map((name) => `begin ${name}\nerror ${name}\n4\n`).join(''))
})

test('one that prints much, ends early, or reads from stdin takes nothing from the others', async () => {
  const scripts = ['seq 300000', 'cat; echo two', 'exit 3', 'x=1; echo "four $x"']
  const said = (await shell(sideBySide(scripts))).split('\n')
  assert.equal([said.length, said[0], said[299_999]], [300_003, '1', '300000'])
  assert.equal(said.slice(300_000), ['two', 'four 1', ''])
  assert.is(await shell(sideBySide(['echo alone'])), 'alone\n')
  assert.is(await shell(sideBySide([])), '')
})

const kindOf = (name: string, cost?: number, volatile = false): Kind<string> => ({
  name,
  volatile,
  ...(cost !== undefined && { cost }),
  script: (names) => ({ text: `printf '%s\\n' ${name} ${names.join(' ')}`, shown: '' }),
  parse: () => new Map(),
})

test('kinds are shared out by what they cost: the dearest alone, all of them once', () => {
  const kinds = [kindOf('a'), kindOf('b', 300), kindOf('c'), kindOf('d', 30), kindOf('e'), kindOf('f', 90)]
  const lanes = lanesOf(kinds.map((kind) => [kind, []]))
  const names = lanes.map((lane) => lane.map(([{ name }]) => name))
  assert.equal(names, [['b'], ['f'], ['d'], ['a', 'c', 'e']])
  assert.equal(lanesOf([]), [])
})

for (const seed of [1, 2, 3, 4, 5])
  test(`the checksum here is that of what the host prints, for any kinds: ${seed}`, async () => {
    const kinds = Array.from({ length: seed * 4 }, (_, i) =>
      kindOf(`kind${i}`, (i * seed * 7919) % 97, (i * seed) % 3 === 0),
    )
    const readings = kinds.flatMap((kind) => [reading(kind, 'x'), reading(kind, 'y')])
    const sections = collecting()
    frames('N', sections.handlers)(Buffer.from(await shell(readText(readings, 'N'))))
    const printed = await shell(digestible(readings))
    assert.is(digestOf(readings, sections.sections()), createHash('sha256').update(printed).digest('hex'))
    assert.is(sections.text('kind1'), 'kind1\nx\ny\n')
    assert.not.match(printed, 'kind0')
  })

test.run()
