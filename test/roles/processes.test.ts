// A check costs what the processes cost that it starts on the host: each bot there adds few.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { resourcesOf } from '../../lib/engine/collect-resources.ts'
import type { Kind } from '../../lib/model/reading.ts'
import { specOf } from '../../roles/bot/spec/spec.ts'
import { allRoles } from '../../roles/index.ts'
import { entry, facts } from '../support/fake-host.ts'
import { scratchHost } from '../support/scratch-host.ts'

const programs =
  'awk base64 basename cat cmp cut date df dirname find grep gzip head id ls openssl readlink sed sha256sum sort stat tail tr wc xargs'
const counted = Object.fromEntries(
  programs.split(' ').map((name) => [name, `exec "$(PATH=/usr/bin:/bin command -v ${name})" "$@"`]),
)
const given: Record<string, unknown> = {
  backups: { recipients: ['age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p'] },
}
const vars = Object.fromEntries(allRoles.map((role) => [role.name, v.parse(role.vars, given[role.name] ?? {})]))

/** By kind: how many programs are called to read a host that has so many bots, all of them released. */
async function calls(count: number): Promise<Map<string, number>> {
  const host = scratchHost(counted)
  const names = Array.from({ length: count }, (_, i) => `bot-${i}`)
  for (const name of names) {
    const record = `${JSON.stringify({ id: '1', colour: 'blue', by: 'me', secrets: {}, spec: specOf('a:1', {}, {}) })}\n`
    for (const file of ['current.json', 'releases']) host.write(`/var/lib/botgarden/bots/${name}/${file}`, record)
    host.write(`/var/lib/botgarden/bots/${name}/webhook`, 'a-b-')
    for (const secret of ['token', 'database-password', 'webhook-secret', 'pgpass'])
      host.write(`/etc/botgarden/secrets/bots/${name}/${secret}`, '1:x\n')
  }
  const bots = names.map((name) => ({ name, settings: {}, where: 'x.yaml:1' }))
  const { resources } = resourcesOf(allRoles, vars, facts, { ...entry, bots })
  const kinds = new Map<Kind<unknown>, string[]>()
  for (const { kind, name } of resources.flatMap(({ reads }) => reads))
    kinds.set(kind, [...new Set([...(kinds.get(kind) ?? []), name])])
  const counts = new Map<string, number>()
  for (const [kind, all] of kinds) counts.set(kind.name, (await host.run(kind.script(all), { args: [] })).calls.length)
  return counts
}

test('a bot more on a host is at most three processes more for a check', async () => {
  const [few, many] = [await calls(1), await calls(11)]
  const more = [...many].map(([kind, count]) => [kind, (count - (few.get(kind) ?? 0)) / 10] as const)
  const dear = more.filter(([, each]) => each > 1)
  assert.equal(dear, [], 'no kind starts more than one for a bot')
  assert.ok(more.reduce((sum, [, each]) => sum + each, 0) <= 3, JSON.stringify(more.filter(([, each]) => each > 0)))
})

test.run()
