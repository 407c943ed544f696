/** The end of an error message about an unknown word: ` (did you mean "vps1"?)`, or nothing when no candidate is near. */
export function suggest(word: string, candidates: Iterable<string>): string {
  let best: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase())
    if (edits < least && edits <= allowed(word, candidate)) [best, least] = [candidate, edits]
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`
}

/** One slip in three letters is still a typo; more, or no letter left, is another word. A start may be far shorter. */
function allowed(word: string, candidate: string): number {
  if (word.length >= 3 && candidate.startsWith(word)) return candidate.length
  const slips = Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3))
  return Math.min(slips, word.length - 1, candidate.length - 1)
}

/** Letters to insert, delete, replace, or swap with their neighbour (Damerau-Levenshtein, optimal string alignment). */
function distance(a: string, b: string): number {
  let older: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(
        Math.min(
          at(previous, column) + 1,
          at(current, column - 1) + 1,
          at(previous, column - 1) + (same ? 0 : 1),
          swapped ? at(older, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
    older = previous
    previous = current
  }
  return at(previous, b.length)
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY
}
