import type { Step } from './step.ts'

/**
 * Steps that follow each other, by their indices: in one lane in order, in several lanes side by side. The first lane runs alone
 * until its step passes or all of them have ended, since what is wrong with it is probably wrong with all.
 */
export interface Block {
  readonly lanes: readonly (readonly number[])[]
  /** How many lanes run at a time. */
  readonly atOnce: number
}

/** The steps as blocks, in order. Neighbours that have a lane are one block. */
export function blocksOf(steps: readonly Step[]): Block[] {
  const blocks: { lanes: Map<string, number[]>; atOnce: number; inLanes: boolean }[] = []
  for (const [i, { lane, atOnce = Number.POSITIVE_INFINITY }] of steps.entries()) {
    const inLanes = lane !== undefined
    let block = blocks.at(-1)
    if (block === undefined || block.inLanes !== inLanes) {
      block = { lanes: new Map(), atOnce, inLanes }
      blocks.push(block)
    }
    block.lanes.set(lane ?? '', [...(block.lanes.get(lane ?? '') ?? []), i])
    block.atOnce = Math.min(block.atOnce, atOnce)
  }
  return blocks.map(({ lanes, atOnce }) => ({
    lanes: [...lanes.values()],
    atOnce: Math.max(1, Math.min(atOnce, lanes.size)),
  }))
}

/** By index of a step: those that must have ended well before it begins. When the first lane passes only the host knows. */
export function predecessorsOf(blocks: readonly Block[]): ReadonlyMap<number, readonly number[]> {
  const before = new Map<number, readonly number[]>()
  let last: readonly number[] = []
  for (const { lanes } of blocks) {
    for (const lane of lanes)
      for (const [i, index] of lane.entries()) before.set(index, i > 0 ? lane.slice(i - 1, i) : last)
    last = lanes.flatMap((lane) => lane.slice(-1))
  }
  return before
}
