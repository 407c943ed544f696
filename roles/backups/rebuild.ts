import { HostError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import type { Session } from '../../lib/play.ts'
import { ident, literal } from '../../lib/postgres.ts'
import { psql } from '../../lib/postgres-catalog.ts'
import { ask } from '../../lib/requests.ts'
import type { Secret } from '../../lib/secret.ts'
import { sh } from '../../lib/sh.ts'
import { upload } from '../../lib/upload.ts'
import type { Chosen } from './choose.ts'
import { opened } from './identity.ts'
import type { Part } from './manifest.ts'
import type { Others } from './restore.ts'
import { broughtBack } from './take-in.ts'

/** Makes a bare host what its backup was: secrets and certificates, the core, the databases, and the bots last. */
export async function rebuild(
  session: Session,
  host: InventoryHost,
  chosen: Chosen,
  databases: readonly string[],
  identities: readonly Secret[],
  { core, bots }: Others,
): Promise<number> {
  const began = Date.now()
  const say = (line: string) => session.report.line(`${host.name}  ${line}`)
  const deliveries = await bots(host)
  await session.connected(host, async (connection) => {
    const there = await ask(connection, sh`ls /var/lib/botgarden/bots/*/current.json 2>/dev/null || :`)
    if (there.trim() !== '')
      throw new HostError(`${host.name} has bots already: --host is for a bare one; --name brings one database back`)
    say('▸ secrets, certificates and allocations')
    const archive = '/var/lib/botgarden/incoming/files.tar'
    await upload(connection, archive, opened(chosen.folder, partOf(chosen, 'files'), identities))
    const status = await ask(connection, unpack(archive))
    if (!status.includes('unpacked'))
      throw new HostError(`what the backup has of files cannot be unpacked: ${status.trim()}`)
  })
  const coreCode = await session.converge([host], core)
  if (coreCode !== 0) return coreCode

  await session.connected(host, async (connection) => {
    say('▸ the roles of its databases')
    const globals = await textOf(opened(chosen.folder, partOf(chosen, 'globals'), identities))
    const owners = chosen.manifest.parts.flatMap((each) => (each.kind === 'database' ? [each.owner] : []))
    const path = '/var/lib/botgarden/incoming/globals.sql'
    await upload(connection, path, bytes(rolesIn(globals, owners)))
    const made = await ask(connection, sh`${psql()} <${path} 2>&1; echo "ended $?"; rm -f ${path}`)
    if (!made.includes('ended 0')) throw new HostError(`the roles of its databases cannot be made: ${made.trim()}`)
  })
  const orders = databases.map((database) => ({ database, target: database, bot: undefined }))
  const dataCode = await broughtBack(session, host, chosen, orders, identities)
  if (dataCode !== 0) return dataCode
  const code = host.bots.length === 0 ? 0 : await session.converge([host], deliveries)
  say(`${code === 0 ? 'is back' : 'is not back yet'}, after ${Math.round((Date.now() - began) / 1000)} s`)
  return code
}

/**
 * What no role makes anew. Which release serves is not among it: the bots are released again when all else is there, and
 * Telegram is told where they are then.
 */
function unpack(archive: string) {
  const members = [
    ...['etc/botgarden', 'etc/letsencrypt', 'var/lib/botgarden/allocations', 'var/lib/botgarden/bots'],
    'opt/botgarden/nginx/conf/own',
  ]
  return sh`
    trap 'rm -f ${{ text: archive, shown: archive }}' EXIT
    set --
    # Only what is ours: the archive comes from a host that somebody may have taken over.
    for member in ${members}; do tar --list --file ${archive} "$member" >/dev/null 2>&1 && set -- "$@" "$member"; done
    tar --extract --preserve-permissions --numeric-owner --file ${archive} --directory / \
      --exclude 'var/lib/botgarden/bots/*/current.json' --exclude 'var/lib/botgarden/bots/*/webhook' \
      --exclude etc/botgarden/secrets/postgres --exclude etc/letsencrypt/renewal-hooks "$@" 2>&1 && echo unpacked`
}

function partOf({ manifest, name }: Chosen, kind: 'files' | 'globals'): Part {
  const part = manifest.parts.find((each) => each.kind === kind)
  if (part === undefined) throw new HostError(`${name}: has no ${kind}: it is not of a whole host`)
  return part
}

/**
 * SQL that makes the roles which own a database, each with the password that it had, and nothing else of what
 * `pg_dumpall --globals-only` says: never a superuser.
 */
export function rolesIn(globals: string, owners: readonly string[]): string {
  const names = [...new Set(owners)].filter((owner) => owner !== 'postgres')
  return names
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
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function* bytes(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}
