import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { digestible, parseReadings, readText } from '../../../lib/engine/read.ts'
import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'

const kindNamed = (name: string): Kind<string> => ({
  name,
  script: (names) => sh`look ${names}`,
  parse: oneValue((output) => output.trim()),
})

test('asks for all names of a kind by one command, each once', () => {
  const kind = kindNamed('thing')
  assert.equal(digestible([reading(kind, 'a'), reading(kind, 'b'), reading(kind, 'a')]), 'look a b\n:')
})

test('refuses two kinds of one name, since what the host sends is told apart by it', () => {
  const readings = [reading(kindNamed('thing'), 'a'), reading(kindNamed('thing'), 'b')]
  const outputs = new Map([['thing', Buffer.from('x')]])
  for (const use of [() => readText(readings, 'N'), () => parseReadings(readings, outputs)])
    assert.throws(use, /^two kinds of readings are called thing$/)
  assert.not.throws(() => readText([reading(kindNamed('one'), 'a'), reading(kindNamed('other'), 'b')], 'N'))
})

test.run()
