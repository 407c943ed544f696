import type { InventoryHost } from '../inventory/inventory.ts'
import type { Script } from '../shell/sh.ts'
import { type ConsoleOutput, runConsole } from '../ssh/interactive.ts'
import { streams } from '../std/output.ts'
import { type Session, targetOf } from './session.ts'

/** Whether a console is in a terminal: where both its input and its output are one here. */
export function hasTerminal(): boolean {
  return process.stdin.isTTY === true && streams.out.isTTY === true
}

/**
 * Runs a script as root on a host, with standard input from here. In a terminal its output is what it is, as with ssh. Where only
 * the output is a terminal it goes to `shown`; a file or a pipe gets the bytes.
 */
export function runInteractively(
  session: Session,
  host: InventoryHost,
  script: Script,
  shown: Required<ConsoleOutput>,
): Promise<number> {
  const terminal = hasTerminal()
  return runConsole(targetOf(session, host), script, {
    terminal,
    ...(!terminal && streams.out.isTTY && { out: shown.out }),
    ...(!terminal && streams.err.isTTY && { err: shown.err }),
  })
}
