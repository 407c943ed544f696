import { setTimeout as pause } from 'node:timers/promises'
import type { Script } from '../shell/sh.ts'
import type { Connection } from '../ssh/connection.ts'
import { ask } from '../ssh/exec.ts'
import { CommandFailed, ConnectError, Reverted, RunnerError } from '../std/errors.ts'
import { confirmScript, guardSeconds, revertScript } from './revert-guard.ts'
import type { Step } from './step.ts'

type Verdict = 'confirmed' | 'reverted'

/** How long to wait for an answer over a connection that may be cut off, in seconds. */
const answerTimeout = 15

/**
 * For how long a login that was refused is tried again, in seconds: an sshd that has just reloaded, or that
 * drops some connections by MaxStartups, may refuse us by chance.
 */
const loginRetrySeconds = 3

/**
 * Applies a stage and, where it is a guarded one, confirms it over a new connection. Where none can be opened, the host
 * reverts the changes. The verdict of the host counts: throws `Reverted` where it says so.
 */
export async function applyWithGuard<T>(
  connection: Connection,
  steps: readonly Step[],
  apply: () => Promise<T>,
): Promise<T> {
  const guards = [...new Set(steps.flatMap((step) => step.guards.map(({ name }) => name)))].join(' and ')
  if (guards === '') return apply()
  try {
    const result = await apply()
    if ((await withRetries(() => overNewConnection(connection, confirmScript))) === 'confirmed') return result
    throw new Reverted(`${guards}: the host took the change back before it could be confirmed`)
  } catch (error) {
    if (error instanceof Reverted || !(error instanceof CommandFailed || error instanceof ConnectError)) throw error
    const verdict = (await overExistingConnection(connection)) ?? (await awaitHost(connection))
    if (verdict === 'confirmed') throw error
    if (error instanceof CommandFailed) throw error.with(`what was changed under the guard of ${guards} was reverted`)
    throw new Reverted(`${guards}: the change was reverted, since no new login was possible: ${error.message}`)
  }
}

async function withRetries(login: () => Promise<Verdict>): Promise<Verdict> {
  const end = Date.now() + loginRetrySeconds * 1000
  for (;;) {
    try {
      return await login()
    } catch (error) {
      if (!(error instanceof ConnectError) || Date.now() > end) throw error
      await pause(500)
    }
  }
}

async function overNewConnection(connection: Connection, script: Script): Promise<Verdict> {
  const fresh = await connection.fresh()
  return verdictOf(fresh, script).finally(() => fresh.close())
}

/** Has the change reverted at once over the existing connection, if that still answers. */
async function overExistingConnection(connection: Connection): Promise<Verdict | undefined> {
  const answer = verdictOf(connection, revertScript).catch(ignoreRunnerError)
  return Promise.race([answer, pause(answerTimeout * 1000, undefined, { ref: false })])
}

/** Waits until the host has reverted the change and lets us in again, and asks for its verdict. */
async function awaitHost(connection: Connection): Promise<Verdict> {
  const end = Date.now() + (guardSeconds() + 60) * 1000
  for (;;) {
    try {
      return await overNewConnection(connection, revertScript)
    } catch (error) {
      if (!(error instanceof RunnerError) || Date.now() > end) throw error
      await pause(1000)
    }
  }
}

async function verdictOf(connection: Connection, script: Script): Promise<Verdict> {
  const answer = await ask(connection, script)
  const verdict = answer.match(/^verdict (confirmed|reverted)$/m)?.[1]
  if (verdict === undefined) throw new ConnectError(`the host gave no verdict: ${answer}`)
  return verdict as Verdict
}

function ignoreRunnerError(error: unknown): undefined {
  if (!(error instanceof RunnerError)) throw error
}
