import { inspect } from 'node:util'
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { masked, Secret } from '../../../lib/std/secret.ts'

const value = `p"ss/w?rd é'\\`
const secret = new Secret(value)

const ways: [way: string, text: string][] = [
  ['as text', `${secret}`],
  ['joined to text', `x ${[secret]}`],
  ['as JSON', JSON.stringify({ secret })],
  ['inspected', inspect({ deep: { secret } }, { showHidden: true, depth: 9 })],
  ['in an error', String(new Error(`no: ${secret}`).stack)],
  ['spread', JSON.stringify({ ...secret })],
  ['as an Object', JSON.stringify(Object.entries(secret))],
]
for (const [way, text] of ways) {
  test(`a secret does not show ${way}`, () => assert.not.ok(text.includes('p"ss') || text.includes('w?rd'), text))
}

const forms: [form: string, text: string][] = [
  ['as it is', value],
  ['in a URL', encodeURIComponent(value)],
  ['in base64', Buffer.from(value).toString('base64')],
  ['in JSON', JSON.stringify(value).slice(1, -1)],
]
for (const [form, text] of forms) {
  test(`output that we did not write is masked: ${form}`, () => assert.is(masked(`a ${text} b ${text}`), 'a *** b ***'))
}

test('it can be revealed', () => assert.is(secret.reveal(), value))
test('a short one does not hide half of the output', () => {
  new Secret('a')
  assert.is(masked('a banana'), 'a banana')
})

test.run()
