import type { Session } from '../../../lib/cli/session.ts'
import type { InventoryHost } from '../../../lib/inventory/inventory.ts'
import { runDir } from '../../../lib/model/host-layout.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { ask, stream } from '../../../lib/ssh/exec.ts'
import { HostError, UsageError } from '../../../lib/std/errors.ts'
import { streams, writeOut } from '../../../lib/std/output.ts'
import { suggest } from '../../../lib/std/suggest.ts'
import { keptLogs } from '../../../roles/bot/release/logs/kept-log.ts'
import { layoutOf } from '../../../roles/bot/spec/layout.ts'
import { byLine } from '../by-line.ts'
import { logReader, processesIn } from './log-lines.ts'

const [sources, heading, history, following] = ['sources', 'heading', 'history', 'follow'].map((name) =>
  shellFile(new URL(`${name}.sh`, import.meta.url)),
) as [Script, Script, Script, Script]

/** What of a log is shown. */
export interface LogQuery {
  readonly follow: boolean
  /** How long ago it begins, in seconds, or the time in UTC; left out: as far as it goes back. */
  readonly since?: number | string
  /** Only lines with this text. */
  readonly grep?: string
  /** Only this process; `bot` is the bot itself. */
  readonly process?: string
  /** How many lines at most, the newest; left out: 100, and with `since` all. */
  readonly lines?: number
}

/** The options of `--logs`. */
export const logFlags = ['follow', 'since', 'grep', 'lines'] as const

/** What the command line asks for. Throws a `UsageError`. */
export function logQueryOf(own: ReadonlyMap<string, readonly string[]>): LogQuery {
  const given = (name: string) => own.get(name)?.[0]
  const [since, grep, process, lines] = [given('since'), given('grep'), given('process'), given('lines')]
  if (lines !== undefined && !/^[1-9]\d{0,6}$/.test(lines))
    throw new UsageError(`--lines: should be a whole number of at least 1, found "${lines}"`)
  return {
    follow: own.has('follow'),
    ...(since !== undefined && { since: sinceOf(since) }),
    ...(grep !== undefined && { grep }),
    ...(process !== undefined && { process }),
    ...(lines !== undefined && { lines: Number(lines) }),
  }
}

/** Shows the log of a bot over its releases, the oldest line first; `follow`: until Ctrl-C. Returns the exit code. */
export async function showLogs(session: Session, host: InventoryHost, bot: string, query: LogQuery): Promise<number> {
  return session.connected(host, async (connection) => {
    const processes = processesIn(bot, await ask(connection, headingScript(bot)))
    refuseUnknown(bot, host.name, query.process, processes)
    const width = Math.max(...processes.map(({ length }) => length))
    const read = logReader(bot, ({ time, process, text }) =>
      writeOut(`${time.replace(/(\.\d{3})\d*Z$/, '$1Z')}  ${process.padEnd(width)}  ${text}`),
    )
    const lines = byLine(read)
    // Its reader may have gone (`| head`), and it has no other end.
    if (query.follow) streams.out.once('error', () => process.exit(0))
    const status = await stream(connection, logsScript(bot, query), lines.take)
    lines.end()
    if (status !== 0) throw new HostError(`${host.name}: the log of ${bot} could not be read: exit code ${status}`)
    return 0
  })
}

/** Shell text: prints what `processesIn` reads. */
export function headingScript(bot: string): Script {
  return sh`
    ${sourcesOf(bot)}
    secrets=${layoutOf(bot).secrets}
    ${heading}
    heading`
}

/** Shell text: prints the log of a bot, as `logReader` reads it. */
export function logsScript(bot: string, { follow, since, grep, lines, process }: LogQuery): Script {
  const tail = lines ?? (since === undefined ? 100 : 'all')
  const time = typeof since === 'number' ? sh`$(date -u -d ${`-${since} seconds`} +%FT%TZ)` : sh`${since ?? ''}`
  return sh`
    ${sourcesOf(bot, process)}
    since=${time} tail=${tail} pattern=${grep === undefined ? '' : `^[^ ]* [^ ]* .*${literally(grep)}`}
    ${follow ? sh`begin=$(date -u +%FT%T.%NZ)` : sh`:`}
    ${history}
    history
    ${
      follow
        ? sh`
    scratch=${runDir}/tmp
    ${following}
    follow`
        : sh`:`
    }`
}

function sourcesOf(bot: string, name?: string): Script {
  const { network } = layoutOf(bot)
  const own = name === 'bot' ? '(\\.bot)?' : name === undefined ? '(\\.[a-z0-9-]+)?' : `\\.${name}`
  return sh`
    network=${network} kept_logs=${keptLogs(bot)} containers=${`^${network}${own}-(blue|green)$`}
    ${sources}`
}

/** What grep takes for this text and nothing else. */
function literally(text: string): string {
  return text.replace(/[\\[\].*^$]/g, '\\$&')
}

function refuseUnknown(bot: string, host: string, process: string | undefined, known: readonly string[]): void {
  if (known.length === 0) throw new UsageError(`${bot} has no log on ${host}: it was never released there`)
  if (process !== undefined && !known.includes(process))
    throw new UsageError(
      `${bot} has no log of a process "${process}"${suggest(process, known)}: there is ${known.join(', ')}`,
    )
}

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const

function sinceOf(text: string): number | string {
  const [, count, unit] = /^([1-9]\d{0,6})([smhd])$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * units[unit as keyof typeof units]
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?$/.test(text)
  const time = Date.parse(`${text.replace(/Z$/, '')}${text.includes('T') ? '' : 'T00:00'}Z`)
  if (!isTime || Number.isNaN(time))
    throw new UsageError(`--since ${text}: should be like 90s, 15m, 1h or 2d, or a time in UTC like 2026-11-20T12:00`)
  return new Date(time).toISOString().replace(/\.\d+/, '')
}
