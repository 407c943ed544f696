import type { Field } from './field.ts'
import type { Program } from './programs.ts'

/** What one program took in one situation. */
export interface Case {
  readonly program: string
  readonly isRival: boolean
  /** Milliseconds there and back. */
  readonly away: number
  readonly cold: boolean
  readonly hosts: number
  readonly bots: number
  /** Of each round. */
  readonly seconds: readonly number[]
  /** The most memory of any round, in MB. */
  readonly megabytes?: number
}

export interface Rounds {
  readonly own: number
  readonly rivals: number
}

/** Every round has each program once, so that all meet the same machine; before the first, each of ours ran once for nothing. */
export async function inTurns(
  programs: readonly Program[],
  field: Field,
  { away, cold, rounds }: { away: number; cold: boolean; rounds: Rounds },
  progress: (line: string) => void,
): Promise<Case[]> {
  const measured = new Map(programs.map((program) => [program, { seconds: [] as number[], megabytes: 0 }]))
  const where = `${field.names.length} hosts, ${field.bots.length} bots, ${away} ms, ${cold ? 'cold' : 'warm'}`
  for (let round = 0; round <= Math.max(rounds.own, rounds.rivals); round++) {
    for (const program of programs) {
      const { isRival = false, name } = program
      // A login is nothing beside what a rival takes.
      if (round > (isRival ? rounds.rivals : rounds.own) || (isRival && round === 0)) continue
      if (cold) await field.cool()
      const { seconds, megabytes = 0 } = await program.run(field, cold)
      progress(`${where}: ${name}: ${seconds.toFixed(2)} s${round === 0 ? ', for nothing' : ''}`)
      const own = measured.get(program)
      if (round === 0 || own === undefined) continue
      own.seconds.push(seconds)
      own.megabytes = Math.max(own.megabytes, megabytes)
    }
  }
  return [...measured].map(([{ name, isRival = false }, { seconds, megabytes }]) => ({
    ...{ program: name, isRival, away, cold, hosts: field.names.length, bots: field.bots.length, seconds },
    ...(megabytes > 0 && { megabytes }),
  }))
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = Math.floor(sorted.length / 2)
  const [low = Number.NaN, high = Number.NaN] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return (low + high) / 2
}
