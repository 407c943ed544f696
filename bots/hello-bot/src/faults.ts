import { BotError, GrammyError, HttpError } from 'grammy'

/** Whether the fault lies outside and may pass: then the same update must come again later. */
export function isPassing(error: unknown): boolean {
  // An error boundary that gave it on.
  if (error instanceof BotError) return isPassing(error.error)
  if (error instanceof HttpError) return true
  // 401, 404: the token was revoked. The rest of 4xx means this very call: blocked by the user, message not found.
  if (error instanceof GrammyError) return [401, 404, 409, 429].includes(error.error_code) || error.error_code >= 500
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && passing.test(code)
}

/** Whether Telegram knows no bot with this token. */
export function isWrongToken(error: unknown): boolean {
  return error instanceof GrammyError && [401, 404].includes(error.error_code)
}

/**
 * SQLSTATEs. 08: connection; 53: out of connections, memory, disk; 57: shut down, or took too long; 58: system error;
 * 40001, 40P01, 55P03: somebody else was in the way; 25P03, 25P04: the transaction took too long.
 */
const passing = /^(08|53|57|58)...$|^(40001|40P01|55P03|25P03|25P04)$/
