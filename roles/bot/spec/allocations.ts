import { stateDir } from '../../../lib/model/host-layout.ts'
import { oneValue } from '../../../lib/model/kinds.ts'
import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { sh } from '../../../lib/shell/sh.ts'

/** By bot: its number on the host, 1 to 254, for good. Its network is BASE.N.0/24, its uid 20000 + N. */
export type Allocations = Readonly<Record<string, number>>

export const allocationsFile = `${stateDir}/allocations`

export const allocations: Reading<Allocations> = reading(
  {
    name: 'allocations',
    script: () => sh`cat ${allocationsFile} 2>/dev/null || :`,
    parse: oneValue(parseAllocations),
  } satisfies Kind<Allocations>,
  'bots',
)

/** The file may be incomplete or edited: lines that are not valid are ignored, and so are numbers that occur twice. */
function parseAllocations(text: string): Allocations {
  const lines = text.split('\n').flatMap((line) => {
    const [, bot, digits] = /^(\S+) ([1-9]\d{0,2})$/.exec(line) ?? []
    const number = Number(digits)
    return bot !== undefined && number <= 254 ? [[bot, number] as const] : []
  })
  const isClear = ([bot, number]: readonly [string, number]) =>
    lines.every(([other, each]) => (other === bot) === (each === number))
  return Object.fromEntries(lines.filter(isClear))
}
