import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { isLive } from '../../../lib/report/screen.ts'
import { paintFor, visible } from '../../../lib/std/colour.ts'

const cases: [isTTY: boolean, env: NodeJS.ProcessEnv, colours: boolean, live: boolean][] = [
  [true, { TERM: 'xterm' }, true, true],
  [true, { NO_COLOR: '1' }, false, true],
  [true, { NO_COLOR: '1', FORCE_COLOR: '1' }, false, true],
  [true, { FORCE_COLOR: '0' }, false, true],
  [true, { TERM: 'dumb' }, false, false],
  [true, { CI: 'true' }, true, false],
  [false, {}, false, false],
  [false, { FORCE_COLOR: '1' }, true, false],
]
for (const [isTTY, env, colours, live] of cases) {
  test(`${isTTY ? 'a terminal' : 'a pipe'} with ${JSON.stringify(env)}: colours ${colours}, live ${live}`, () => {
    assert.is(visible(paintFor({ isTTY }, env)('red', 'x')) === '\x1b[31mx\x1b[39m', colours)
    assert.is(isLive({ isTTY }, env), live)
  })
}

test.run()
