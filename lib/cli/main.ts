import { constants } from 'node:os'
import { inspect } from 'node:util'
import { RunnerError } from '../std/errors.ts'
import { streams, writeErr } from '../std/output.ts'

const bug = 70

type Lines = () => string | Promise<string>

let settled = false
let stopping = false
const interruptions = new Set<Lines>()

/**
 * The top of every playbook: runs it and sets the exit code. What the operator must act on is printed as a message,
 * everything else is our bug and shows its stack.
 */
export async function main(run: () => Promise<number | undefined>): Promise<void> {
  listen()
  try {
    const code = await run()
    if (!stopping) process.exitCode = code ?? 0
  } catch (error) {
    // What Ctrl-C ends fails because of it; the last line is about the interruption.
    if (!stopping) process.exitCode = report(error)
  } finally {
    settled = true
  }
}

/**
 * Adds lines to what Ctrl-C prints, such as what each host is running; returns how to remove them again. It may
 * take its time: a second Ctrl-C ends the wait.
 */
export function onInterrupt(lines: Lines): () => void {
  interruptions.add(lines)
  return () => interruptions.delete(lines)
}

function listen(): void {
  process.on('exit', guardExit)
  process.on('SIGINT', interrupt)
  process.on('SIGTERM', interrupt)
  process.on('uncaughtException', crash)
  process.on('unhandledRejection', crash)
  for (const stream of Object.values(streams)) stream.on('error', outlive)
}

/** Under `npx zx` a top-level await that never settles ends with exit code 0, in silence. */
function guardExit(): void {
  if (settled || stopping) return
  process.exitCode = bug
  say('botgarden: the run ended without finishing; this is a bug of botgarden, and nothing is known about the hosts')
}

async function interrupt(signal: 'SIGINT' | 'SIGTERM'): Promise<void> {
  const code = 128 + constants.signals[signal]
  if (stopping) process.exit(code)
  stopping = true
  process.exitCode = code
  const answers = await Promise.allSettled([...interruptions].map(async (lines) => lines()))
  for (const answer of answers) say(answer.status === 'fulfilled' ? answer.value : inspect(answer.reason))
  say(`botgarden: stopped by ${signal === 'SIGINT' ? 'Ctrl-C' : signal}`)
  process.exit(code)
}

function crash(error: unknown): void {
  if (stopping) return
  settled = true
  sayBug(error)
  process.exit(bug)
}

function report(error: unknown): number {
  if (error instanceof RunnerError) {
    say(error.message)
    return error.exitCode
  }
  sayBug(error)
  return bug
}

function sayBug(error: unknown): void {
  say(`botgarden: this is a bug of botgarden:\n${inspect(error)}`)
}

function say(text: string): void {
  if (text !== '') writeErr(text)
}

/** The reader of our output (`| head`) may exit early; the run goes on. */
function outlive(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
}
