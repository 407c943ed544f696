// The program that watches a host, run in a real sh with real jq and awk, and with stand-ins for what it asks.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { type Fault, faultGroups } from './watched-faults.ts'
import { watchedHost } from './watched-host.ts'

test('a host that is well says nothing, and what it keeps is bounded', async () => {
  const host = watchedHost()
  const { code, output, sent } = await host.tick()
  assert.equal({ code, output, sent }, { code: 0, output: '', sent: '' })
  const before = host.list('/run/botgarden/watch')
  for (let i = 0; i < 3; i++) assert.is(await host.sent(), '')
  assert.equal(host.list('/run/botgarden/watch'), before)
})

/** What is sent of a group: when it goes wrong, half a minute later, and when it is mended, with an entry for each thing. */
async function toldOf(group: readonly Fault[]): Promise<readonly (readonly string[])[]> {
  const host = watchedHost()
  const entries = async (minutes: number) => (await host.sent(minutes)).split(/\n(?=⚠️|✅)/).filter(Boolean)
  for (const [, breaks] of group) await breaks(host)
  const said = [await entries(1), await entries(0.5)]
  for (const [, , , mends] of group) await mends(host)
  return [...said, await entries(1)]
}

for (const group of faultGroups) {
  let told: ReturnType<typeof toldOf> | undefined
  for (const [what, , said] of group)
    test(`${what} is told once, and once it is over`, async () => {
      told ??= toldOf(group)
      const [alerts = [], later, over = []] = await told
      assert.is(alerts[0], '--- chat')
      const [alert = '', another] = alerts.filter((each) => said.test(`${each}\n`))
      assert.match(alert, /^⚠️ vps1: .*\nsince .*\nnext: .*$/)
      assert.is(another, undefined)
      // Nothing else is said either.
      assert.equal([alerts.length, later], [group.length + 1, []], alerts.join('\n'))
      // The number in it may be another one by then.
      const words = (text = '') => text.replace(/^\S+ vps1: (resolved: )?/, '').replaceAll(/\d+/g, '…')
      const end = over.filter((each) => words(each.split('\n')[0]) === words(alert.split('\n')[0]))
      assert.match(end.join('\n'), /^✅ vps1: resolved: .*\nsince 2025-11-24 1\d:\d\d UTC, for \d min$/)
      assert.is(over.length, group.length + 1, over.join('\n'))
    })
}

test('one request asks the engine of all containers, and a run has few processes', async () => {
  const host = watchedHost()
  const { calls } = await host.tick()
  const count = (name: string) => calls.filter((each) => each.startsWith(`${name} `)).length
  assert.equal([count('curl'), count('openssl'), count('df'), count('docker')], [4, 3, 1, 0])
})

test.run()
