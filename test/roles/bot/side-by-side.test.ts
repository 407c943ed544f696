// Which changes of several bots run side by side, and how many at a time.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import { blocksOf } from '../../../lib/engine/blocks.ts'
import { resourcesOf } from '../../../lib/engine/collect-resources.ts'
import { nextStage, planAll } from '../../../lib/engine/plan.ts'
import { type Step, stepsOf } from '../../../lib/engine/step.ts'
import { freshCatalog } from '../../../lib/platform/postgres-catalog.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { botRole } from '../../../roles/bot/index.ts'
import { roomFor } from '../../../roles/bot/release/side-by-side.ts'
import type { Deployment } from '../../../roles/bot/spec/deployment.ts'
import { facts } from '../../support/fake-host.ts'
import { bare, deployment, host, vars } from '../../support/hello-bot.ts'
import { stateOf } from '../../support/plan-of.ts'

const entryOf = (name: string) => ({ name, where: 'x.yaml:9:3', settings: {} })
const free = (memoryMB: number) => ({ totalMB: 4000, memoryMB, diskMB: 9000 })

/** The steps of the one stage by which these bots come to a host for the first time. */
function stepsFor(
  names: readonly string[],
  more: (name: string) => Partial<Deployment> = () => ({}),
  state = {},
): Step[] {
  const deployments = names.map((name, i) => {
    const token = new Secret(`${i + 1}:a-token-of-a-bot-in-a-test`)
    return [name, { ...deployment({ image: `botgarden/${name}:abc` }), token, ...more(name) }] as const
  })
  const role = botRole(new Map(deployments))
  const { resources } = resourcesOf([role], { bot: vars }, { ...facts, cpus: 2 }, { ...host, bots: names.map(entryOf) })
  const own = names.flatMap((name) => [
    [`webhook:${name} https://api.telegram.org ask`, { mark: '', answer: 'not asked' }],
    [`kept-secrets:${name}`, { token: 1 }],
    [`image:botgarden/${name}:abc`, true],
  ])
  const planned = planAll(
    resources,
    stateOf(resources, { ...bare, 'free-capacity:host': free(3000), ...Object.fromEntries(own), ...state }),
  )
  assert.equal(
    planned.filter(({ status }) => status === 'unknown'),
    [],
  )
  return stepsOf(nextStage(planned))
}
const lanesOf = (steps: readonly Step[]) => {
  const [, block] = blocksOf(steps)
  return block?.lanes.map((lane) => lane.map((i) => steps[i]?.changes[0]?.id ?? ''))
}

test('the allocations come first, then each bot is a lane that ends with its webhook', () => {
  const steps = stepsFor(['a', 'b', 'c'])
  const blocks = blocksOf(steps)
  assert.is(blocks.length, 2)
  assert.equal(
    steps
      .flatMap(({ lane, changes }) => (lane === undefined ? changes.map(({ id }) => id) : []))
      .filter((id) => !id.startsWith('directory:')),
    ['allocation:a', 'allocation:b', 'allocation:c'],
  )
  const lanes = lanesOf(steps) ?? []
  assert.equal(
    lanes.map((ids) => ids.slice(-2)),
    ['a', 'b', 'c'].map((name) => [`release:${name}`, `webhook:${name}`]),
  )
  assert.equal(
    lanes.map((ids) => ids[0]),
    ['a', 'b', 'c'].map((name) => `network:botgarden-${name}`),
  )
})

test('a single bot is no lane', () => {
  const steps = stepsFor(['a'])
  assert.equal(
    steps.filter(({ lane }) => lane !== undefined),
    [],
  )
})

test('what several bots need is there before any of them begins', () => {
  const pulled = { pull: true, spec: deployment({ image: 'r.example.org/shared:1' }).spec }
  const steps = stepsFor(['a', 'b', 'c'], (name) => (name === 'a' ? {} : pulled))
  const images = steps.filter(({ changes }) => changes[0]?.id.startsWith('image:'))
  assert.equal(
    images.map(({ lane, title }) => [lane, title]),
    [[undefined, 'image:r.example.org/shared:1: pull']],
  )
  assert.ok(steps.indexOf(images[0] as Step) < steps.findIndex(({ lane }) => lane !== undefined))
})

const atOnce = (names: readonly string[], state: object) => blocksOf(stepsFor(names, undefined, state)).at(-1)?.atOnce

test('as many new bots begin at a time as the host has memory for when all are there', () => {
  const names = Array.from({ length: 10 }, (_, i) => `bot-${i}`)
  // Each may use 160 MiB, of which half must be free, and its release takes 64 more.
  for (const [memoryMB, expected] of [
    [9 * 80 + 3 * 144, 3],
    [9 * 80 + 144, 1],
    [100, 1],
    [9000, 10],
  ] as const)
    assert.is(atOnce(names, { 'free-capacity:host': free(memoryMB) }), expected, String(memoryMB))
})

test('and as the database has connections for, beside those of all bots of the host', () => {
  const names = ['a', 'b', 'c', 'd', 'e']
  const catalog = (maxConnections: number) => ({ 'postgres:catalog': { ...freshCatalog, maxConnections } })
  assert.equal(
    [atOnce(names, catalog(8 + 5 * 4 + 3 * 4)), atOnce(names, catalog(100)), atOnce(names, catalog(10))],
    [3, 5, 1],
  )
})

test('versions that replace others need no more than what runs beside them for a while', () => {
  const room = (neededMB: number, memoryMB: number, newMB = 0) =>
    roomFor(neededMB, { ...free(memoryMB), newMB }, undefined, 10)
  assert.equal([room(80, 3 * 144), room(80, 3 * 144, 144), room(0, 640), room(80, 0)], [3, 2, 10, 1])
  assert.is(roomFor(80, free(1000), 'refused', 1), 6)
})

test.run()
