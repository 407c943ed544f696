import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { ConnectError, HostError } from '../../lib/std/errors.ts'
import type { Place } from '../../roles/bot/spec/place.ts'
import { isKnown, type Situation, type Unknown } from './survey.ts'

/** What is to be done so that a bot serves on another host. */
export type Course =
  /** It serves on `from`. */
  | { readonly kind: 'move'; readonly from: Situation; readonly to: Situation; readonly number: number }
  /** It is decided that it serves on `to`, where it has not been released yet. */
  | { readonly kind: 'finish'; readonly from: Situation | undefined; readonly to: Situation; readonly place: Place }
  /** It was decided for `from`, where nothing was released, and goes back to where it was. */
  | { readonly kind: 'back'; readonly from: Situation | undefined; readonly to: Situation; readonly number: number }
  /** It serves there already, moved from `from`, where that has it still. */
  | { readonly kind: 'there'; readonly from: Situation | undefined; readonly to: Situation }

/**
 * Decides by what all hosts have said. A record of a release is of the host that serves; without any the place with the highest
 * number says which host may. Throws a `HostError` where that is not certain, or a `ConnectError` where it needs a host that could
 * not be asked.
 */
export function courseOf(bot: string, target: InventoryHost, found: readonly (Situation | Unknown)[]): Course {
  const known = found.filter(isKnown)
  const to = known.find(({ host }) => host.name === target.name)
  const silent = found.find((each) => !isKnown(each) && each.host.name === target.name)
  if (silent !== undefined && !isKnown(silent)) throw silent.error
  if (to === undefined) throw new HostError(`${target.name} was not asked`)
  const torn = known.find((each) => each.torn !== undefined)
  if (torn !== undefined)
    throw new HostError(
      `${torn.host.name}: the record of what serves of ${bot} cannot be read: ${torn.torn}; nothing was changed; npx zx playbooks/site.ts heals it where that is certain`,
    )
  const holders = known.filter(({ record }) => record !== undefined)
  if (holders.length > 1)
    throw new HostError(
      `${holders.map(({ host }) => host.name).join(' and ')} both have a bot of the name ${bot} that serves: it is moved to a host that has none; nothing was changed`,
    )
  const number = 1 + Math.max(0, ...known.map(({ place }) => place?.number ?? 0))
  const [from] = holders
  if (from !== undefined && from !== to) return { kind: 'move', from, to, number }
  if (from === to) {
    const left = known.find((each) => each.released !== undefined && each.host.name === to.place?.from)
    return { kind: 'there', from: left, to }
  }
  return undecided(bot, to, found, number)
}

function undecided(bot: string, to: Situation, found: readonly (Situation | Unknown)[], number: number): Course {
  const known = found.filter(isKnown)
  const [latest] = known
    .filter(({ place }) => place !== undefined)
    .sort((one, other) => (other.place?.number ?? 0) - (one.place?.number ?? 0))
  const unknown = found.find((each) => !isKnown(each))
  const named = (name: string) => known.find(({ host }) => host.name === name)
  if (latest?.place === undefined) {
    const unasked = unknown === undefined ? '' : `; ${unknown.host.name} could not be asked`
    const message = `no host has a release of ${bot}${unasked}: npx zx playbooks/bot.ts --name ${bot} releases it`
    throw unknown === undefined ? new HostError(message) : new ConnectError(message)
  }
  const { place } = latest
  const from = named(place.from)
  const decided = named(place.serves)
  const isReady = decided?.place?.number === place.number
  // It was given back, which the host that has it back has not noted yet.
  if (decided?.released !== undefined && !isReady) return { kind: 'back', from, to: decided, number: place.number }
  if (decided === to) {
    if (isReady) return { kind: 'finish', from, to, place }
    throw new HostError(
      `${bot} is to serve on ${to.host.name}, which has not what was moved there; what it was moved from is whole: npx zx playbooks/bot.ts --name ${bot} --move-to ${place.from}`,
    )
  }
  if (to === from && to.released !== undefined) {
    // Only the host itself can tell that it does not serve.
    if (decided === undefined && found.some(({ host }) => host.name === place.serves))
      throw new ConnectError(
        `it is decided that ${bot} serves on ${place.serves}, which could not be asked whether it does; nothing was changed; if it is lost for good, take it out of the inventory, and run this again: what ${to.host.name} has is from before`,
      )
    return { kind: 'back', from: decided, to, number }
  }
  throw new HostError(
    `a move of ${bot} from ${place.from} to ${place.serves} was cut: first finish it: npx zx playbooks/bot.ts --name ${bot} --move-to ${place.serves}`,
  )
}
