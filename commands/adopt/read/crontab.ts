import { at, type Found, numbered } from './finding.ts'

/** Something that runs at times, as a file says it. */
export interface Timed {
  /** As it is written there: five fields, six, or `@daily`. */
  readonly schedule: string
  readonly command: string | readonly string[]
  readonly timezone: string | undefined
  /** Where the file names it. */
  readonly name?: string
  readonly from: string
}

/** More than any crontab has. */
const maxLines = 100

/** The lines of a crontab. `hasUser`: the word behind the times is a user, as in /etc/cron.d. */
export function crontab(text: string, file: string, hasUser: boolean): readonly Timed[] {
  const found: Timed[] = []
  let timezone: string | undefined
  for (const [line, number] of numbered(text)) {
    const [, name, value = ''] = /^\s*(\w+)\s*=\s*(.*)$/.exec(line) ?? []
    if (name === 'CRON_TZ' || name === 'TZ') timezone = value.replaceAll(/["']/g, '').trim()
    if (name !== undefined || /^\s*(#|$)/.test(line)) continue
    const each = lineOf(line.trim(), hasUser)
    if (each !== undefined && found.length < maxLines) found.push({ ...each, timezone, from: at(file, number) })
  }
  return found
}

function lineOf(line: string, hasUser: boolean): { schedule: string; command: string } | undefined {
  const every = /^@every\s+\S+/.exec(line)?.[0] ?? /^@\w+/.exec(line)?.[0]
  // Some programs take seconds before the minutes.
  const fields = every ?? /^[\d*]\S*(?:\s+\S+){4}(?:\s+[\d*][\d*,/?-]*(?=\s))?/.exec(line)?.[0]
  if (fields === undefined) return undefined
  const rest = line.slice(fields.length).trim()
  // No program is called "root".
  const command = hasUser || /^root\s/.test(rest) ? rest.replace(/^\S+\s*/, '') : rest
  return command === '' ? undefined : { schedule: fields, command }
}

/** Lines for cron that a Dockerfile or a script writes by itself: `echo "0 9 * * * node a.js" | crontab -`. */
export function writtenCrontab(text: string, file: string): readonly Timed[] {
  return numbered(text).flatMap(([line, number]) => {
    const [, double, single, where = ''] =
      /\becho\s+(?:-e\s+)?(?:"((?:[^"\\]|\\.)*)"|'([^']*)')\s*(\|\s*crontab\b|>>?\s*\/(?:etc\/cron|var\/spool\/cron)\S*)/.exec(
        line,
      ) ?? []
    const said = (double ?? single ?? '').replaceAll('\\n', '\n')
    return crontab(said, file, /\/etc\/cron\.d\//.test(where)).map((each) => ({ ...each, from: at(file, number) }))
  })
}

/** What a GitHub workflow runs at times, where that is a program of the repository. */
export function workflowTimes(text: string, file: string): readonly Found<string>[] {
  const runs =
    /^[ \t]*(?:- )?(?:run:[ \t]*)?(?:(?:poetry|uv) run )?(?:python3?|node|npm run|go run)[ \t]+(?!-m (pip|pytest|build))\S/m
  const isTest = /\b(pytest|npm (ci|test)|npm run (lint|test|build)|codeql|pip-audit)\b/
  if (!runs.test(text) || isTest.test(text)) return []
  return numbered(text).flatMap(([line, number]) => {
    const [, schedule] = /^\s*-\s*cron:\s*['"]?([^'"#]+)/.exec(line) ?? []
    return schedule === undefined ? [] : [{ value: schedule.trim(), from: at(file, number) }]
  })
}
