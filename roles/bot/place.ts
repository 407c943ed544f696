import { HostError } from '../../lib/errors.ts'
import { type Kind, type Reading, reading } from '../../lib/reading.ts'
import { becomes, type Resource, resource } from '../../lib/resource.ts'
import { sh } from '../../lib/sh.ts'

/** The number that a bot has on its host for good: its network is BASE.N.0/24, its user 20000 + N. */
export type Allocations = Readonly<Record<string, number>>

export type Colour = 'blue' | 'green'

const file = '/var/lib/botgarden/allocations'

/** Where the files of a bot lie, and what it is called there. */
export function placesOf(bot: string) {
  return {
    state: `/var/lib/botgarden/bots/${bot}`,
    current: `/var/lib/botgarden/bots/${bot}/current.json`,
    compose: `/opt/botgarden/bots/${bot}`,
    secrets: `/etc/botgarden/secrets/bots/${bot}`,
    network: `botgarden-${bot}`,
    container: (colour: Colour) => `botgarden-${bot}-${colour}`,
  }
}

export function userOf(number: number): string {
  return String(20_000 + number)
}

export function addressOf(base: string, number: number, colour: Colour): string {
  return `${base}.${number}.${colour === 'blue' ? 2 : 3}`
}

/** Gives a bot its number: the lowest that is free, and whose network leads nowhere yet. */
export function allocated(bot: string, base: string): Resource {
  return resource({
    id: `allocation:${bot}`,
    wants: base,
    reads: { taken: allocations, routes },
    plan: ({ taken, routes: there }) => {
      if (taken[bot] !== undefined) return []
      const used = new Set(Object.values(taken))
      const clash = (n: number) => there.some((route) => route.startsWith(`${base}.${n}.`))
      const number = Array.from({ length: 254 }, (_, i) => i + 1).find((n) => !used.has(n) && !clash(n))
      if (number === undefined || there.includes(`${base}.0.0/16`))
        throw new HostError(
          `no network of ${base}.0.0/16 is free on this host: set bot.network in the inventory to another`,
        )
      const script = sh`
        { cat ${file} 2>/dev/null || :; printf '%s\n' ${`${bot} ${number}`}; } >${`${file}.new`}
        chmod 0600 ${`${file}.new`}
        sync ${`${file}.new`}
        mv -fT ${`${file}.new`} ${file}`
      return [
        {
          summary: `network ${base}.${number}.0/24, user ${userOf(number)}`,
          script,
          predicts: [becomes(allocations, { ...taken, [bot]: number })],
        },
      ]
    },
  })
}

export const allocations: Reading<Allocations> = reading(
  {
    name: 'allocations',
    script: () => sh`cat ${file} 2>/dev/null || :`,
    parse: (output, names) => {
      const lines = output.split('\n').map((line) => line.split(' '))
      const numbers = Object.fromEntries(lines.flatMap(([bot, number]) => (number ? [[bot, Number(number)]] : [])))
      return new Map(names.map((name) => [name, numbers]))
    },
  } satisfies Kind<Allocations>,
  'bots',
)

/** Where the host's packets go, but for the bots' own bridges: `10.0.0.0/8`. */
const routes: Reading<readonly string[]> = reading(
  {
    name: 'routes',
    volatile: true,
    script: () => sh`ip -4 route show 2>/dev/null | grep -v ' dev br-bot-' || :`,
    parse: (output, names) => {
      const found = output.split('\n').flatMap((line) => /^[\d.]+(\/\d+)?/.exec(line)?.[0] ?? [])
      return new Map(names.map((name) => [name, found]))
    },
  } satisfies Kind<readonly string[]>,
  'ipv4',
)
