import { renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Flags } from '../../lib/cli/flags.ts'
import type { Session } from '../../lib/cli/session.ts'
import { localFault } from '../../lib/shell/local.ts'
import { paintFor } from '../../lib/std/colour.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { redraw, streams, writeOut } from '../../lib/std/output.ts'
import { type HostStatus, hostStatus } from './host-status.ts'
import { statusHtml } from './html.ts'
import { statusText } from './text.ts'

export const statusFlags: Flags = {
  watch: { help: 'draw it again every 10 seconds, until Ctrl-C' },
  html: { value: 'FILE', help: 'write the same as one page for a browser' },
}

/** How long a screen of `--watch` stays, in milliseconds. */
const interval = 10_000

/** The command status.ts. Returns the exit code: 3 where something needs a person, 4 where only a host was not reached. */
export async function status(session: Session): Promise<number> {
  const { own, json } = session.options
  refuseUnused(session)
  const watches = own.has('watch')
  if (watches && json) throw new UsageError('--watch and --json cannot be combined')
  if (watches && streams.out.isTTY !== true) throw new UsageError('--watch needs a terminal')
  const [file] = own.get('html') ?? []
  if (file !== undefined) refusePage(file)
  for (;;) {
    const all = await mapConcurrent(session.options.forks, session.hosts, (host) => hostStatus(session, host))
    const at = new Date()
    if (file !== undefined) writePage(file, statusHtml(all, at))
    if (json) writeOut(JSON.stringify(statusJson(all, at)))
    else if (watches)
      redraw(`${at.toISOString().slice(11, 19)} UTC\n${statusText(all, paintFor(streams.out, process.env))}`)
    else writeOut(statusText(all, paintFor(streams.out, process.env)))
    if (!watches) return [70, 3, 4].find((code) => all.some(({ exitCode }) => exitCode === code)) ?? 0
    await pause(interval)
  }
}

/** Throws a `UsageError` for options that mean nothing here: nothing is changed, and everything is read. */
function refuseUnused({ options }: Session): void {
  const { check, diff, wait, showSecrets } = options
  const given = { check, diff, wait, 'show-secrets': showSecrets }
  const [unused] = Object.entries(given).find(([, isGiven]) => isGiven) ?? []
  if (unused !== undefined)
    throw new UsageError(`status.ts has no --${unused}: it changes nothing, and shows no secret`)
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
