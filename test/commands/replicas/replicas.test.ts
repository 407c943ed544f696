// How the images of replicas come to their hosts.
import { test } from 'uvu'
import * as assert from 'uvu/assert'
import type { Deployments } from '../../../commands/deploy/deployment.ts'
import { spreadImages } from '../../../commands/replicas/index.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { ConnectError, HostError } from '../../../lib/std/errors.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import { errorOf } from '../../support/errors.ts'
import { countedConnection } from '../../support/fake-host.ts'

const image = 'botgarden/hello:2'
const hosts = ['vps1', 'vps2', 'vps3'].map((name) => ({ name }) as InventoryHost)
const [from = { name: 'vps1' } as InventoryHost] = hosts

/** The image of a bot that `named` may run is brought from vps1, where these hosts cannot be reached. Returns what is told. */
async function spread(named: readonly string[], unreached: Readonly<Record<string, Error>>) {
  const told: string[] = []
  const asked: string[] = []
  // All that are reached have it already.
  const connection = countedConnection(async (_, { text }) => {
    text?.(Buffer.from(`${image} sha256:${'a'.repeat(64)} 100\n`))
    return 0
  })
  const session = {
    inventory: { hosts },
    report: { line: (line: string) => told.push(line) },
    connected: async ({ name }: InventoryHost, use: (given: typeof connection) => Promise<unknown>) => {
      asked.push(name)
      const error = unreached[name]
      if (error !== undefined) throw error
      return use(connection)
    },
  } as unknown as Session
  const deployments = new Map([['hello', { spec: specOf(image, { replicas: 2, hosts: [...named] }, {}) }]])
  await spreadImages(session, from, deployments as unknown as Deployments)
  return { told, asked: asked.sort() }
}

const dead = (name: string) => new ConnectError(`${name}: cannot be reached: no route`)

test('a host that is dead blocks no release: it is told, with what brings the image later', async () => {
  const { told, asked } = await spread(['vps1', 'vps2', 'vps3'], { vps2: dead('vps2') })
  assert.equal(asked, ['vps1', 'vps2', 'vps3'])
  assert.is(told.length, 1)
  assert.match(told[0] ?? '', /^vps2 {2}warning: .*bot\.ts --name hello .*vps2: cannot be reached/)
  assert.equal((await spread(['vps2', 'vps3'], { vps2: dead('vps2') })).told.length, 1)
  assert.equal((await spread(['vps1', 'vps2', 'vps3'], {})).told, [])
})

test('where no host that may run it has the image, nothing is released', async () => {
  const both = { vps2: dead('vps2'), vps3: dead('vps3') }
  await errorOf(spread(['vps2', 'vps3'], both), ConnectError)
  assert.is((await spread(['vps1', 'vps2', 'vps3'], both)).told.length, 2)
})

test('what goes wrong on a host that is reached ends the run, and so does a host without the image that serves the bot', async () => {
  await errorOf(spread(['vps1', 'vps2'], { vps2: new HostError('vps2: no room') }), HostError)
  await errorOf(spread(['vps1', 'vps2'], { vps1: dead('vps1') }), ConnectError)
})

test.run()
