import { createInterface } from 'node:readline/promises'
import { UsageError } from './errors.ts'
import { shown, streams } from './output.ts'

/**
 * Asks the person at the terminal before something is destroyed; anything but a clear yes is an error. `otherwise` says what to
 * do where there is no terminal to ask on.
 */
export async function confirm(what: string, otherwise = '--yes says yes'): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError(`${what}: there is no terminal to ask on; ${otherwise}`)
  if (!(await says(what))) throw new UsageError('not done')
}

/** Whether a person is at the terminal, and says yes. */
export async function says(what: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const terminal = createInterface({ input: process.stdin, output: streams.err })
  try {
    return (await terminal.question(shown(`${what}? Type yes: `))).trim() === 'yes'
  } finally {
    terminal.close()
  }
}
