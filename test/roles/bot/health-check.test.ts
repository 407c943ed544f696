import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { healthFunctions } from '../../../roles/bot/release/health-check.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { withPrograms } from '../../support/stubs.ts'

const instance = {
  bot: 'hello',
  number: 1,
  base: '10.210',
  telegram: 'https://api.telegram.org',
  origin: 'https://bots.example.org',
}
const functions = (readyTimeout: number) =>
  healthFunctions(instance, 'blue', specOf('x:1', {}, { health: '/readyz' }), readyTimeout).text
/** A server that takes a connection and never answers. */
const hangs = `while [ "$1" != --max-time ]; do shift; done; sleep "$2"; printf 000; exit 28`

test('a health path that hangs is waited for as long as is said, and no longer', async () => {
  const began = Date.now()
  const { code, said } = await withPrograms(
    { docker: "echo 'true 0'", curl: hangs },
    `new=hello\n${functions(3)}\nawait_health`,
  )
  const seconds = (Date.now() - began) / 1000
  assert.is(code, 1)
  assert.ok(seconds < 8, `${seconds} s`)
  const [, told] = /not ready within (\d+) s/.exec(said) ?? []
  assert.ok(Math.abs(Number(told) - seconds) < 2, `told as ${said}, and took ${seconds} s`)
})

test('a container that ends while it is awaited is not waited for, one that is well at last is', async () => {
  const ended = await withPrograms(
    { docker: "echo 'false 0'", curl: 'exit 7' },
    `new=hello\n${functions(30)}\nawait_health`,
  )
  assert.equal([ended.code, ended.said], [1, 'hello exited before it was ready\n'])
  const slow = '[ -e "$0.tried" ] && { printf 200; exit 0; }; touch "$0.tried"; printf 503'
  const well = await withPrograms({ docker: "echo 'true 0'", curl: slow }, `new=hello\n${functions(30)}\nawait_health`)
  assert.equal(well, { code: 0, said: '' })
})

test('how long it held is told by the clock', async () => {
  const dies = '[ ! -e "$0.dead" ] || { echo "false 0"; exit; }; sleep 1; touch "$0.dead"; echo "true 0"'
  const { said } = await withPrograms({ docker: dies }, `new=hello\n${functions(30)}\nsettle 10`)
  assert.match(said, /hello exited [34] s after it became ready/)
})

test('who holds the address of a version is named, unless it is that version', async () => {
  const report = async (...lines: string[]) =>
    (
      await withPrograms(
        { docker: `printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')}` },
        `new=botgarden-hello-blue\n${functions(1)}\nreport_holder`,
      )
    ).said
  assert.match(
    await report('10.210.1.3/24 green', '10.210.1.2/24 stranger'),
    /10\.210\.1\.2 .* docker rm -f stranger\n$/,
  )
  assert.is(await report('10.210.1.3/24 green', '10.210.1.2/24 botgarden-hello-blue', '10.210.1.22/24 x'), '')
})

test.run()
