import { mkdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import * as v from 'valibot'
import type { Session } from '../../lib/cli/session.ts'
import { cronSchedule } from '../../lib/resources/cron.ts'
import { local, localFault, withInput } from '../../lib/shell/local.ts'
import { sh } from '../../lib/shell/sh.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { checkout, localPath } from '../../lib/std/local-path.ts'
import { writeOut } from '../../lib/std/output.ts'
import { settingsFor } from './host-settings.ts'

/** Adds backup.ts for this inventory to the operator's crontab; replaces an earlier entry. Throws a `UsageError` for a bad schedule. */
export async function installCron({ inventory, hosts, options }: Session, schedule: string): Promise<number> {
  if (!v.is(cronSchedule, schedule))
    throw new UsageError(
      `--install-cron: should be five fields as of crontab(5), as in '17 3 * * *', found "${schedule}"`,
    )
  const file = resolve(inventory.file)
  const log = join(localPath(settingsFor(hosts[0]).local), 'backup.log')
  makeFolder(dirname(log))
  const line = cronLine(schedule, { file, log, limit: options.limit, node: process.execPath })
  await write(withEntry(await read(), file, line))
  writeOut(`added to the crontab:\n${line}`)
  return 0
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw localFault(error)
  }
}

export async function removeCron({ inventory }: Session): Promise<number> {
  const file = resolve(inventory.file)
  const before = await read()
  const after = withoutEntry(before, file)
  if (after !== before) await write(after)
  writeOut(after === before ? `cron had no entry for ${file}` : 'removed from the crontab')
  return 0
}

/** The line of the crontab. It sets the directory and PATH itself. The output is mailed by cron, and kept in the log. */
export function cronLine(
  schedule: string,
  { file, log, limit, node }: { file: string; log: string; limit: readonly string[]; node: string },
): string {
  const path = [join(checkout, 'node_modules/.bin'), dirname(node), '/usr/local/bin:/usr/bin:/bin'].join(':')
  const flags = ['-i', file, '--quiet', ...(limit.length === 0 ? [] : ['--limit', limit.join(',')])]
  const { text } = sh`cd ${checkout} && PATH=${path} zx playbooks/backup.ts ${flags} 2>&1 | tee -a ${log}`
  return `${schedule} ${text.replaceAll('%', '\\%')}`
}

/** The crontab with this line for this inventory, between two markers. Nothing else in it changes. */
export function withEntry(crontab: string, file: string, line: string): string {
  const rest = withoutEntry(crontab, file)
  const before = rest === '' || rest.endsWith('\n') ? rest : `${rest}\n`
  const [begin, end] = markersOf(file)
  return `${before}${begin}\n${line}\n${end}\n`
}

export function withoutEntry(crontab: string, file: string): string {
  const [begin, end] = markersOf(file)
  const rows = crontab.split('\n')
  const [from, to] = [rows.indexOf(begin), rows.indexOf(end)]
  if (from < 0 && to < 0) return crontab
  if (from < 0 || to < from)
    throw new HostError(`the crontab has only one of the two markers of ${file}: repair it with crontab -e`)
  return rows.toSpliced(from, to - from + 1).join('\n')
}

function markersOf(file: string): readonly [string, string] {
  return [`# botgarden: backups of ${file}`, `# botgarden: end of backups of ${file}`]
}

async function read(): Promise<string> {
  const { exitCode, stdout, stderr } = await local({ nothrow: true })`LC_ALL=C crontab -l`
  if (exitCode === 0) return stdout
  if (exitCode === 127) throw new HostError('this machine: crontab is missing: apt-get install cron')
  if (/no crontab for/.test(stderr)) return ''
  throw new HostError(`crontab -l: exit code ${exitCode}: ${stderr.trim()}`)
}

async function write(text: string): Promise<void> {
  const { exitCode, stderr } = await (text === ''
    ? local({ nothrow: true })`crontab -r`
    : withInput(local({ nothrow: true })`crontab -`, text))
  if (exitCode !== 0) throw new HostError(`crontab: exit code ${exitCode}: ${stderr.trim()}`)
}
