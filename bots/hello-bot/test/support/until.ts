import { setTimeout as pause } from 'node:timers/promises'

/** Waits until it is so. A test that waits for ever would tell nothing. */
export async function until(what: () => boolean | Promise<boolean>, seconds = 20): Promise<void> {
  const end = performance.now() + seconds * 1_000
  while (!(await what())) {
    if (performance.now() > end) throw new Error(`still not so after ${seconds} s: ${what}`)
    await pause(10)
  }
}
