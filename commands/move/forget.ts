import * as v from 'valibot'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { role } from '../../lib/model/role.ts'
import { confirm } from '../../lib/std/confirm-prompt.ts'
import { HostError } from '../../lib/std/errors.ts'
import { botAbsent } from '../../roles/bot/remove.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import { isKnown, type Situation, survey, type Unknown } from './survey.ts'

/** Deletes what a bot has left on a host that it was moved from, where it serves on another one. Returns the exit code. */
export async function forget(session: Session, host: InventoryHost, bot: string): Promise<number> {
  const { options, inventory } = session
  const found = await survey(session, inventory.hosts, bot)
  const own = found.find((each) => each.host.name === host.name)
  if (own === undefined || !isKnown(own)) throw own?.error ?? new HostError(`${host.name} was not asked`)
  if (own.record !== undefined)
    throw new HostError(`${bot} serves on ${host.name}: what it has there is no leftover; to remove it: --remove`)
  if (!own.isKnownThere && own.place === undefined) throw new HostError(`${host.name} has nothing of ${bot}`)
  const holder = holderOf(found, bot, own)
  if (!options.check && !options.own.has('yes'))
    await confirm(
      `delete what ${bot} has left on ${host.name} (${inventory.file}), its database and its data; it serves on ${holder.host.name}`,
    )
  const { telegram } = host.vars.bot as BotVars
  return session.converge(
    [host],
    [role('bot', v.any(), () => [botAbsent(bot, telegram, { purge: true, isMoved: true })])],
    async (_, connection) => {
      if (options.check) return
      await session.hold(host, connection)
      // A move back that was decided while the operator was asked: what is here is what serves next.
      holderOf(await survey(session, inventory.hosts, bot), bot, own)
    },
  )
}

/** The host that serves the bot, beside the one that is to forget it. Throws a `HostError` where none does. */
function holderOf(found: readonly (Situation | Unknown)[], bot: string, { host, place }: Situation): Situation {
  const holder = found.filter(isKnown).find((each) => each.record !== undefined && each.host.name !== host.name)
  if (holder !== undefined) return holder
  throw new HostError(
    `no other host has a release of ${bot}, so what is on ${host.name} may be all that there is: nothing was deleted; ${place === undefined ? 'it was not moved from there' : `npx zx playbooks/bot.ts --name ${bot} --move-to ${place.serves}`}`,
  )
}
