/** What the server can be told from outside. */
export interface Options {
  /** Where the state is kept; undefined: nowhere. */
  readonly stateFile: string | undefined
  /** PEM of the authorities that stand in for the public ones: a file that may appear later, and addresses to ask. */
  readonly caFile: string | undefined
  readonly caUrls: readonly string[]
  /** Reserved networks that a webhook may be in all the same, as CIDR. */
  readonly allow: readonly string[]
  /** Makes every wait and every age of Telegram's own shorter: 0.1 is ten times as fast. */
  readonly timeScale: number
  /** Seconds that a webhook has for its answer. */
  readonly responseTimeout: number
  /** Seconds between two messages to one chat, less is 429; 0: not watched. */
  readonly chatInterval: number
}

export function optionsOf(env: NodeJS.ProcessEnv): Options {
  return {
    stateFile: env.TELEGRAM_STATE || undefined,
    caFile: env.TELEGRAM_CA_FILE || undefined,
    caUrls: list(env.TELEGRAM_CA_URLS),
    allow: list(env.TELEGRAM_ALLOW ?? '10.0.0.0/8'),
    timeScale: number(env, 'TELEGRAM_TIME_SCALE', 1),
    responseTimeout: number(env, 'TELEGRAM_RESPONSE_TIMEOUT', 60),
    chatInterval: number(env, 'TELEGRAM_CHAT_INTERVAL', 0),
  }
}

export function number(env: NodeJS.ProcessEnv, name: string, standard: number): number {
  const text = env[name] || String(standard)
  if (!/^\d+(\.\d+)?$/.test(text)) throw new TypeError(`${name}: should be a number, found "${text}"`)
  return Number(text)
}

function list(text = ''): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== '')
}
