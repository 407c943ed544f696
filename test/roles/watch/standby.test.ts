// What the program that watches a host makes of the pair that its database server belongs to.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { watch } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { idsOf } from '../../support/plan-of.ts'
import { watchedHost } from './watched-host.ts'

/** A host of a pair whose server says this. */
function inPair(said: string) {
  const host = watchedHost()
  host.write('/etc/botgarden/secrets/postgres/standby/password', 'x')
  host.write('/etc/botgarden/primary.json', '{"epoch":2,"primary":"vps2","standby":"vps1"}\n')
  host.note('pair', `${said}\n`)
  return host
}

test('a host without a pair asks its server nothing', async () => {
  const host = watchedHost()
  host.note('pair', 'none waits 0 reserved\n')
  assert.is(await host.sent(), '')
})

test('a standby that is gone is told after a minute, and when it is back', async () => {
  const host = inPair('streaming goes-on 0 reserved')
  assert.is(await host.sent(), '')
  host.note('pair', 'none goes-on 0 reserved\n')
  assert.is(await host.sent(), '')
  assert.match(await host.sent(), /the standby is gone: what is written now is on this host alone/)
  host.note('pair', 'streaming goes-on 0 reserved\n')
  assert.match(await host.sent(), /resolved: the standby is gone/)
})

test('one that is away for a moment is not told, however often', async () => {
  const host = inPair('streaming goes-on 0 reserved')
  for (const state of ['none', 'streaming', 'none', 'streaming', 'none']) {
    host.note('pair', `${state} goes-on 0 reserved\n`)
    assert.is(await host.sent(), '')
  }
})

test('one for whom commits wait is told at once, with the command that lets them go on', async () => {
  const host = inPair('none waits 0 reserved')
  assert.match(await host.sent(), /every commit waits for it[\s\S]*standby\.ts --degrade --limit vps1/)
})

test('one that has missed too much, or is far behind, is told', async () => {
  assert.match(await inPair('none goes-on 0 lost').sent(), /must be copied again/)
  const host = inPair('streaming goes-on 90 reserved')
  assert.is(await host.sent(), '')
  assert.match(await host.sent(), /the standby is 90 MB behind/)
})

test('a standby that does not reach its primary says so itself, with the command that takes over', async () => {
  const host = inPair('follows none 0')
  assert.is(await host.sent(), '')
  assert.match(await host.sent(), /does not reach its primary[\s\S]*failover\.ts --from vps2 --to vps1/)
  host.note('pair', 'follows streaming 0\n')
  assert.match(await host.sent(), /resolved/)
})

test('what the server does not tell leaves all as it was told', async () => {
  const host = inPair('none waits 0 reserved')
  assert.match(await host.sent(), /every commit waits/)
  host.note('pair', '')
  assert.is(await host.sent(), '')
})

test('the look of each ten seconds starts a whole one where that has changed, and only then', async () => {
  const host = inPair('streaming waits 0 reserved')
  await host.sent()
  const starts = async () =>
    (await host.tick(0, ['--standby'])).calls.filter((each) =>
      each.includes('start --no-block botgarden-watch.service'),
    ).length
  assert.is(await starts(), 0)
  host.note('pair', 'none waits 0 reserved\n')
  assert.is(await starts(), 1)
  assert.match(await host.sent(), /every commit waits/)
  assert.is(await starts(), 0)
  host.note('pair', 'streaming waits 0 reserved\n')
  assert.is(await starts(), 1)
})

test('where commits wait, the standby is looked for each ten seconds; elsewhere there is no further timer', () => {
  const ids = (synchronous: boolean, timers: readonly string[] = []) =>
    idsOf(
      watch.resources(
        v.parse(watch.vars, { url: 'https://a.example/x' }),
        { ...facts, timers },
        { ...entry, vars: { postgres: { synchronous } } },
      ),
    ).filter((id) => id.includes('standby'))
  assert.ok(ids(true).includes('unit:botgarden-watch-standby.timer'))
  assert.equal(ids(false), [])
  assert.equal(ids(false, ['botgarden-watch-standby.timer']), ['watch:standby-absent'])
})

test.run()
