export type Progress = (line: string) => void

/** Says what starts, and how long it took if that was worth a line. */
export async function step<T>(progress: Progress, what: string, run: () => Promise<T>): Promise<T> {
  progress(what)
  const started = performance.now()
  const result = await run()
  const seconds = (performance.now() - started) / 1000
  if (seconds > 2) progress(`${what}: done in ${seconds.toFixed(1)} s`)
  return result
}
