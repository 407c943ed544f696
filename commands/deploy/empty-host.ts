import { when } from '../../lib/model/combinators.ts'
import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import type { Role } from '../../lib/model/role.ts'
import { sh } from '../../lib/shell/sh.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { allocationsFile } from '../../roles/bot/spec/allocations.ts'
import { currentRecords } from '../../roles/bot/spec/layout.ts'

/**
 * The role, whose plan throws a `UsageError` on a host without bots: there are backups of it, and a host that was replaced must
 * not start with empty databases.
 */
export function refusingEmptyHost(role: Role, host: string): Role {
  return {
    ...role,
    resources: (...given) => {
      const [first, ...others] = role.resources(...given)
      if (first === undefined) return []
      const isKnown = (known: Known) => {
        if (known === 'known') return true
        if (known === 'lost')
          throw new UsageError(
            `${host} has bots, but their allocations are lost (${allocationsFile}): recover them from the running bots with npx zx playbooks/site.ts --limit ${host}`,
          )
        throw new UsageError(
          `${host} has no bots, but there are backups of it: restore.ts --host ${host} restores all of them; --new starts with empty databases`,
        )
      }
      return [when([knownBots], (read) => isKnown(read(knownBots)), first), ...others]
    },
  }
}

/** Whether a host has had bots; `lost`: there are some, and it does not know their allocations. */
type Known = 'known' | 'lost' | 'empty'

const knownBots: Reading<Known> = reading(
  {
    name: 'known-bots',
    volatile: true,
    script: () => sh`
      if [ -e ${allocationsFile} ]; then echo known
      elif ls ${currentRecords} || [ -n "$(docker network ls --quiet --filter label=botgarden.bot)" ]; then echo lost
      else echo empty
      fi 2>/dev/null`,
    parse: oneValue((output) => (output.includes('known') ? 'known' : output.includes('lost') ? 'lost' : 'empty')),
  } satisfies Kind<Known>,
  'host',
)
