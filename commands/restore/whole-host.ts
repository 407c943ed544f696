import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { stateDir } from '../../lib/model/host-layout.ts'
import type { Role } from '../../lib/model/role.ts'
import { isPlainName, isReserved } from '../../lib/platform/database-name.ts'
import { allDomains } from '../../lib/platform/domains.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { nginxFolder } from '../../lib/platform/nginx.ts'
import { ident, literal } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-client.ts'
import { sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { says } from '../../lib/std/confirm-prompt.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { type BackupPart, type LastingPart, lastingParts, partName } from '../../roles/backups/manifest.ts'
import { currentRecords } from '../../roles/bot/spec/layout.ts'
import { checkedData } from './data.ts'
import { partFor, restoreParts } from './database.ts'
import { isOfBot } from './database-owner.ts'
import { decryptPart } from './decrypt.ts'
import { membersOf } from './read-archive.ts'
import { isRestorable, type RestorableFiles, restorableFiles } from './restorable-files.ts'
import type { DatabasePart, DataTask, RestoreTask } from './restore-task.ts'
import type { SelectedBackup } from './select-backup.ts'
import { writeFiles } from './write-files.ts'

/** The roles of a rebuilt host, from the playbook. */
export interface HostRoles {
  /** The roles of a host without its bots. */
  readonly core: readonly Role[]
  /** Throws for a host that is not to be rebuilt, before it is asked anything. */
  readonly refuse?: (session: Session, host: InventoryHost) => Promise<void>
  /** Prepares the release of the bots of a host, and returns what releases them: that returns the exit code. */
  readonly bots: (host: InventoryHost) => Promise<() => Promise<number>>
}

/** In bytes. The globals of a real host have one line a role. */
const maxGlobalsBytes = 2 ** 20

/** Rebuilds a bare host from a backup: secrets and certificates, core roles, databases, bots last. Returns the exit code. */
export async function rebuild(
  session: Session,
  host: InventoryHost,
  chosen: SelectedBackup,
  identities: readonly Secret[],
  { core, bots }: HostRoles,
): Promise<number> {
  const began = Date.now()
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const { tasks, others } = restoreTasks(host, chosen)
  const [data, strangers] = dataTasks(host, chosen)
  // The backup is checked before the host is contacted.
  for (const task of tasks) partFor(chosen, task)
  await checkedData(chosen, data, identities)
  const files = decryptPart(chosen.folder, partOf(chosen, 'files'), identities)
  const kept = restorableFiles(await membersOf(files, isRestorable), [
    ...(host.domain === undefined ? [] : [host.domain]),
    ...allDomains(host),
  ])
  const globals = await textOf(decryptPart(chosen.folder, partOf(chosen, 'globals'), identities))
  for (const path of kept.ignored) say(`▸ skipped: /${path}`)
  const ownFolder = await approvedNginxFolder(kept, chosen.name, say)
  const releaseBots = await bots(host)
  await session.connected(host, async (connection) => {
    await session.hold(host, connection)
    const there = await ask(connection, sh`ls ${currentRecords} 2>/dev/null || :`)
    if (there.trim() !== '')
      throw new HostError(`${host.name} already has bots: --host rebuilds a bare host; --name restores one database`)
    say('▸ secrets, certificates and allocations')
    const status = await writeFiles(connection, kept, ownFolder)
    if (!status.includes('unpacked'))
      throw new HostError(`the files of the backup cannot be unpacked: ${status.trim()}`)
  })
  const coreCode = await session.converge([host], core)
  if (coreCode !== 0) return coreCode

  await session.connected(host, async (connection) => {
    say('▸ database roles')
    await session.hold(host, connection)
    const path = `${incoming}/globals.sql`
    await upload(
      connection,
      path,
      bytes(
        rolesIn(
          globals,
          tasks.map(({ database }) => database),
        ),
      ),
    )
    const made = await ask(connection, sh`${psql()} <${path} 2>&1; echo "ended $?"; rm -f ${path}`)
    if (!made.includes('ended 0')) throw new HostError(`the database roles cannot be created: ${made.trim()}`)
  })
  const dataCode = await restoreParts(session, host, chosen, tasks, identities, data)
  if (dataCode !== 0) return dataCode
  const code = host.bots.length === 0 ? 0 : await releaseBots()
  const seconds = Math.round((Date.now() - began) / 1000)
  say(`${code === 0 ? 'is restored' : 'is not fully restored'}, after ${seconds} s`)
  for (const { database, owner } of others)
    say(
      `▸ NOT restored: the database ${database}, which belongs to no bot and was owned by ${owner}: create database ${database} owner ${owner}, then restore.ts --name ${database}`,
    )
  for (const part of strangers)
    say(`▸ NOT restored: the ${partName(part)}, which is no bot of this host in the inventory`)
  return Math.max(code, others.length + strangers.length > 0 ? 3 : 0)
}

/**
 * Databases that are restored without a question: those of bots, and those that belong to the role of the same name. The
 * owners of `others` cannot be checked on a bare host.
 */
export function restoreTasks(host: InventoryHost, { manifest }: SelectedBackup) {
  const parts = manifest.parts
    .filter((part) => part.kind === 'database')
    .filter(({ database }) => database !== 'postgres')
  const isKnown = ({ database, owner }: DatabasePart) =>
    isOfBot(host, database) || (owner === database && isPlainName(database) && !isReserved(database))
  return {
    tasks: parts.filter(isKnown).map(({ database }): RestoreTask => {
      return { database, ofBot: isOfBot(host, database), target: database, bot: undefined }
    }),
    others: parts.filter((part) => !isKnown(part)),
  }
}

/** The bots whose lasting files are restored, and those that the inventory does not have on this host. */
function dataTasks(
  { bots }: InventoryHost,
  { manifest }: SelectedBackup,
): readonly [readonly DataTask[], LastingPart[]] {
  const all = lastingParts(manifest)
  const isKnown = ({ bot }: LastingPart) => bots.some(({ name }) => name === bot)
  const known = all.filter(isKnown).map(({ bot, kind }) => ({ bot, kind, drill: false }))
  return [known, all.filter((part) => !isKnown(part))]
}

/** Where the operator's own nginx files go. They can make nginx do anything, so the operator must confirm them, even with --yes. */
async function approvedNginxFolder(
  { own }: RestorableFiles,
  backup: string,
  say: (line: string) => void,
): Promise<string> {
  const place = `${nginxFolder}/conf/own`
  if (own.size === 0) return place
  for (const [name, content] of own) {
    say(`▸ ${place}/${name}:`)
    for (const line of content.toString().trimEnd().split('\n')) say(`    ${line}`)
  }
  if (await says('install these files of nginx')) return place
  const aside = `${stateDir}/laid-aside/${backup}`
  say(`▸ these files are saved in ${aside} instead: review them, move them to ${place}, and run site.ts`)
  return aside
}

function partOf({ manifest, name }: SelectedBackup, kind: 'files' | 'globals'): BackupPart {
  const part = manifest.parts.find((each) => each.kind === kind)
  if (part === undefined) throw new HostError(`${name}: has no ${kind}: it is not a backup of a whole host`)
  return part
}

/**
 * SQL that creates a role for each database, with the same name and its old password. Nothing else of the output of
 * `pg_dumpall --globals-only` is used.
 */
export function rolesIn(globals: string, databases: readonly string[]): string {
  return databases
    .map((name) => {
      const spelled = /^[a-z_][a-z0-9_]*$/.test(name) ? name : ident(name)
      const line = globals.split('\n').find((each) => each.startsWith(`ALTER ROLE ${spelled} WITH `)) ?? ''
      const verifier = / PASSWORD '(SCRAM-SHA-256\$[A-Za-z0-9+/=:$]+)'/.exec(line)?.[1]
      const password = verifier === undefined ? '' : `alter role ${ident(name)} login password ${literal(verifier)};\n`
      return `select 'create role ${ident(name).replaceAll("'", "''")}' where not exists (select from pg_roles where rolname = ${literal(name)}) \\gexec\n${password}`
    })
    .join('')
}

async function textOf(source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of source) {
    bytes += chunk.length
    if (bytes > maxGlobalsBytes) throw new HostError(`globals.sql.age: is larger than ${maxGlobalsBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function* bytes(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}
