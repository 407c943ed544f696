import type { Flags } from '../../lib/cli/flags.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { standbyOf } from '../../lib/platform/standby/gate.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { degrade } from '../standby/promote.ts'
import { drill } from './drill.ts'
import { keepInStep } from './in-step.ts'
import { inventoryLines } from './pairs.ts'
import { type Failover, planOf } from './plan.ts'
import { preview } from './preview.ts'
import { serveAll } from './serve.ts'
import { isKnown, standOf } from './stand.ts'
import { takeOver } from './take-over.ts'

/** The options of failover.ts. */
export const failoverFlags = {
  from: { value: 'HOST', help: 'the host that serves, or did' },
  to: { value: 'HOST', help: 'its standby, which serves from now on' },
  'old-host-is-gone': {
    help: 'go on where the old host cannot be stopped, or its last changes have not arrived: they are lost',
  },
  drill: {
    help: 'prove that the standby could take over, by a throwaway copy of its server; nothing that serves is touched',
  },
  degrade: { help: 'have commits on the old host wait for its standby no more, until site.ts finds that there again' },
  'in-step': { help: 'bring the standby what a failover needs there, files too, as site.ts does' },
} as const satisfies Flags

/** The command failover.ts. Returns the exit code; throws a `UsageError`. */
export async function failover(session: Session): Promise<number> {
  const action = actionOf(session)
  const [one, other] = [hostOf(session, 'from'), hostOf(session, 'to')]
  refuseStrangers(session, one, other)
  if (action === 'degrade') return degradeOn(session, one)
  const [from, to] = await Promise.all([standOf(session, one), standOf(session, other)])
  if (!isKnown(to)) throw to.error
  const plan = planOf(session, from, to)
  if (session.options.check) return preview(plan)
  if (action === 'drill') return drill(plan)
  if (action === 'in-step') {
    if (plan.isDecided) throw new HostError(`${other.name} is the primary: --from ${other.name} --to ${one.name}`)
    return keepInStep(session, { primary: one, standby: other }, { isAsked: true })
  }
  refuseUnreached(plan)
  await takeOver(plan)
  try {
    return await serveAll(plan)
  } finally {
    tellInventory(plan)
  }
}

/** What cannot be stopped may serve on: that takes a word. */
function refuseUnreached({ session, from, to }: Failover): void {
  if (isKnown(from) || session.options.own.has('old-host-is-gone')) return
  throw new HostError(
    `${from.host.name} does not answer, so it cannot be stopped: ${from.error.message}\nnothing was changed; if you know that it is off, or want to go on although it may still serve: --old-host-is-gone; once it is back it asks ${to.host.name}, and Telegram, and starts nothing`,
  )
}

/** Another thing to do than a failover. */
function actionOf({ options: { own, check } }: Session): 'drill' | 'degrade' | 'in-step' | undefined {
  const actions = (['drill', 'degrade', 'in-step'] as const).filter((each) => own.has(each))
  const [action] = actions
  const stranger = actions[1] ?? (own.has('old-host-is-gone') ? 'old-host-is-gone' : check ? 'check' : undefined)
  if (action !== undefined && stranger !== undefined)
    throw new UsageError(`--${action} and --${stranger} cannot be combined`)
  return action
}

function degradeOn(session: Session, host: InventoryHost): Promise<number> {
  return session.connected(
    host,
    async (connection) => {
      await degrade(connection, host.name)
      session.report.line(`${host.name}  ▸ commits wait for no standby; npx zx playbooks/site.ts has them wait again`)
      return 0
    },
    { quiet: true },
  )
}

/** The inventory is the operator's: what it has to say is printed. */
function tellInventory({ session, to, record, say }: Failover): void {
  if (standbyOf(to.host) === record.standby) return
  say(
    `change ${session.inventory.file}, and npx zx playbooks/site.ts makes ${record.standby} the standby, once it is back:`,
  )
  for (const line of inventoryLines(record, session.inventory.hosts)) say(`  ${line}`)
}

/** They are a pair in the inventory, whichever of them is the primary there. */
function refuseStrangers({ inventory }: Session, from: InventoryHost, to: InventoryHost): void {
  if (from === to) throw new UsageError(`--from and --to are both ${from.name}`)
  if (standbyOf(from) === to.name || standbyOf(to) === from.name) return
  throw new UsageError(
    `${to.name} is not the standby of ${from.name}: ${inventory.file} says "postgres: { standby: … }" of neither`,
  )
}

function hostOf({ options, inventory }: Session, flag: 'from' | 'to'): InventoryHost {
  const name = options.own.get(flag)?.[0]
  const names = inventory.hosts.map((each) => each.name)
  if (name === undefined) throw new UsageError(`--${flag} HOST is missing: ${inventory.file} has ${names.join(', ')}`)
  const host = inventory.hosts.find((each) => each.name === name)
  if (host !== undefined) return host
  throw new UsageError(
    `--${flag}: unknown host "${name}"${suggest(name, names)}: ${inventory.file} has ${names.join(', ')}`,
  )
}
