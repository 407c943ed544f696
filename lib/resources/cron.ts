import * as v from 'valibot'
import type { Resource } from '../model/resource.ts'
import { absentFile, file } from './file.ts'

/** When a cron entry runs: five fields as of crontab(5), or one of its names. */
export const cronSchedule = v.pipe(
  v.string(),
  v.regex(
    /^(@(hourly|daily|weekly|monthly|yearly|reboot)|[\d*][\d*,/-]*( [\d*][\d*,/-]*){2}( [\da-z*][\da-z*,/-]*){2})$/i,
    'five fields as of crontab(5), or @daily and the like',
  ),
)

export interface CronOptions {
  readonly schedule: string
  /** One line for `sh`; an empty command is no entry. */
  readonly command: string
  readonly user?: string
}

/** An entry of cron in a file of its own: cron reads it within a minute by itself. */
export function cron(name: string, { schedule, command, user = 'root' }: CronOptions): Resource {
  if (/[\r\n]/.test(command)) throw new TypeError(`cron ${name}: a command of several lines: ${command}`)
  // cron would take a bare percent sign for a line break.
  const escaped = command.replaceAll('%', '\\%')
  return file(pathOf(name), {
    content: `# Written by botgarden; changes made here are overwritten.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
${schedule} ${user} ${escaped}
`,
  })
}

/** No entry of this name. */
export function noCron(name: string): Resource {
  return absentFile(pathOf(name))
}

/** run-parts' rule: cron passes over a file whose name holds a dot. */
function pathOf(name: string): string {
  if (!/^[\w-]+$/.test(name)) throw new TypeError(`cron ${name}: a name of letters, digits, - and _`)
  return `/etc/cron.d/botgarden-${name}`
}
