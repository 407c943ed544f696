import { test } from 'uvu'
import * as assert from 'uvu/assert'
import * as v from 'valibot'
import { convergeWatched } from '../../../commands/watch/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { Role } from '../../../lib/model/role.ts'
import { nginx, watch } from '../../../roles/index.ts'
import { entry, facts } from '../../support/fake-host.ts'
import { contentOf, scriptsOf } from '../../support/plan-of.ts'

const given = '7000:the-token-of-the-one-that-alerts'
const chat = { chat: 5, token: { env: 'WATCH_TEST_TOKEN' } }
const roles = [nginx, watch]
type PerHost = (host: object) => Promise<readonly Role[]>

/** What a session is told to apply to hosts with these vars of `watch`, the first of which is called vps0. */
async function applied(...vars: readonly object[]) {
  const hosts = vars.map((each, i) => ({
    name: `vps${i}`,
    vars: { watch: v.parse(watch.vars, each), bot: { telegram: `http://telegram${i}.example` } },
  }))
  const calls: unknown[] = []
  const converge = async (_: unknown, what: unknown) => {
    calls.push(what)
    return 0
  }
  assert.is(await convergeWatched({ hosts, converge } as unknown as Session, roles), 0)
  assert.is(calls.length, 1)
  return { hosts, what: calls[0] }
}

test('where no host is watched the roles go on as they are, and no token is asked for', async () => {
  assert.is((await applied({}, {})).what, roles)
})

test('each watched host has its token and its own Bot API, and the others nothing of it', async () => {
  process.env.WATCH_TEST_TOKEN = given
  const { hosts, what } = await applied(chat, {}, chat)
  const resources = await Promise.all(
    hosts.map(async (host) => {
      const found = (await (what as PerHost)(host)).find(({ name }) => name === 'watch')
      return found?.resources(host.vars.watch, facts, { ...entry, name: host.name, domain: 'b.example.org' }) ?? []
    }),
  )
  const [first = [], none, third = []] = resources
  assert.equal(none, [])
  for (const [i, each] of [
    [0, first],
    [2, third],
  ] as const) {
    const program = contentOf(each, '/watch/watch')
    assert.match(program, `telegram=http://telegram${i}.example`)
    // Alerts of two hosts in one chat are told apart by this name.
    assert.match(program, `host=vps${i} `)
    assert.not.match(program, given)
    assert.not.match(scriptsOf(each, {}).join('\n'), given)
  }
})

test('what is no token ends the run before a host is asked', async () => {
  for (const token of ['not a token', '7000', '7000:short']) {
    process.env.WATCH_TEST_TOKEN = token
    try {
      await applied(chat)
      assert.unreachable(token)
    } catch (error) {
      assert.match((error as Error).message, /^hosts\.vps0: watch\.token: is not a bot token/)
      assert.not.match((error as Error).message, token)
    }
  }
})

test.run()
