import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../../lib/shell/local.ts'
import { frames, markCommand } from '../../../lib/ssh/framing.ts'

const stream = Buffer.from('login\n\x1eN begin 1\nsome \x1e text\x1eN end 1 0\nno newline\x1eN done 0\n')
const expected = 'text:login\n|mark:begin 1|text:some \x1e text|mark:end 1 0|text:no newline|mark:done 0'

test('tells marks from text wherever the stream is cut', () => {
  for (let one = 0; one < stream.length; one++) {
    for (let two = one; two < stream.length; two++) {
      assert.is(received([stream.subarray(0, one), stream.subarray(one, two), stream.subarray(two)]), expected)
    }
  }
})

test('takes a mark with another number for text', () => {
  assert.is(received([Buffer.from('\x1eM done 0\n')]), 'text:\x1eM done 0\n')
})

test('reads the marks that a shell prints', async () => {
  const script = `${markCommand('N', 'begin 7')}\necho out\nfalse\n${markCommand('N', 'end 7 $?')}`
  assert.is(received([(await local`sh -c ${script}`).buffer()]), 'mark:begin 7|text:out\n|mark:end 7 1')
})

test('a mark without an end is no mark of ours, and is not kept', () => {
  assert.throws(
    () => received([Buffer.from('\x1eN begin '), ...Array(10).fill(Buffer.alloc(1000, 'x'))]),
    /without an end/,
  )
})

function received(chunks: Buffer[]): string {
  const events: [string, string][] = []
  const receive = frames('N', {
    mark: (words) => events.push(['mark', words.join(' ')]),
    text: (bytes) => {
      const last = events.at(-1)
      if (last?.[0] === 'text') last[1] += bytes
      else events.push(['text', bytes.toString()])
    },
  })
  for (const chunk of chunks) receive(chunk)
  return events.map((event) => event.join(':')).join('|')
}

test.run()
