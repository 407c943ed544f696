import type { Roles } from '../../lib/cli/run-host.ts'
import type { Session } from '../../lib/cli/session.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { stateDir } from '../../lib/model/host-layout.ts'
import type { Role } from '../../lib/model/role.ts'
import { isPlainName, isReserved } from '../../lib/platform/database-name.ts'
import { incoming } from '../../lib/platform/leftovers.ts'
import { nginxFolder } from '../../lib/platform/nginx.ts'
import { ident, literal } from '../../lib/platform/postgres.ts'
import { psql } from '../../lib/platform/postgres-catalog.ts'
import { sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { upload } from '../../lib/ssh/upload.ts'
import { says } from '../../lib/std/confirm-prompt.ts'
import { HostError } from '../../lib/std/errors.ts'
import type { Secret } from '../../lib/std/secret.ts'
import type { Part } from '../../roles/backups/manifest.ts'
import { currentRecords } from '../../roles/bot/spec/layout.ts'
import { acceptable, restoreDatabases } from './database.ts'
import { isOfBot } from './database-owner.ts'
import { decryptPart } from './decrypt.ts'
import type { DatabasePart, Order } from './order.ts'
import { membersOf } from './read-archive.ts'
import { isKept, type KeptFiles, keptFiles } from './restorable-files.ts'
import type { SelectedBackup } from './select-backup.ts'
import { layDown } from './write-files.ts'

/** What a playbook puts together, since roles do not know each other. */
export interface Others {
  /** The roles of a host without its bots. */
  readonly core: readonly Role[]
  /** The role that brings a host's bots back. */
  readonly bots: (host: InventoryHost) => Promise<Roles>
}

/** A role is a line. */
const mostGlobals = 2 ** 20

/** Makes a bare host what its backup was: secrets and certificates, the core, the databases, and the bots last. */
export async function rebuild(
  session: Session,
  host: InventoryHost,
  chosen: SelectedBackup,
  identities: readonly Secret[],
  { core, bots }: Others,
): Promise<number> {
  const began = Date.now()
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const { orders, others } = ordersFor(host, chosen)
  // Whatever is wrong with the backup is said before the host is looked at.
  for (const order of orders) acceptable(chosen, order)
  const files = decryptPart(chosen.folder, partOf(chosen, 'files'), identities)
  const kept = keptFiles(await membersOf(files, isKept), host.domain)
  const globals = await textOf(decryptPart(chosen.folder, partOf(chosen, 'globals'), identities))
  for (const path of kept.leftOut) say(`▸ not taken: /${path}`)
  const ownFolder = await ownPlace(kept, chosen.name, say)
  const deliveries = await bots(host)
  await session.connected(host, async (connection) => {
    await session.hold(host, connection)
    const there = await ask(connection, sh`ls ${currentRecords} 2>/dev/null || :`)
    if (there.trim() !== '')
      throw new HostError(`${host.name} has bots already: --host is for a bare one; --name brings one database back`)
    say('▸ secrets, certificates and allocations')
    const status = await layDown(connection, kept, ownFolder)
    if (!status.includes('unpacked'))
      throw new HostError(`what the backup has of files cannot be unpacked: ${status.trim()}`)
  })
  const coreCode = await session.converge([host], core)
  if (coreCode !== 0) return coreCode

  await session.connected(host, async (connection) => {
    say('▸ the roles of its databases')
    await session.hold(host, connection)
    const path = `${incoming}/globals.sql`
    await upload(
      connection,
      path,
      bytes(
        rolesIn(
          globals,
          orders.map(({ database }) => database),
        ),
      ),
    )
    const made = await ask(connection, sh`${psql()} <${path} 2>&1; echo "ended $?"; rm -f ${path}`)
    if (!made.includes('ended 0')) throw new HostError(`the roles of its databases cannot be made: ${made.trim()}`)
  })
  const dataCode = await restoreDatabases(session, host, chosen, orders, identities)
  if (dataCode !== 0) return dataCode
  const code = host.bots.length === 0 ? 0 : await session.converge([host], deliveries)
  const seconds = Math.round((Date.now() - began) / 1000)
  say(`${code === 0 ? 'is back' : 'is not back yet'}, after ${seconds} s`)
  for (const { database, owner } of others)
    say(
      `▸ NOT restored: the database ${database}, which is no bot's and belonged to ${owner}: create database ${database} owner ${owner}, then restore.ts --name ${database}`,
    )
  return Math.max(code, others.length > 0 ? 3 : 0)
}

/**
 * What is restored without a question: the databases of bots, and others that belong to a role of their own name. On a bare
 * host nobody could say who else may own one.
 */
export function ordersFor(host: InventoryHost, { manifest }: SelectedBackup) {
  const parts = manifest.parts
    .filter((part) => part.kind === 'database')
    .filter(({ database }) => database !== 'postgres')
  const isKnown = ({ database, owner }: DatabasePart) =>
    isOfBot(host, database) || (owner === database && isPlainName(database) && !isReserved(database))
  return {
    orders: parts.filter(isKnown).map(({ database }): Order => {
      return { database, ofBot: isOfBot(host, database), target: database, bot: undefined }
    }),
    others: parts.filter((part) => !isKnown(part)),
  }
}

/** The operator's own files of nginx's configuration can have it do anything: he looks at them first, whatever else he has agreed to. */
async function ownPlace({ own }: KeptFiles, backup: string, say: (line: string) => void): Promise<string> {
  const place = `${nginxFolder}/conf/own`
  if (own.size === 0) return place
  for (const [name, content] of own) {
    say(`▸ ${place}/${name}:`)
    for (const line of content.toString().trimEnd().split('\n')) say(`    ${line}`)
  }
  if (await says('have nginx run these as well')) return place
  const aside = `${stateDir}/laid-aside/${backup}`
  say(`▸ these are laid aside in ${aside}: look at them, move them to ${place}, and run site.ts`)
  return aside
}

function partOf({ manifest, name }: SelectedBackup, kind: 'files' | 'globals'): Part {
  const part = manifest.parts.find((each) => each.kind === kind)
  if (part === undefined) throw new HostError(`${name}: has no ${kind}: it is not of a whole host`)
  return part
}

/**
 * SQL that makes a role for each of these databases, of its name and with the password that it had, and nothing else of what
 * `pg_dumpall --globals-only` says.
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
    if (bytes > mostGlobals) throw new HostError(`globals.sql.age: is more than the ${mostGlobals} bytes of any host`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}

async function* bytes(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}
