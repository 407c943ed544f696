import { installHere, isInstalled } from '../../../sandbox/machine/apt.ts'
import type { Progress } from '../../../sandbox/machine/progress.ts'

/** Installs Debian's Chromium where there is none. */
export async function ensureChromium(progress: Progress): Promise<void> {
  if (await isInstalled('chromium')) return
  await installHere(['chromium'], 'no chromium, which the test of the shop opens pages in', progress)
}
