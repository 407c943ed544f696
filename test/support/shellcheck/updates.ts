// What update.ts sends to a host.

import { silentBots } from '../../../commands/update/host-by-host.ts'
import { hostTime } from '../../../commands/update/host-time.ts'
import { rebootIfDue } from '../../../commands/update/packages/reboot.ts'
import { listsFetched, packagesUpgraded } from '../../../commands/update/packages/resource.ts'
import type { Clusters } from '../../../commands/update/postgres/clusters.ts'
import { nothingKept, postgresVersion } from '../../../commands/update/postgres/resource.ts'
import { renewedServerSecrets } from '../../../commands/update/rotate/server-secrets.ts'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/hosts.ts'
import type { Resource } from '../../../lib/model/resource.ts'
import { renewedSecrets } from '../../../roles/bot/renewal/resource.ts'
import { type Spec, specOf } from '../../../roles/bot/spec/spec.ts'
import { recorder } from './recorder.ts'
import { runScripts, type Shell } from './scripts.ts'

const [own, old] = [
  { image: 'postgres:18.6', settings: {} },
  { image: 'postgres:17.6', settings: {} },
]

export async function updateScripts(): Promise<Shell[]> {
  const clusters = (more: Partial<Clusters>) => ({
    'clusters:postgres': { live: [17], kept: [], left: [], ...more },
    'cluster-room:postgres': { sizes: { 17: 9 }, freeMiB: 9999 },
  })
  const all: [string, readonly Resource[], Record<string, unknown>][] = [
    ['a new major version', [postgresVersion(own, 2048, 'forward')], clusters({})],
    ['one that was cut', [postgresVersion(own, 2048, 'forward')], clusters({ live: [17, 18], left: ['19.new'] })],
    ['the way back', [postgresVersion(old, 2048, 'back')], clusters({ live: [18], kept: ['17.old'] })],
    ['what is kept', [nothingKept()], clusters({ live: [18], kept: ['17.old'] })],
    [
      'secrets of the server',
      [renewedServerSecrets(9)],
      { 'server-secrets:postgres': { superuser: 1, 'server.pem': 1 } },
    ],
    [
      'packages',
      [listsFetched(9), packagesUpgraded()],
      { 'apt-lists:fetched': 1, 'upgrades:all': [{ name: 'a', from: '1', to: '2' }] },
    ],
    ['packages that wait', [packagesUpgraded()], { 'upgrades:all': [{ name: 'a', from: '1', to: '2' }] }],
    ...renewals(),
  ]
  return [
    ...all.flatMap(([what, resources, state]) => runScripts(what, resources, state, { reads: true })),
    ...(await requests()),
  ]
}

function renewals(): [string, readonly Resource[], Record<string, unknown>][] {
  const telegram = 'https://api.telegram.org'
  const instance = { bot: 'hello', base: '10.210', telegram, origin: 'https://b.example.org' }
  const hook = { bot: 'hello', url: 'https://b.example.org/tg/hello', name: 'b.example.org', telegram, ask: false }
  const resource = renewedSecrets(instance, hook, () => ({ memoryMB: 160, cpus: 0.5 }), 9)
  const state = (spec: Spec) => ({
    'kept-secrets:hello': { 'webhook-secret': 1, 'database-password': 1, 'cache-password': 1 },
    'allocations:bots': { hello: 1 },
    'text:/var/lib/botgarden/bots/hello/current.json': releaseOf(spec),
  })
  const plain = specOf('hello:1', {}, {})
  const worker = { image: 'hello:1', command: ['node', 'worker.js'] }
  return [
    ['secrets of a bot', [resource], state(plain)],
    [
      'secrets of a bot with all that there is',
      [resource],
      state({
        ...plain,
        cache: { server: 'valkey', memoryMB: 32 },
        processes: { worker },
        references: { A: '${database.url}' },
      }),
    ],
  ]
}

function releaseOf(spec: Spec): string {
  return JSON.stringify({ id: '1', spec, colour: 'blue', secrets: { token: '' }, by: 'me' })
}

async function requests(): Promise<Shell[]> {
  const boots = ['a 1\ndue\n', 'b 2\n']
  const { connection, requests } = recorder('an update', [
    [/^date /, '1'],
    [/allocations/, `hello 1\nrelease hello ${releaseOf(specOf('hello:1', {}, { health: '/up' }))}`],
  ])
  const session = {
    report: { line: () => {} },
    hold: async () => {},
    connected: async (_: InventoryHost, use: (given: typeof connection) => Promise<unknown>) => {
      const told = boots.shift() ?? ''
      return use({
        ...connection,
        request: async (script, handlers, prelude) => {
          const asks = script('4bd1').startsWith('cat /proc/sys')
          return connection.request(
            script,
            asks ? { ...handlers, text: () => handlers.text?.(Buffer.from(told)) } : handlers,
            prelude,
          )
        },
      })
    },
  } as unknown as Session
  await rebootIfDue(session, { name: 'x' } as InventoryHost)
  await hostTime(connection)
  const vars = { bot: { network: '10.210' } }
  await silentBots(connection, { bots: [{ name: 'hello' }, { name: 'x' }], vars } as unknown as InventoryHost)
  return requests
}
