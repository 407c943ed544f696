// The floor is a measure for site.ts as long as it reads what site.ts reads.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { signs, unanswered } from '../../bench/floor.ts'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import { allRoles } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { scratchFile } from '../support/runner.ts'
import { shellchecked } from '../support/shellcheck/check.ts'
import { shell } from '../support/shellcheck/scripts.ts'

const script = readFileSync(join(import.meta.dirname, '../../bench/floor.sh'), 'utf8')
const kindsOfFloor = [...script.matchAll(/^ *job '([a-z -]+)'/gm)].flatMap(([, kinds = '']) => kinds.split(' '))
/** The words of the floor as patterns: in a path a star stands for a bot, a certificate or a key. */
const words = script.split(/[\s'"{},]+/).map((word) => {
  const exact = word.replace(/[.+?^$()|[\]\\]/g, '\\$&')
  return new RegExp(`^${word.startsWith('/') ? exact.replaceAll('*', '[^/]+') : exact.replaceAll('*', '\\*')}$`)
})

const given: Record<string, unknown> = {
  certbot: { authority: scratchFile('authority.pem', 'x') },
  backups: { recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'] },
}
const vars = Object.fromEntries(allRoles.map((role) => [role.name, v.parse(role.vars, given[role.name] ?? {})]))
const bots = ['hello-bot', 'poll-bot'].map((name) => ({ name, settings: { mode: 'webhook' }, where: 'x.yaml:1' }))
const host = { ...entry, domain: 'x.example', bots }
const reads = ['', 'docker'].flatMap((container) =>
  resourcesOf(allRoles, vars, { ...facts, container }, host).resources.flatMap((resource) => resource.reads),
)
const namesOf = (kind: string) => [...new Set(reads.flatMap((each) => (each.kind.name === kind ? [each.name] : [])))]

test('the floor reads the kinds that site.ts reads, and no other', () => {
  const wanted = new Set(reads.map(({ kind }) => kind.name))
  assert.equal([...new Set(kindsOfFloor)].sort(), [...wanted, 'facts'].sort())
})

for (const kind of ['file', 'text', 'package', 'unit', 'program', 'swap'])
  test(`the floor reads each ${kind} that site.ts reads`, () => {
    const missing = namesOf(kind).filter((name) => !words.some((word) => word.test(name)))
    assert.equal(missing, [])
  })

test('the floor reads each setting of the kernel, image and container that site.ts reads', () => {
  const settings = namesOf('sysctl').map((name) => `/proc/sys/${name.replaceAll('.', '/')}`)
  const images = namesOf('image').filter((name) => name !== 'none')
  const containers = namesOf('container').map((name) => name.replace('botgarden-', ''))
  const own = containers.filter((name) => !bots.some((bot) => name.startsWith(bot.name)))
  for (const name of [...settings, ...images, ...own]) assert.ok(script.includes(name), name)
})

test('there is a sign of each kind to look for, and an answer without it is not taken', () => {
  assert.equal(Object.keys(signs).sort(), [...new Set(kindsOfFloor)].sort())
  assert.equal(unanswered('', { bot: true }), Object.keys(signs))
})

test('shellcheck finds nothing in it', async () => assert.equal(await shellchecked([shell('floor.sh', script)]), []))

test.run()
