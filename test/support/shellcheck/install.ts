import { RunnerError } from '../../../lib/std/errors.ts'
import { installHere, isInstalled } from '../../../sandbox/machine/apt.ts'
import type { Progress } from '../../../sandbox/machine/progress.ts'

/** Installs Debian's shellcheck where there is none. Where that cannot be done it says why, and the test that needs it fails. */
export async function ensureShellcheck(progress: Progress): Promise<void> {
  if (await isInstalled('shellcheck')) return
  try {
    await installHere(['shellcheck'], 'no shellcheck, which the unit tests need', progress)
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    progress(error.message)
  }
}
