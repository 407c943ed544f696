import { Readable } from 'node:stream'
import { pack } from 'tar-stream'

/** A file or a symbolic link of an archive. */
export interface TarEntry {
  /** With slashes, below the archive's root. */
  readonly path: string
  readonly mode: number
  /** Where a symbolic link points; empty for a file. */
  readonly link: string
  readonly content: Buffer
}

/**
 * A tar of these: the same on every machine, since the `tar` of one is not that of another. All belongs to root, and is
 * from 1970.
 */
export function tarOf(entries: AsyncIterable<TarEntry>): Readable {
  const archive = pack()
  const ended = (async () => {
    for await (const entry of entries) await added(archive, entry)
    archive.finalize()
  })()
  ended.catch((error: Error) => archive.destroy(error))
  return Readable.from(archive)
}

function added(archive: ReturnType<typeof pack>, { path, mode, link, content }: TarEntry): Promise<void> {
  const common = { name: path, mode, mtime: new Date(0), uid: 0, gid: 0 }
  const header =
    link === '' ? ({ ...common, type: 'file' } as const) : ({ ...common, type: 'symlink', linkname: link } as const)
  return new Promise((resolve, reject) => {
    archive.entry(header, content, (error) => (error ? reject(error) : resolve()))
  })
}
