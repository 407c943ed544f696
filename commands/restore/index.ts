import type { Flags } from '../../lib/cli/flags.ts'
import { knownBots } from '../../lib/cli/named-bots.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { isArchived } from '../../lib/platform/archive/wal-archive.ts'
import { databaseName, isPlainName, isReserved } from '../../lib/platform/database-name.ts'
import { confirm } from '../../lib/std/confirm-prompt.ts'
import { UsageError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { suggest } from '../../lib/std/suggest.ts'
import { databasesOf, lastingParts, partName, subjectOf } from '../../roles/backups/manifest.ts'
import { restoreParts } from './database.ts'
import { botOf, isOfBot } from './database-owner.ts'
import { identitiesIn } from './decrypt.ts'
import { drillArchive, restoreMoment } from './second/index.ts'
import { isMoment } from './second/moment.ts'
import { type BackupSelector, type SelectedBackup, selectBackup } from './select-backup.ts'
import { type HostRoles, rebuild } from './whole-host.ts'

export const restoreFlags: Flags = {
  name: { value: 'BOT', help: 'the database and the data of this bot, or the database of this name' },
  as: { value: 'NEW', help: 'into a new database of this name, beside the existing one' },
  at: {
    value: 'TIME',
    help: "from the last backup before this time: 2026-11-20, or 2026-11-20T12:00:00Z (default: the newest); where WAL is archived, as of this very second: '2026-11-20 12:00:00', in the time zone of the host",
  },
  from: {
    value: 'WHERE',
    help: 'copy: the one on this machine (default), host: what the host has, restic: the repository',
  },
  identity: {
    value: 'FILE',
    help: 'the secret key that decrypts it, as age-keygen wrote it; it never leaves this machine',
  },
  drill: {
    help: 'restore every database into a temporary server, unpack the data beside it, compare, and keep nothing',
  },
  host: {
    value: 'HOST',
    help: 'rebuild a bare host: core roles, secrets, certificates, databases, data, and its bots last',
  },
  unsigned: { help: 'accept a copy from before its host signed backups, although its origin cannot be proved' },
  yes: { help: 'do not ask before something is replaced' },
}

/** The command restore.ts: restore a database or a host, or drill. Returns the exit code; throws a `UsageError`. */
export async function restore(session: Session, others: HostRoles): Promise<number> {
  const { own, check } = session.options
  const value = (flag: string) => own.get(flag)?.[0]
  const wants = ['name', 'drill', 'host'].filter((flag) => own.has(flag))
  if (wants.length !== 1)
    throw new UsageError(
      wants.length === 0
        ? 'what to restore: --name BOT, --drill, or --host HOST'
        : `--${wants.join(' and --')} cannot be combined`,
    )
  if (check)
    throw new UsageError('restore.ts has no --check: use --drill, which tests a backup and changes no database')
  const file = value('identity')
  if (file === undefined)
    throw new UsageError('--identity FILE is missing: the secret key that decrypts the backup, as age-keygen wrote it')
  const identities = await identitiesIn(file)
  const selector = { ...selectorFrom(value('from'), value('at')), unsigned: own.has('unsigned') }
  const as = value('as')
  if (as !== undefined && !own.has('name')) throw new UsageError('--as needs --name')
  if (own.has('host')) return rebuildHost(session, value('host') ?? '', selector, identities, others)
  if (own.has('drill')) return drill(session, selector, identities)
  return one(session, value('name') ?? '', { as, at: value('at') }, selector, identities)
}

function selectorFrom(from = 'copy', at: string | undefined): Pick<BackupSelector, 'from' | 'until'> {
  if (from !== 'copy' && from !== 'host' && from !== 'restic')
    throw new UsageError(`--from ${from}: should be copy, host or restic`)
  // A date without a time includes the whole day.
  const time = at === undefined ? undefined : Date.parse(/^\d{4}-\d\d-\d\d$/.test(at) ? `${at}T23:59:59Z` : at)
  if (Number.isNaN(time)) throw new UsageError(`--at ${at}: a time like 2026-11-20 or 2026-11-20T12:00:00Z`)
  return { from, until: time }
}

async function one(
  session: Session,
  name: string,
  { as, at }: { readonly as: string | undefined; readonly at: string | undefined },
  selector: BackupSelector,
  identities: readonly Secret[],
): Promise<number> {
  const host = hostOf(session, name)
  const database = databaseName(name)
  const bot = botOf(host, database)
  if (isReserved(database) || !isPlainName(database))
    throw new UsageError(`--name ${name}: a database of that name cannot be restored`)
  if (as !== undefined && (!/^[a-z][a-z0-9_]{0,62}$/.test(as) || isReserved(as)))
    throw new UsageError(`--as ${as}: should be a name of a-z, 0-9 and _ that the server does not reserve`)
  if (as !== undefined && botOf(host, as) !== undefined)
    throw new UsageError(
      `--as ${as}: that is the database of the bot ${botOf(host, as)}: restore it with --name ${botOf(host, as)}`,
    )
  const target = as ?? database
  const order = {
    database,
    ofBot: isOfBot(host, database),
    target,
    bot: as === undefined ? (bot ?? name) : undefined,
  }
  if (isArchived(host) && isMoment(at)) return restoreMoment(session, host, order, at, identities)
  return selectBackup(session, host, { ...selector, database }, async (chosen) => {
    const hasDatabase = databasesOf(chosen.manifest).includes(database)
    const data = as === undefined ? lastingParts(chosen.manifest).filter((part) => subjectOf(part) === database) : []
    const things = [
      ...(hasDatabase ? [`the database ${database}`] : []),
      ...data.map((part) => `the ${partName(part)}`),
    ]
    const what = `replace ${things.join(' and ')} of ${host.name} (${session.inventory.file}) with the backup ${chosen.name}`
    if (as === undefined && !session.options.own.has('yes')) await confirm(what)
    return restoreParts(
      session,
      host,
      chosen,
      hasDatabase || as !== undefined ? [order] : [],
      identities,
      data.map(({ bot, kind }) => ({ bot, kind, drill: false, beforeDatabase: hasDatabase })),
    )
  })
}

/** The host of a bot. A database of no bot is looked for on the only host. */
function hostOf(session: Session, name: string): InventoryHost {
  const { hosts } = session
  const found =
    hosts.find(({ bots }) => bots.some((bot) => bot.name === name)) ?? (hosts.length === 1 ? hosts[0] : undefined)
  if (found === undefined)
    throw new UsageError(
      `--name ${name}: no host has that bot${suggest(name, knownBots(session))}; for another database select its host with --limit`,
    )
  return found
}

async function drill(session: Session, selector: BackupSelector, identities: readonly Secret[]): Promise<number> {
  let worst = 0
  for (const host of session.hosts) {
    worst = Math.max(worst, await drillHost(session, host, selector, identities))
    if (isArchived(host)) worst = Math.max(worst, await drillArchive(session, host, identities))
  }
  return worst
}

/** Restores a backup into a temporary server, and compares. Returns the exit code. */
export function drillHost(
  session: Session,
  host: InventoryHost,
  selector: BackupSelector,
  identities: readonly Secret[],
): Promise<number> {
  return selectBackup(session, host, selector, (chosen) =>
    restoreParts(
      session,
      host,
      chosen,
      restorable(chosen).map((database) => {
        return { database, ofBot: isOfBot(host, database), target: undefined, bot: undefined }
      }),
      identities,
      lastingParts(chosen.manifest).map(({ bot, kind }) => ({ bot, kind, drill: true })),
    ),
  )
}

async function rebuildHost(
  session: Session,
  name: string,
  selector: BackupSelector,
  identities: readonly Secret[],
  others: HostRoles,
): Promise<number> {
  const host = session.inventory.hosts.find((each) => each.name === name)
  if (host === undefined) {
    const names = session.inventory.hosts.map((each) => each.name)
    throw new UsageError(
      `--host: unknown host "${name}"${suggest(name, names)}: ${session.inventory.file} has ${names.join(', ')}`,
    )
  }
  await others.refuse?.(session, host)
  if (selector.from === 'host') throw new UsageError('--from host: a bare host has no backups: use copy or restic')
  return selectBackup(session, host, { ...selector, whole: true }, async (chosen) => {
    if (!session.options.own.has('yes'))
      await confirm(`rebuild ${name} (${session.inventory.file}) from the backup ${chosen.name}`)
    const code = await rebuild(session, host, chosen, identities, others)
    return code === 0 && chosen.lost.length > 0 ? 3 : code
  })
}

/** The databases of a backup without `postgres`, which the server itself creates. */
export function restorable({ manifest }: SelectedBackup): string[] {
  return databasesOf(manifest).filter((database) => database !== 'postgres')
}
