import { HostError } from '../../../lib/std/errors.ts'
import { Secret } from '../../../lib/std/secret.ts'
import { layoutOf } from '../../../roles/bot/spec/layout.ts'

/** A line that a process of a bot has printed. */
export interface LogLine {
  /** In UTC, with nanoseconds, as the engine writes it. */
  readonly time: string
  /** The name of the process; `bot` is the bot itself. */
  readonly process: string
  readonly text: string
}

/** Reads what `heading` has printed: the secrets of the bot, which are never shown from then on, and the processes with a log. */
export function processesIn(bot: string, heading: string): readonly string[] {
  const [, secrets, containers] = /^secrets(.*)\ncontainers(.*)$/m.exec(heading) ?? []
  if (secrets === undefined || containers === undefined) throw new HostError(heading.trim())
  for (const each of wordsOf(secrets)) hide(Buffer.from(each, 'base64').toString())
  return wordsOf(containers).map((each) => processOf(bot, each))
}

/** So many lines are known again when a container is followed from somewhat earlier on. */
const remembered = 20_000

/**
 * Reads a log, line by line. A line that comes again, since a container is followed from somewhat earlier on, is left out; and so
 * is what has no time before it: the end of a line that is older than what is kept, and the sign of life of a log that is followed.
 */
export function logReader(bot: string, sink: (line: LogLine) => void): (line: string) => void {
  /** Up to where the history of each container went before it was followed. */
  const newest = new Map<string, string>()
  const seen = new Set<string>()
  let following = ''
  return (line) => {
    const [, begin] = /^following (\S+)$/.exec(line) ?? []
    if (begin !== undefined) following = begin
    const [, time, container, text = ''] = logLine.exec(line) ?? []
    if (time === undefined || container === undefined) return
    if (following === '') newest.set(container, time)
    else {
      // A line on stderr may come behind one on stdout that is younger: the order of times alone does not tell.
      const key = `${container} ${time} ${text.length}`
      if (time < following || time <= (newest.get(container) ?? '') || seen.has(key)) return
      seen.add(key)
      const [oldest = ''] = seen
      if (seen.size > remembered) seen.delete(oldest)
    }
    sink({ time, process: processOf(bot, container.replace(/-(blue|green)$/, '')), text: readable(text) })
  }
}

const logLine = /^(\d{4}-\d\d-\d\dT[\d:.]+Z) (botgarden-[a-z0-9.-]+) (.*)$/s

/** What `--process` calls a container, its colour left out: `botgarden-shop.worker` is `worker`. */
function processOf(bot: string, container: string): string {
  return container.slice(layoutOf(bot).network.length + 1) || 'bot'
}

function wordsOf(text: string): string[] {
  return text.split(' ').filter(Boolean)
}

function hide(text: string): void {
  if (text.trim() !== '') new Secret(text.trim())
}

/** Without the colours of the program; tokens of Telegram are masked, also those that are no longer the bot's. */
function readable(text: string): string {
  return text
    .replace(colours, '')
    .replace(/\r+$/, '')
    .replace(/\b(\d{5,12}):[\w-]{30,}/g, '$1:***')
}

const colours = new RegExp(`${String.fromCharCode(27)}\\[[\\d;]*m`, 'g')
