import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Encrypter } from 'age-encryption'
import { pack } from 'tar-stream'
import { timestampOf } from '../../../roles/backups/backup-name.ts'
import { sign, writeSums } from '../copies.ts'
import { sha256 } from '../sha256.ts'

/** What an attacker makes a copy of: with the public key alone, or, after taking the host over, with the host's own key. */
export interface Copy {
  readonly host: string
  readonly time: number
  readonly recipient: string
  readonly only?: string
  /** Dumps by database, with what the manifest says of each. */
  readonly databases: readonly { database: string; owner: string; tables: Record<string, number>; dump: Buffer }[]
  readonly globals?: string
  /** Archives of lasting files, by bot. */
  readonly data?: readonly { bot: string; archive: Buffer }[]
  readonly files?: Buffer
  /** The file of the key that signs it. */
  readonly key?: string
  /** Changes what the manifest says in the end; a text is its text. */
  readonly manifest?: (manifest: Record<string, unknown>) => unknown
}

/** Writes a copy as a host would have made it into a folder of copies; returns its name. */
export async function writeCopy(base: string, copy: Copy): Promise<string> {
  const name = `${timestampOf(copy.time)}${copy.only === undefined ? '' : `-${copy.only}`}`
  const folder = join(base, copy.host, name)
  mkdirSync(folder, { recursive: true })
  const encrypter = new Encrypter()
  encrypter.addRecipient(copy.recipient)
  const part = async (file: string, plain: Buffer, more: object) => {
    const encrypted = Buffer.from(await encrypter.encrypt(plain))
    writeFileSync(join(folder, file), encrypted)
    return {
      ...{ ...more, file, size: plain.length, sha256: sha256(plain) },
      encrypted: { size: encrypted.length, sha256: sha256(encrypted) },
    }
  }
  const parts: object[] = []
  for (const { dump, ...said } of copy.databases)
    parts.push(await part(`database-${said.database}.dump.age`, dump, { kind: 'database', ...said }))
  for (const { bot, archive } of copy.data ?? []) {
    const said = { kind: 'data', bot, entries: 1, content: sha256(archive) }
    parts.push(await part(`data-${bot}.tar.age`, archive, said))
  }
  if (copy.only === undefined) {
    parts.push(await part('globals.sql.age', Buffer.from(copy.globals ?? ''), { kind: 'globals' }))
    parts.push(await part('files.tar.age', copy.files ?? (await tar([])), { kind: 'files', entries: 1 }))
  }
  const manifest: Record<string, unknown> = {
    ...{ format: 1, host: copy.host, time: new Date(copy.time).toISOString().replace('.000Z', 'Z') },
    ...{ only: copy.only ?? null, server: '18.6', recipients: [copy.recipient], warnings: [], parts },
  }
  const said = copy.manifest?.(manifest) ?? manifest
  const text = typeof said === 'string' ? said : JSON.stringify(said)
  writeFileSync(join(folder, 'manifest.json'), text)
  writeSums(
    folder,
    readdirSync(folder).filter((file) => !file.startsWith('SHA256SUMS')),
  )
  if (copy.key !== undefined) await sign(folder, copy.key)
  return name
}

/** An entry of an archive, as bad as can be. */
export interface Entry {
  readonly name: string
  readonly type?: 'file' | 'link' | 'symlink' | 'directory' | 'fifo' | 'character-device' | 'block-device'
  readonly linkname?: string
  readonly mode?: number
  readonly uid?: number
  readonly content?: string | Buffer
  /** What an extended header says instead. */
  readonly pax?: Readonly<Record<string, string>>
}

export async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { name, type = 'file', linkname, mode = 0o600, uid = 0, content = '', pax } of entries) {
    const more = { ...(linkname !== undefined && { linkname }), ...(pax !== undefined && { pax }) }
    const header = { name, type, mode, uid, gid: uid, mtime: new Date(0), ...more }
    if (type === 'file') archive.entry(header, content)
    else archive.entry(header)
  }
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
