// A host of an inventory with bots, and a connection to it that answers what status asks.
import * as v from 'valibot'
import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { backups } from '../../../roles/backups/index.ts'
import { bot } from '../../../roles/bot/index.ts'
import { countedConnection, entry } from '../fake-host.ts'

/** A host with these bots and a domain. */
export function statusHost(bots: readonly string[], more: Partial<InventoryHost> = {}): InventoryHost {
  return {
    ...{ ...entry, domain: 'b.example.org', ssh: 'root@192.0.2.1:2222', groups: [] },
    bots: bots.map((name) => ({ name, where: 'x', settings: {} })),
    vars: { bot: v.parse(bot.vars, {}), backups: v.parse(backups.vars, {}) },
    ...more,
  }
}

/** Answers each kind of question with this text; what is not there is answered with nothing. */
export function answering(answers: Readonly<Record<string, string>>): Connection {
  return countedConnection(async (script, { mark, text }) => {
    for (const [, kind = ''] of script('N').matchAll(/N "read (\S+)"/g)) {
      mark?.(['read', kind])
      text?.(Buffer.from(answers[kind] ?? ''))
    }
    return 0
  })
}

/** A session over these hosts, each with its connection, or an error in its place. */
export function statusSession(
  hosts: readonly InventoryHost[],
  connected: (host: InventoryHost) => Connection,
  { options = {}, inventory = {} }: { options?: object; inventory?: object } = {},
): Session {
  const given = { inventory: 'inventory/sandbox.yaml', forks: 5, json: false, tags: [], own: new Map(), ...options }
  return {
    ...{ hosts, inventory: { file: '/no/such.yaml', hosts, ...inventory }, options: given },
    connected: async (host: InventoryHost, use: (connection: Connection) => unknown) => use(connected(host)),
  } as unknown as Session
}
