// What is measured: one host near and far, more and more bots, more and more hosts, and status.ts. Nothing is to be changed anywhere.
import { type Field, fieldOf } from './field.ts'
import type { Size } from './machines.ts'
import { bot, floor, type Program, site, status, typed } from './programs.ts'
import { type Case, inTurns, type Rounds } from './rounds.ts'

export interface Setting {
  readonly folder: string
  readonly rounds: Rounds
  readonly rivals: readonly Program[]
  readonly progress: (line: string) => void
}

export interface Part {
  /** The numbers that it goes through, unless others are asked for. */
  readonly steps: readonly number[]
  /** The machines of a step; without bots they are the same for all. */
  readonly machines: (step: number) => Size
  readonly run: (setting: Setting, step: number) => Promise<Case[]>
}

export const parts: Readonly<Record<string, Part>> = {
  /** One host with one bot, so many milliseconds away. */
  site: {
    steps: [0, 40, 100],
    machines: () => ({ hosts: 1, bots: 1 }),
    run: (setting, away) =>
      within(setting, { hosts: 1, bots: 1, away }, async (field) => {
        const run = (cold: boolean, rivals: readonly Program[]) =>
          inTurns([floor, site, typed, ...rivals], field, { ...setting, away, cold }, setting.progress)
        // Farther away a run of theirs takes many minutes.
        return [...(await run(true, [])), ...(await run(false, away > 40 ? [] : setting.rivals))]
      }),
  },
  /** One host with so many bots. */
  bots: {
    steps: [1, 10, 50],
    machines: (bots) => ({ hosts: 1, bots }),
    run: (setting, bots) =>
      within(setting, { hosts: 1, bots, away: 0 }, (field) =>
        inTurns([floor, site, bot], field, { ...setting, away: 0, cold: false }, setting.progress),
      ),
  },
  /** So many hosts without bots: names of a few machines. */
  hosts: {
    steps: [1, 5, 20, 100],
    machines: () => ({ hosts: 1, bots: 0 }),
    run: (setting, hosts) =>
      within(setting, { hosts, bots: 0, away: 0 }, (field) => {
        const rivals = hosts > 20 ? [] : setting.rivals
        return inTurns([floor, site, ...rivals], field, { ...setting, away: 0, cold: false }, setting.progress)
      }),
  },
  /** Three hosts with so many bots in all. */
  status: {
    steps: [30],
    machines: (bots) => ({ hosts: 3, bots }),
    run: (setting, bots) =>
      within(setting, { hosts: 3, bots, away: 0 }, (field) =>
        inTurns([site, status], field, { ...setting, away: 0, cold: false }, setting.progress),
      ),
  },
}

async function within(
  { folder }: Setting,
  wanted: Parameters<typeof fieldOf>[1],
  run: (field: Field) => Promise<Case[]>,
): Promise<Case[]> {
  const field = await fieldOf(folder, wanted)
  return run(field).finally(() => field.close())
}
