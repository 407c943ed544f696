import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'

/**
 * Asks Telegram whose token it is: `@my_bot`; undefined where Telegram does not answer this machine. Throws a `HostError` where it
 * refuses the token.
 */
export async function botOfToken(token: Secret, api: string): Promise<string | undefined> {
  let answer: { ok?: unknown; error_code?: unknown; result?: { username?: unknown } }
  try {
    // The URL has the token in it, and an error of fetch names no more than the host.
    const response = await fetch(`${api}/bot${token.reveal()}/getMe`, { signal: AbortSignal.timeout(15_000) })
    answer = ((await response.json()) ?? {}) as typeof answer
  } catch {
    return undefined
  }
  if (answer.error_code === 401 || answer.error_code === 404)
    throw new HostError('Telegram refuses this token: see that it is complete, and that BotFather has not replaced it')
  if (answer.ok !== true) return undefined
  return `@${String(answer.result?.username ?? '').slice(0, 64)}`
}
