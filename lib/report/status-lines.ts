import { stripVTControlCharacters } from 'node:util'
import type { Paint } from '../std/colour.ts'
import { oneLine, shown } from '../std/output.ts'

/** One thing that a host is running. */
export interface Activity {
  readonly host: string
  readonly title: string
  /** Milliseconds, as of Date.now(). */
  readonly since: number
  /** The last line that it printed. */
  readonly said: string
}

/** The part of the screen that is redrawn: a line for each step that runs, and where there is room its last output. */
export function frame(
  activities: readonly Activity[],
  { width, height, now, paint }: { width: number; height: number; now: number; paint: Paint },
): string[] {
  // The host that has been running its step longest comes first: the run waits for it.
  const hosts = activities.toSorted((one, other) => one.since - other.since)
  const heads = hosts.map(({ host, title, since }) => {
    const seconds = `  ${Math.max(0, Math.floor((now - since) / 1000))} s`
    return cut(`${host}  ▸ ${oneLine(title)}`, width - seconds.length) + paint('dim', seconds)
  })
  if (heads.length > height)
    return [...heads.slice(0, Math.max(0, height - 1)), `… and ${heads.length - Math.max(0, height - 1)} more`]
  let room = height - heads.length
  return heads.flatMap((head, i) => {
    const { host = '', said = '' } = hosts[i] ?? {}
    if (said === '' || room === 0) return [head]
    room--
    return [head, paint('dim', cut(`${' '.repeat(host.length)}    ${said}`, width))]
  })
}

/** What a program printed as one line that moves no cursor: of a progress bar, its last state. */
export function stripControl(line: string): string {
  const last = stripVTControlCharacters(line).replace(/\r+$/, '').split('\r').at(-1) ?? ''
  return last
    .replaceAll('\t', '    ')
    .replace(/\p{Cc}/gu, '')
    .trimEnd()
}

/** As it will be shown: what is made visible takes more room. */
function cut(text: string, width: number): string {
  const signs = [...shown(text)]
  return signs.length <= width ? signs.join('') : `${signs.slice(0, Math.max(0, width - 1)).join('')}…`
}
