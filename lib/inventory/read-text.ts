import { isUtf8 } from 'node:buffer'
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { InventoryError } from '../std/errors.ts'
import { suggest } from '../std/suggest.ts'

/** Reads a file that a person wrote. Its errors say what to do next. */
export async function readText(file: string): Promise<string> {
  const bytes = await readFile(file).catch(async (error: NodeJS.ErrnoException) => {
    throw new InventoryError(`${file}: ${await reason(file, error)}`, { cause: error })
  })
  if (isUtf16(bytes)) throw new InventoryError(`${file}: UTF-16 text; save it as UTF-8`)
  const line = lineWith(bytes, (part) => part.includes(0))
  if (line > 0) throw new InventoryError(`${file}:${line}:1: not text: it holds a NUL byte; is this the right file?`)
  return decoded(file, bytes)
}

function decoded(file: string, bytes: Buffer): string {
  if (isUtf8(bytes)) return new TextDecoder().decode(bytes)
  const line = lineWith(bytes, (part) => !isUtf8(part))
  throw new InventoryError(`${file}:${line}:1: not UTF-8 text on this line; save the file as UTF-8`)
}

async function reason(file: string, { code }: NodeJS.ErrnoException): Promise<string> {
  if (code === 'ENOENT') return `no such file${await nearby(file)}; name one with --inventory`
  if (code === 'EISDIR') return 'this is a directory; name a file in it with --inventory'
  if (code === 'EACCES' || code === 'EPERM') return 'permission denied; the user who runs this must be able to read it'
  return `cannot be read (${code})`
}

async function nearby(file: string): Promise<string> {
  const siblings = await readdir(dirname(file)).catch(() => [])
  return suggest(
    basename(file),
    siblings.filter((name) => /\.ya?ml$/.test(name)),
  )
}

/** The number of the first line whose bytes are as asked, or 0. A line break is never part of another UTF-8 character. */
function lineWith(bytes: Buffer, wanted: (part: Buffer) => boolean): number {
  let start = 0
  for (let line = 1; start <= bytes.length; line++) {
    const end = bytes.indexOf(10, start)
    const stop = end === -1 ? bytes.length : end
    if (wanted(bytes.subarray(start, stop))) return line
    start = stop + 1
  }
  return 0
}

function isUtf16(bytes: Buffer): boolean {
  return (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)
}
