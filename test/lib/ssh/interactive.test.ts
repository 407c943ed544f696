// A console on a host that is a shell on this machine.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { sh } from '../../../lib/shell/sh.ts'
import { runConsole } from '../../../lib/ssh/interactive.ts'
import { sshArguments } from '../../../lib/ssh/ssh-arguments.ts'
import { ConnectError, UsageError } from '../../../lib/std/errors.ts'
import { errorOf } from '../../support/errors.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

let host: StandIn
test.before.each(() => {
  host = standIn()
  // Its standard input is that of the tests.
  host.program(
    'ssh',
    `printf '%s\\n' "$*" >>${host.at('ssh.log')}\nfor command; do :; done\nexec sh -c "$command" </dev/null`,
  )
})
test.after.each(() => host.remove())

async function ran(text: string) {
  const said = { out: '', err: '' }
  const code = await runConsole(
    host.target,
    { text, shown: '' },
    {
      terminal: false,
      out: (bytes) => (said.out += bytes),
      err: (bytes) => (said.err += bytes),
    },
  )
  return { code, ...said }
}

test('a script comes through any login shell, with both outputs and its exit code', async () => {
  const words = ['a b', "it's", '$(x)', '"', '\\n', '*', '!', 'é\n-']
  const { code, out, err } = await ran(sh`printf '[%s]' ${words}; echo wrong >&2; exit 7`.text)
  assert.equal([code, out, err], [7, words.map((each) => `[${each}]`).join(''), 'wrong\n'])
  // sudo is asked for nothing that it would have to ask for.
  assert.match(host.read('/ssh.log'), /-T .*RequestTTY=no.* exec sh -c '\[ "\$\(id -u\)" = 0 \]/)
})

test('255 is a connection that was lost, and a command that is too long is refused here', async () => {
  await errorOf(ran('exit 255'), ConnectError)
  await errorOf(ran(`: ${'x'.repeat(90_000)}`), UsageError)
})

test('a terminal is asked for where there is one', () => {
  const args = sshArguments(host.target, { terminal: true })
  assert.is(args[0], '-tt')
  assert.ok(args.includes('RequestTTY=force'))
})

test.run()
