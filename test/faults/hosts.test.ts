// Needs three bare VPSs of its own: `three-good`, `three-broken` and `three-off`.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { local } from '../../lib/shell/local.ts'
import { freshVps, inVps, removeVps } from '../../sandbox/index.ts'
import { containerOf } from '../../sandbox/machine/paths.ts'
import { inventoryOf, resultOf, run } from '../support/runner.ts'

const names = ['three-good', 'three-broken', 'three-off']
const [good = '', broken = '', off = ''] = names
const inventory = inventoryOf(good, {}, { hosts: Object.fromEntries(names.map((name) => [name, {}])) })
const site = (...args: string[]) => run(['playbooks/site.ts', '-i', inventory, '--tags', 'docker', ...args])

test.before(async () => {
  for (const name of names) await freshVps(name)
  await inVps(
    broken,
    'rm -f /etc/apt/sources.list.d/*; echo "deb http://127.0.0.1:9/debian trixie main" >/etc/apt/sources.list',
  )
  await local({ quiet: true })`docker stop -t 1 ${containerOf(off)}`
})
test.after(async () => {
  for (const name of names) await removeVps(name)
})

test('one host that is off and one whose apt is broken do not hold up the third, and are told apart', async () => {
  const result = await site('--json')
  assert.is(result.code, 3, 'a failed host is worse than one that is not there')
  const of = (name: string) => resultOf(result, name)
  assert.equal(
    names.map((name) => of(name).status),
    ['ok', 'failed', 'unreachable'],
  )
  assert.match((await inVps(good, 'docker compose version')).stdout, 'Docker Compose')
  assert.match(of(broken).error, /package:containerd.*install: exit code 100[\s\S]*127\.0\.0\.1:9/)
  assert.match(of(off).error, 'cannot be reached')
})

test('people see the same in one line a host', async () => {
  const { code, stdout } = await site()
  assert.is(code, 3)
  for (const line of [
    /^three-good +ok +ok \d+ +changed 0/m,
    /^three-broken +failed .* failed 1/m,
    /^three-off +unreachable /m,
  ])
    assert.match(stdout, line)
  assert.is((await site('--limit', good)).code, 0)
  assert.is((await site('--limit', off)).code, 4)
})

test.run()
