import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { botFindings } from '../../../lib/health/bot-findings.ts'
import type { BotHealth, ContainerHealth } from '../../../lib/health/state.ts'
import { commands, container, healthyBot, now } from '../../support/status/health.ts'

const found = (more: Partial<BotHealth>) =>
  botFindings({ ...healthyBot, ...more }, now, commands).map(({ level, id, what }) => `${level} ${id}: ${what}`)
const like = (more: Partial<ContainerHealth>) => ({ container: { ...container, ...more } })
const hook = { url: 'own', pending: 0 } as const
const minute = 60_000

test('nothing is found of a bot that is as it should be', () => assert.equal(found({}), []))

const cases: readonly (readonly [about: string, more: Partial<BotHealth>, said: readonly string[]])[] = [
  [
    'one that was never released',
    { release: 'absent', container: 'absent' },
    ['warning not-deployed: is not deployed'],
  ],
  ['a torn record', { release: 'torn' }, ['error record: the record of its release cannot be read']],
  ['a container that is gone', { container: 'absent' }, ['error container: its container is not there']],
  [
    'a container that was stopped',
    like({ status: 'exited', health: '', exitCode: 1 }),
    ['error container: its container does not run: exited, exit code 1'],
  ],
  ['an unhealthy one', like({ health: 'unhealthy' }), ['error health: its container is unhealthy']],
  [
    'one that does not get ready',
    like({ health: 'starting', startedAt: now - 9 * minute }),
    ['warning health: its container is not ready after 9 min'],
  ],
  ['one that is starting', like({ health: 'starting', startedAt: now - minute }), []],
  [
    'a crash loop',
    like({ restarts: 7, startedAt: now - minute }),
    ['error restart-loop: its container ends and is started again: 7 times'],
  ],
  [
    'a crash loop between two starts',
    like({ status: 'restarting', restarts: 2 }),
    ['error restart-loop: its container ends and is started again: 2 times'],
  ],
  [
    'one restart',
    like({ restarts: 1, startedAt: now - 20 * minute }),
    ['warning restarted: its container was started again 20 min ago'],
  ],
  ['restarts of long ago', like({ restarts: 9, startedAt: now - 99 * minute }), []],
  [
    'out of memory',
    like({ outOfMemory: true }),
    ['error out-of-memory: its container has met its limit of 160 MB, and was killed'],
  ],
  [
    'nearly out of memory',
    like({ memoryMB: 150 }),
    ['warning container-memory: its container has 150 MB of its limit of 160 MB'],
  ],
  ['a worker that is gone', { processes: { worker: 'absent' } }, ['error container: its process worker is not there']],
  ['Telegram away', { webhook: 'unreachable' }, ['warning telegram: Telegram did not answer the host']],
  [
    'a revoked token',
    { webhook: 'refused' },
    ['error token: Telegram rejects its token: it is revoked, or not complete'],
  ],
  [
    'a webhook that was deleted',
    { webhook: { ...hook, url: 'none' } },
    ['error webhook-url: Telegram has no webhook: somebody polls with its token, or has deleted it'],
  ],
  [
    'a webhook that was changed',
    { webhook: { ...hook, url: 'foreign' } },
    ['error webhook-url: Telegram has a webhook that is not ours: somebody else gets its updates'],
  ],
  [
    'a webhook of a bot that polls',
    { mode: 'polling', webhook: { ...hook, url: 'foreign' } },
    ['error webhook-url: it polls, and somebody has set a webhook: it gets no updates'],
  ],
  ['a bot that polls', { mode: 'polling', webhook: { ...hook, url: 'none' } }, []],
  ['no bot at all', { mode: 'none', webhook: 'refused' }, []],
  [
    'a delivery that fails',
    { webhook: { ...hook, pending: 3, error: 'Connection refused', errorAt: now - minute } },
    ['error delivery: Telegram could not deliver: Connection refused'],
  ],
  ['a failure that is over', { webhook: { ...hook, error: 'Connection refused', errorAt: now - 30 * minute } }, []],
  ['updates that wait', { webhook: { ...hook, pending: 20 } }, ['warning pending: 20 updates wait at Telegram']],
  ['many updates that wait', { webhook: { ...hook, pending: 200 } }, ['error pending: 200 updates wait at Telegram']],
  [
    'updates that fail',
    { traffic: { minutes: 60, delivered: 50, failed: 10, refused: 0 } },
    ['warning failed-updates: 10 of 60 updates failed (5xx) in the last 60 min'],
  ],
  ['few that fail', { traffic: { minutes: 60, delivered: 5, failed: 4, refused: 90 } }, []],
  ['few of many that fail', { traffic: { minutes: 60, delivered: 500, failed: 6, refused: 0 } }, []],
  [
    'a job',
    { jobs: { digest: { last: 'FAILED: exit code 1', failed: true }, good: { last: 'ok', failed: false } } },
    ['warning job: its job digest: FAILED: exit code 1'],
  ],
]
for (const [about, more, said] of cases) test(`of ${about}`, () => assert.equal(found(more), said))

test('every finding names the bot and the command that is next', () => {
  for (const [, more] of cases)
    for (const { bot, next } of botFindings({ ...healthyBot, ...more }, now, commands)) {
      assert.is(bot, 'hello')
      assert.match(next, /^npx zx playbooks\/(site|bot)\.ts/)
    }
})

test.run()
