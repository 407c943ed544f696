import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blockEach, lineEach, oneValue } from '../../../lib/model/kinds.ts'

test('gives one value to every name', () => {
  const parse = oneValue((output) => output.length)
  assert.equal(
    [...parse('four', ['a', 'b'])],
    [
      ['a', 4],
      ['b', 4],
    ],
  )
})

test('gives each name the line of its place, and an empty one where the script printed too few', () => {
  const parse = lineEach((line, name) => `${name}=${line}`)
  assert.equal([...parse('one\n\nthree\n', ['a', 'b', 'c', 'd']).values()], ['a=one', 'b=', 'c=three', 'd='])
})

test('splits at another character where lines may be part of a value', () => {
  const parse = lineEach((line) => line, '\0')
  assert.equal([...parse('one\ntwo\0three\0', ['a', 'b']).values()], ['one\ntwo', 'three'])
})

test('gives each name the block of its place, and nothing of what was printed before the first', () => {
  const parse = blockEach('item', (block, name) => [name, block])
  assert.equal(
    [...parse('warning\nitem a\nx\nan item b\nitem b\n', ['a', 'b', 'c']).values()],
    [
      ['a', 'a\nx\nan item b\n'],
      ['b', 'b\n'],
      ['c', ''],
    ],
  )
})

test.run()
