import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { chart } from '../../bench/chart.ts'
import type { Field } from '../../bench/field.ts'
import { reportOf } from '../../bench/report.ts'
import { type Case, inTurns, median } from '../../bench/rounds.ts'

const one = (program: string, seconds: number[], more: Partial<Case> = {}): Case => ({
  ...{ program, isRival: false, away: 0, cold: false, hosts: 1, bots: 1, seconds },
  ...more,
})
const taken = (cases: Case[]) => [{ at: '2026-11-26T01:02:03Z', load: 2, cores: 2, versions: {}, stated: '', cases }]

test('the middle of what was measured counts', () => {
  assert.equal([median([3, 1, 2]), median([4, 1, 2, 3])], [2, 2.5])
})

test('each figure stands beside that of the floor in the same situation', () => {
  const cases = [
    one('the floor', [0.5, 0.4, 0.6]),
    one('site.ts', [1, 1, 9]),
    one('the floor', [1], { cold: true }),
    one('site.ts', [1.5], { cold: true }),
    one('ansible-core', [20], { isRival: true }),
  ]
  const lines = reportOf({ site: taken(cases) }).split('\n')
  assert.ok(lines.includes('|  | 0 ms, cold | 0 ms, warm |'))
  assert.ok(lines.includes('| the floor | 1.00 s | 0.50 s |'))
  assert.ok(lines.includes('| site.ts | 1.50 s, 1.5 × | 1.00 s, 2.5 × |'))
  assert.ok(lines.includes('| ansible-core | – | 20.00 s, 40.0 × |'))
  assert.ok(lines.includes('As long as site.ts in the same rounds: ansible-core 20.0 ×.'))
})

test('more bots: what each further one costs', () => {
  const cases = [1, 10, 50].flatMap((bots) => [
    one('the floor', [0.5], { bots }),
    one('site.ts', [1 + bots * 0.01], { bots, megabytes: 100 + bots }),
  ])
  const lines = reportOf({ bots: taken(cases) }).split('\n')
  assert.ok(lines.includes('| site.ts | 1.01 s, 2.0 × | 1.10 s, 2.2 × | 1.50 s, 3.0 × | 10 ms | 150 MB |'))
})

test('status.ts stands beside site.ts', () => {
  const size = { hosts: 3, bots: 30 }
  const lines = reportOf({
    status: taken([one('site.ts', [2, 4, 4], size), one('status.ts', [3, 2, 4], size)]),
  }).split('\n')
  assert.ok(lines.includes('|  | 3 hosts, 30 bots |'))
  assert.ok(lines.includes('| site.ts | 4.00 s |'))
  assert.ok(lines.includes('| status.ts | 3.00 s, 1.0 × |'))
})

test('programs take turns, the first round counts for nothing, and rivals have fewer', async () => {
  const ran: string[] = []
  const program = (name: string, isRival: boolean) => ({
    name,
    isRival,
    run: async () => ({ seconds: ran.push(name) }),
  })
  const field = {
    names: ['a'],
    bots: [],
    warm: async () => {},
    cool: async () => void ran.push('cool'),
  } as unknown as Field
  const rounds = { own: 2, rivals: 1 }
  const both = [program('own', false), program('rival', true)]
  const cases = await inTurns(both, field, { away: 0, cold: false, rounds }, () => {})
  assert.equal(ran, ['own', 'own', 'rival', 'own'])
  assert.equal(
    cases.map(({ seconds }) => seconds),
    [[2, 4], [3]],
  )
  ran.length = 0
  await inTurns(both, field, { away: 0, cold: true, rounds: { own: 0, rivals: 0 } }, () => {})
  assert.equal(ran, ['cool', 'own'])
})

test('the chart has a bar for each program with a kept connection', () => {
  const svg = chart([one('the floor', [0.5]), one('site.ts', [1]), one('site.ts', [2], { cold: true })])
  assert.is([...svg.matchAll(/<rect /g)].length, 2)
  assert.match(svg, '1.00 s')
  assert.not.match(svg, '2.00 s')
})

test.run()
