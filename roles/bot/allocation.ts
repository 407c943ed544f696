import { oneValue } from '../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../lib/model/reading.ts'
import { becomes, type Resource, resource } from '../../lib/model/resource.ts'
import { installFile } from '../../lib/shell/install-file.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError } from '../../lib/std/errors.ts'
import { networkState } from './network.ts'
import { type Allocations, allocations, allocationsFile } from './spec/allocations.ts'
import { databaseBase, layoutOf, uidOf } from './spec/layout.ts'

/**
 * Gives a bot its number on the host: that of its Docker network if it exists, else the lowest free one. `tcp`: it needs a
 * network with the database server too. The plan throws a `HostError` where none is free.
 */
export function allocated(bot: string, base: string, { tcp = false } = {}): Resource {
  return resource({
    id: `allocation:${bot}`,
    wants: base,
    reads: { taken: allocations, routes, own: networkState(layoutOf(bot).network) },
    plan: ({ taken, routes: there, own }) => {
      const given = own?.number
      if (taken[bot] !== undefined && (given ?? taken[bot]) === taken[bot]) return []
      const number = given ?? freeNumber(base, taken, there, tcp ? [base, databaseBase(base)] : [base])
      const network = `network ${base}.${number}.0/24, user ${uidOf(number)}`
      const others = Object.entries(taken).filter(([name, each]) => name !== bot && each !== number)
      const after = Object.fromEntries([...others, [bot, number]])
      const lines = Object.entries(after).map(([name, each]) => `${name} ${each}`)
      const write = sh`printf '%s\n' ${lines} >"$candidate"`
      const script = installFile(allocationsFile, { owner: 'root:root', mode: '0600', write })
      const summary =
        given === undefined
          ? network
          : `${network}, taken from its Docker network: ${allocationsFile} has no valid entry`
      return [{ summary, script, predicts: [becomes(allocations, after)] }]
    },
  })
}

function freeNumber(base: string, taken: Allocations, routes: readonly string[], bases: readonly string[]): number {
  const used = new Set(Object.values(taken))
  const clash = (n: number) => bases.some((each) => routes.some((route) => route.startsWith(`${each}.${n}.`)))
  const number = Array.from({ length: 254 }, (_, i) => i + 1).find((n) => !used.has(n) && !clash(n))
  if (number === undefined || routes.includes(`${base}.0.0/16`))
    throw new HostError(
      `no network of ${base}.0.0/16 is free on this host: set bot.network in the inventory to another`,
    )
  return number
}

/** Destinations of the host's IPv4 routes: `10.0.0.0/8`. They include the bridges of bots that have no allocation. */
export const routes: Reading<readonly string[]> = reading(
  {
    name: 'routes',
    volatile: true,
    script: () => sh`ip -4 route show 2>/dev/null || :`,
    parse: oneValue((output) => output.split('\n').flatMap((line) => /^[\d.]+(\/\d+)?/.exec(line)?.[0] ?? [])),
  } satisfies Kind<readonly string[]>,
  'ipv4',
)
