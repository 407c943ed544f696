import type { Kind } from '../model/reading.ts'

/** How many readings run at a time on a host: some wait, for Docker above all, while others compute. */
const width = 4

/** What a kind costs that does not say it, in milliseconds. */
const usualCost = 10

type KindNames = readonly [kind: Kind<unknown>, names: readonly string[]]

/**
 * Shares kinds out among lanes that take about the same time: the most expensive kind first, each into the lane with the least
 * work. The same kinds always get the same lanes.
 */
export function lanesOf(kinds: Iterable<KindNames>): KindNames[][] {
  const costOf = ([kind]: KindNames) => kind.cost ?? usualCost
  const lanes: { work: number; kinds: KindNames[] }[] = Array.from({ length: width }, () => ({ work: 0, kinds: [] }))
  for (const each of [...kinds].sort((one, other) => costOf(other) - costOf(one))) {
    const lane = lanes.reduce((least, other) => (other.work < least.work ? other : least))
    lane.kinds.push(each)
    lane.work += costOf(each)
  }
  return lanes.map(({ kinds: those }) => those).filter(({ length }) => length > 0)
}

/** Of the connection's shell the first ones are in use: 3 and 4 by steps, 8 and 9 by locks. */
const freeDescriptors = [5, 6, 7]

/**
 * Shell text that runs these scripts at the same time and prints what each printed, one after the other, in their order. Each
 * writes into a pipe, and waits when it is full: no file is written. At most four.
 */
export function sideBySide(scripts: readonly string[]): string {
  const [last = ':', ...before] = scripts.toReversed()
  const pipes = freeDescriptors.slice(0, before.length)
  const printAll = `{ ${pipes.map((fd) => `cat <&${fd}; `).join('')}cat; }`
  const innermost = before.length === 0 ? last : `${apart(last)} | ${printAll}`
  // Each pipe is kept open under a number while the next script is started, within it.
  return before.reduce((inner, script, i) => {
    const fd = pipes[before.length - 1 - i]
    return `${apart(script)} | {\nexec ${fd}<&0\n${inner}\n}`
  }, innermost)
}

function apart(script: string): string {
  return `{\n${script}\n} </dev/null 2>&1`
}
