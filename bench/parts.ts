// What is measured: one host near and far, more and more bots, more and more hosts. Nothing is to be changed anywhere.
import { fieldOf } from './field.ts'
import { release } from './machines.ts'
import { bot, floor, type Program, site, typed } from './programs.ts'
import { type Case, inTurns, type Rounds } from './rounds.ts'

export interface Setting {
  readonly folder: string
  readonly rounds: Rounds
  readonly rivals: readonly Program[]
  readonly progress: (line: string) => void
}

export interface Part {
  readonly hasBots: boolean
  /** The numbers that it goes through, unless others are asked for. */
  readonly steps: readonly number[]
  run(setting: Setting, steps: readonly number[]): Promise<Case[]>
}

export const parts = {
  /** One host with one bot, so many milliseconds away. */
  site: {
    hasBots: true,
    steps: [0, 40, 100],
    run: (setting, steps) =>
      flat(steps, async (away) => {
        const field = await fieldOf(setting.folder, { hosts: 1, bots: 1, away })
        try {
          const run = (cold: boolean, rivals: readonly Program[]) =>
            inTurns([floor, site, typed, ...rivals], field, { ...setting, away, cold }, setting.progress)
          return [...(await run(true, [])), ...(await run(false, setting.rivals))]
        } finally {
          await field.close()
        }
      }),
  },
  /** One host with so many bots. */
  bots: {
    hasBots: true,
    steps: [1, 10, 50],
    run: (setting, steps) =>
      flat(steps, async (bots) => {
        if (bots > 1) await release(bots, setting.folder, setting.progress)
        const field = await fieldOf(setting.folder, { hosts: 1, bots, away: 0 })
        try {
          return await inTurns([floor, site, bot], field, { ...setting, away: 0, cold: false }, setting.progress)
        } finally {
          await field.close()
        }
      }),
  },
  /** So many hosts without bots: names of a few machines. */
  hosts: {
    hasBots: false,
    steps: [1, 5, 20, 100],
    run: (setting, steps) =>
      flat(steps, async (hosts) => {
        const field = await fieldOf(setting.folder, { hosts, bots: 0, away: 0 })
        const rivals = hosts > 20 ? [] : setting.rivals
        try {
          return await inTurns([floor, site, ...rivals], field, { ...setting, away: 0, cold: false }, setting.progress)
        } finally {
          await field.close()
        }
      }),
  },
} satisfies Record<string, Part>

async function flat<T>(steps: readonly T[], run: (step: T) => Promise<Case[]>): Promise<Case[]> {
  const cases: Case[] = []
  for (const step of steps) cases.push(...(await run(step)))
  return cases
}
