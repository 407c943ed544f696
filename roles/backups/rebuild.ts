import { HostError } from '../../lib/errors.ts'
import type { InventoryHost } from '../../lib/inventory.ts'
import type { Session } from '../../lib/play.ts'
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
    // What is there already is as good.
    await ask(
      connection,
      sh`sed -n '/^CREATE ROLE/p' ${path} | ${psql('-v', 'ON_ERROR_STOP=0')} 2>/dev/null; sed -n '/^ALTER ROLE/p' ${path} | ${psql()}; rm -f ${path}`,
    )
  })
  const orders = databases.map((database) => ({ database, target: database, bot: undefined }))
  const dataCode = await broughtBack(session, host, chosen, orders, identities)
  if (dataCode !== 0) return dataCode
  const code = host.bots.length === 0 ? 0 : await session.converge([host], [deliveries])
  process.stderr.write(
    `${host.name}  ${code === 0 ? 'is back' : 'is not back yet'}, after ${Math.round((Date.now() - began) / 1000)} s\n`,
  )
  return code
}

/**
 * What no role makes anew. Which release serves is not among it: the bots are released again when all else is there, and
 * Telegram is told where they are then.
 */
function unpack(archive: string) {
  return sh`
    trap 'rm -f ${{ text: archive, shown: archive }}' EXIT
    tar --extract --preserve-permissions --numeric-owner --file ${archive} --directory / \
      --exclude 'var/lib/botgarden/bots/*/current.json' --exclude 'var/lib/botgarden/bots/*/webhook' --exclude opt --exclude etc/botgarden/secrets/postgres 2>&1 && echo unpacked`
}

function partOf({ manifest, name }: Chosen, kind: 'files' | 'globals'): Part {
  const part = manifest.parts.find((each) => each.kind === kind)
  if (part === undefined) throw new HostError(`${name}: has no ${kind}: it is not of a whole host`)
  return part
}

/** The lines of `pg_dumpall --globals-only` that make these roles; nobody else is anybody's. */
export function rolesIn(globals: string, owners: readonly string[]): string {
  const names = new Set(owners.filter((owner) => owner !== 'postgres').flatMap((owner) => [owner, `"${owner}"`]))
  const lines = globals
    .split('\n')
    .filter((line) => names.has(/^(?:CREATE|ALTER) ROLE ("(?:[^"]|"")+"|[^\s;]+)/.exec(line)?.[1] ?? ''))
  return `${lines.join('\n')}\n`
}

async function textOf(source: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function* bytes(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}
