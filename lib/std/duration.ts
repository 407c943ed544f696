/** A time for people: `95 min`, `26 h`, `3 days`. */
export function durationText(milliseconds: number): string {
  const minutes = Math.round(Math.max(0, milliseconds) / 60_000)
  if (minutes < 100) return `${minutes} min`
  return minutes < 72 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`
}
