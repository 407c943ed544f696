import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { allocations } from '../../../roles/bot/spec/allocations.ts'
import { deployment, plan } from '../../support/hello-bot.ts'

test('another bot, and a route of the host, keep their networks', () => {
  const taken = { 'allocations:bots': { other: 1 }, 'routes:ipv4': ['10.210.2.0/24'] }
  assert.is(plan(deployment(), taken)[0], 'allocation:hello-bot: network 10.210.3.0/24, user 20003')
  assert.throws(() => plan(deployment(), { 'routes:ipv4': ['10.210.0.0/16'] }), /no network of 10.210.0.0\/16 is free/)
})

test('lost or wrong, the number of a bot is that of its network; no bot takes one that a bridge has', () => {
  const lost = { 'network:botgarden-hello-bot': { subnet: '10.210.7.0/24', number: 7 } }
  const again = 'allocation:hello-bot: network 10.210.7.0/24, user 20007, taken from its Docker network'
  const first = (state: Record<string, unknown>) => plan(deployment(), { ...lost, ...state })
  for (const taken of [{}, { 'hello-bot': 1 }, { other: 7 }]) {
    const lines = first({ 'allocations:bots': taken })
    assert.match(lines[0] ?? '', again)
    assert.not(lines.some((line) => line.startsWith('network:')))
  }
  assert.not.match(first({ 'allocations:bots': { 'hello-bot': 7 } })[0] ?? '', 'allocation:')
  const bridged = { 'routes:ipv4': ['10.210.1.0/24'] }
  assert.match(plan(deployment(), bridged)[0] ?? '', 'allocation:hello-bot: network 10.210.2.0/24')
})

test('of a corruptLines list of numbers what is whole and clear counts', () => {
  const parsed = (text: string) => allocations.kind.parse(text, ['bots']).get('bots')
  assert.equal(parsed('a 1\nb 2\n'), { a: 1, b: 2 })
  assert.equal(parsed('a 1\nb 2c 3\nd\ne 0\nf 255\ng x\n\0\0\nh 4'), { a: 1, h: 4 })
  assert.equal(parsed('a 1\nb 1\nc 3\nc 4\nd 5\nd 5\n'), { d: 5 })
})

test.run()
