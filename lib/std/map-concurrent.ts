/** Runs a task for each item, at most so many at a time, beginning in order; the results are in that order too. */
export async function mapConcurrent<T, R>(
  count: number,
  items: readonly T[],
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const waiting = items.entries()
  const worker = async () => {
    for (const [i, item] of waiting) results[i] = await run(item)
  }
  await Promise.all(Array.from({ length: Math.min(count, items.length) }, worker))
  return results
}
