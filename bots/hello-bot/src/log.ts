import { GrammyError, HttpError } from 'grammy'
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino'

export type Log = Logger

/** JSON lines on stdout. Secrets are struck out of the finished line, so no way into it can be forgotten. */
export function createLog(options: {
  level: string
  secrets: readonly string[]
  /** Another place than stdout. */
  to?: DestinationStream
}): Log {
  const forms = options.secrets.flatMap((secret) => [secret, JSON.stringify(secret).slice(1, -1)])
  const strike = (line: string) => forms.reduce((rest, form) => rest.replaceAll(form, '***'), line)
  const settings = {
    level: options.level,
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: errorFields },
    hooks: { streamWrite: strike },
  }
  return options.to === undefined ? pino(settings) : pino(settings, options.to)
}

/**
 * What a log may tell of an error. Never all of its properties: grammY's hold the payload of the call, which is what
 * users write, and the database's hold values of rows.
 */
export function errorFields(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { type: typeof error, message: String(error) }
  const { code } = (error instanceof HttpError ? error.error : error) as { code?: unknown }
  return {
    type: error.name,
    message: error.message,
    code: error instanceof GrammyError ? error.error_code : code,
    stack: error.stack,
    cause: error.cause === undefined ? undefined : errorFields(error.cause),
  }
}
