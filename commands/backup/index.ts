import type { Flags } from '../../lib/cli/flags.ts'
import type { Session } from '../../lib/cli/session.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { installCron, removeCron } from './crontab.ts'
import { checkFreshness } from './freshness.ts'
import { backUp } from './take.ts'

export const backupFlags: Flags = {
  name: { value: 'BOT', help: 'only the database of this bot, or the database of this name' },
  quiet: { help: 'print only problems: for cron' },
  status: { help: 'show the age of the last good backups, and take none; exit code 3 past 26 hours' },
  'install-cron': {
    value: 'SCHEDULE',
    help: `have cron on this machine run this for this inventory, as in '17 3 * * *'`,
  },
  'remove-cron': { help: 'remove it from cron' },
}

/** The command backup.ts: one of its actions. Returns the exit code; throws a `UsageError`. */
export function backup(session: Session): Promise<number> {
  const { own, check } = session.options
  const wants = ['name', 'status', 'install-cron', 'remove-cron'].filter((flag) => own.has(flag))
  if (wants.length > 1) throw new UsageError(`--${wants.join(' and --')} cannot be combined`)
  if (check) throw new UsageError('backup.ts has no --check: use --status, which takes no backup')
  if (own.has('status')) return checkFreshness(session)
  if (own.has('remove-cron')) return removeCron(session)
  const [schedule] = own.get('install-cron') ?? []
  return schedule === undefined ? backUp(session) : installCron(session, schedule)
}
