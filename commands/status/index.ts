import { renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Flags } from '../../lib/cli/flags.ts'
import { onInterrupt } from '../../lib/cli/main.ts'
import type { Session } from '../../lib/cli/session.ts'
import { localFault } from '../../lib/shell/local.ts'
import { paintFor } from '../../lib/std/colour.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { openScreen, streams, writeOut } from '../../lib/std/output.ts'
import { showEvents } from './events.ts'
import { type HostStatus, hostStatus } from './host-status.ts'
import { statusHtml } from './html.ts'
import { screenText } from './screen.ts'
import { statusText } from './text.ts'

export const statusFlags: Flags = {
  watch: { help: 'draw it again every 10 seconds, until Ctrl-C' },
  html: { value: 'FILE', help: 'write the same as one page for a browser' },
  events: { help: 'show who has changed what on which host when' },
}

/** How long a screen of `--watch` stays, in milliseconds. */
const interval = 10_000

/** The command status.ts. Returns the exit code: 3 where something needs a person, 4 where only a host was not reached. */
export async function status(session: Session): Promise<number> {
  const { own, json } = session.options
  for (const [one, other] of [
    ['events', 'watch'],
    ['events', 'html'],
  ] as const)
    if (own.has(one) && own.has(other)) throw new UsageError(`--${one} and --${other} cannot be combined`)
  if (own.has('watch') && json) throw new UsageError('--watch and --json cannot be combined')
  if (own.has('watch') && streams.out.isTTY !== true) throw new UsageError('--watch needs a terminal')
  const [file] = own.get('html') ?? []
  if (file !== undefined) refusePage(file)
  if (own.has('events')) return showEvents(session)
  if (own.has('watch')) return watch(session, file)
  const { all, at } = await look(session, file)
  if (json) writeOut(JSON.stringify(statusJson(all, at)))
  else writeOut(statusText(all, paintFor(streams.out, process.env), streams.out.columns))
  return [3, 4].find((code) => all.some(({ exitCode }) => exitCode === code)) ?? 0
}

async function watch(session: Session, file: string | undefined): Promise<never> {
  const screen = openScreen()
  screen.draw('reading …')
  onInterrupt(() => {
    screen.close()
    return ''
  })
  try {
    for (;;) {
      const { all, at } = await look(session, file)
      const { columns = 80, rows = 24 } = streams.out
      screen.draw(screenText(all, at, paintFor(streams.out, process.env), { columns, rows }))
      await pause(interval)
    }
  } finally {
    screen.close()
  }
}

/** Reads all hosts, and writes the page if one is wanted. */
async function look(
  session: Session,
  file: string | undefined,
): Promise<{ readonly all: readonly HostStatus[]; readonly at: Date }> {
  const all = await mapConcurrent(session.options.forks, session.hosts, (host) => hostStatus(session, host))
  const at = new Date()
  if (file !== undefined) writePage(file, statusHtml(all, at))
  return { all, at }
}

/** Throws a `UsageError` for a page that could not be written, before any host is asked. */
function refusePage(file: string): void {
  const isFolder = (path: string) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
  if (isFolder(file)) throw new UsageError(`--html: ${file} is a folder: name a file in it`)
  if (!isFolder(dirname(file))) throw new UsageError(`--html: ${dirname(file)} is no folder`)
}

function statusJson(all: readonly HostStatus[], at: Date): Record<string, unknown> {
  const hosts = all.map(({ host, exitCode, ...rest }) => [
    host,
    { status: exitCode === 0 ? 'ok' : exitCode === 4 ? 'unreachable' : 'needs a person', ...rest },
  ])
  return { playbook: 'status', at: at.toISOString(), hosts: Object.fromEntries(hosts) }
}

/** A reader never sees half a page. */
function writePage(file: string, page: string): void {
  try {
    writeFileSync(`${file}.new`, page, { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch (error) {
    throw localFault(error)
  }
}
