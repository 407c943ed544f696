import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { networkState } from './network.ts'
import { type Allocations, allocations, allocationsFile } from './spec/allocations.ts'
import { placesOf, userOf } from './spec/layout.ts'

/**
 * Gives a bot its number: the lowest that is free, and whose network leads nowhere yet. Where its network is there, that
 * says which number it has, whatever became of what was written down.
 */
export function allocated(bot: string, base: string): Resource {
  return resource({
    id: `allocation:${bot}`,
    wants: base,
    reads: { taken: allocations, routes, own: networkState(placesOf(bot).network) },
    plan: ({ taken, routes: there, own }) => {
      const given = own?.number
      if (taken[bot] !== undefined && (given ?? taken[bot]) === taken[bot]) return []
      const number = given ?? freeNumber(base, taken, there)
      const network = `network ${base}.${number}.0/24, user ${userOf(number)}`
      const others = Object.entries(taken).filter(([name, each]) => name !== bot && each !== number)
      const after = Object.fromEntries([...others, [bot, number]])
      const lines = Object.entries(after).map(([name, each]) => `${name} ${each}`)
      const write = sh`printf '%s\n' ${lines} >"$candidate"`
      const script = installFile(allocationsFile, { owner: 'root:root', mode: '0600', write })
      const summary = given === undefined ? network : `${network}, as it has them: ${allocationsFile} does not say so`
      return [{ summary, script, predicts: [becomes(allocations, after)] }]
    },
  })
}

function freeNumber(base: string, taken: Allocations, routes: readonly string[]): number {
  const used = new Set(Object.values(taken))
  const clash = (n: number) => routes.some((route) => route.startsWith(`${base}.${n}.`))
  const number = Array.from({ length: 254 }, (_, i) => i + 1).find((n) => !used.has(n) && !clash(n))
  if (number === undefined || routes.includes(`${base}.0.0/16`))
    throw new HostError(
      `no network of ${base}.0.0/16 is free on this host: set bot.network in the inventory to another`,
    )
  return number
}

/** Where the host's packets go: `10.0.0.0/8`. A bridge of a bot that nobody has written down is not free either. */
const routes: Reading<readonly string[]> = reading(
  {
    name: 'routes',
    volatile: true,
    script: () => sh`ip -4 route show 2>/dev/null || :`,
    parse: oneValue((output) => output.split('\n').flatMap((line) => /^[\d.]+(\/\d+)?/.exec(line)?.[0] ?? [])),
  } satisfies Kind<readonly string[]>,
  'ipv4',
)
