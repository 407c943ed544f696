import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { quote } from '../../../lib/shell/sh.ts'
import { serviceFile } from '../../../roles/bot/release/compose-file.ts'
import { refuseVolumesScript } from '../../../roles/bot/release/image-volumes.ts'
import { botSettings } from '../../../roles/bot/spec/schema.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { deployment, plan, spec } from '../../support/hello-bot.ts'
import { withPrograms } from '../../support/stubs.ts'

test('an image with a volume is refused, unless a scratch folder is just there', () => {
  const image = (...volumes: string[]) => ({ 'image:botgarden/hello-bot:abc': { volumes } })
  const at = (given: Partial<Spec>, ...volumes: string[]) => plan(deployment(given), image(...volumes))
  assert.throws(() => at({}, '/data', '/tmp'), /the image of hello-bot declares volumes.*"scratch:".*: \/data$/)
  // Docker puts the volume over a folder above it.
  assert.throws(() => at({ scratch: ['/var'] }, '/var/cache/'), /: \/var\/cache$/)
  assert.throws(() => at({ database: false }, '/run/postgresql'), /: \/run\/postgresql$/)
  for (const fine of [at({ scratch: ['/data'] }, '/data/'), at({}), at({}, '/run/secrets', '/run/postgresql')])
    assert.ok(fine.includes('release:hello-bot: release botgarden/hello-bot:abc'))
})

test('the host refuses a volume of an image that it has only just got', async () => {
  const refused = (scratch: string[], ...volumes: string[]) =>
    withPrograms(
      { docker: `printf '%s\n' ${volumes.map((path) => quote(JSON.stringify(path))).join(' ')}` },
      `${refuseVolumesScript('hello-bot', { ...spec, scratch }).text}\necho went on`,
    )
  assert.equal(await refused([]), { code: 0, said: 'went on\n' })
  assert.equal(await refused(['/data'], '/data/', '/tmp'), { code: 0, said: 'went on\n' })
  const { code, said } = await refused(['/data'], '/data/deep', '/a b', '/x\n/tmp')
  assert.is(code, 1)
  assert.match(said, /: \/data\/deep, \/a b, \/x\\n\/tmp\n$/)
  const silent = await withPrograms(
    { docker: 'exit 1' },
    `${refuseVolumesScript('hello-bot', spec).text}\necho went on`,
  )
  assert.equal(silent, { code: 1, said: '' })
})

test('scratch folders are memory, and a bot without any is what it was before there were any', () => {
  const instance = { bot: 'hello-bot', number: 1, base: '10.210', telegram: 'x', origin: 'https://bots.example.org' }
  const file = (given: Spec) => serviceFile(instance, 'blue', given, { memoryMB: 160, cpus: 0.5 })
  assert.not('scratch' in specOf('x:1', {}, {}))
  assert.is(file(specOf('x:1', {}, {})).checksum, file(specOf('x:1', { scratch: [] }, {})).checksum)
  const { text } = file(specOf('x:1', {}, { scratch: ['/data', '/cache', '/data'] }))
  assert.match(text, '- /tmp:size=32m,mode=1777\n      - /cache:size=32m,mode=1777\n      - /data:size=32m,mode=1777\n')
})

for (const path of [
  ...['data', '/', '/tmp', '/run', '/dev/shm', '/proc', '/run/secrets/x', '/a/../b', '/a:b', '/a,b', '/a//b', '/a/'],
])
  test(`refuses ${path} as a scratch folder`, () => assert.not(v.is(botSettings, { scratch: [path] })))

test.run()
