/** A file or a symbolic link of an archive. */
export interface TarEntry {
  /** With slashes, below the archive's root. */
  readonly path: string
  readonly mode: number
  /** Where a symbolic link points; empty for a file. */
  readonly link: string
  readonly content: Buffer
}

const block = 512
/** Fields of a header, each with its place and its length in bytes. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  link: [157, 100],
  magic: [257, 8],
} as const

/**
 * A tar of these, piece by piece: the same on every machine, since the `tar` of one is not that of another. All belongs to
 * root, and is from 1970.
 */
export async function* tarOf(entries: AsyncIterable<TarEntry>): AsyncGenerator<Buffer> {
  for await (const { path, mode, link, content } of entries) {
    const extended = [record('path', path), record('linkpath', link)].join('')
    if (extended !== '') yield* member('x', { path: 'pax', mode: 0o644, link: '', content: Buffer.from(extended) })
    yield* member(link === '' ? '0' : '2', { path, mode, link, content })
  }
  yield Buffer.alloc(2 * block)
}

function* member(type: string, { path, mode, link, content }: TarEntry): Generator<Buffer> {
  const header = Buffer.alloc(block)
  const write = (field: keyof typeof fields, text: string) => header.write(text, fields[field][0], fields[field][1])
  const number = (field: keyof typeof fields, value: number) =>
    write(field, value.toString(8).padStart(fields[field][1] - 1, '0'))
  write('name', path)
  for (const [field, value] of [
    ['mode', mode],
    ['uid', 0],
    ['gid', 0],
    ['size', content.length],
    ['mtime', 0],
  ] as const)
    number(field, value)
  write('type', type)
  write('link', link)
  write('magic', 'ustar\x0000')
  // It is summed up with spaces in the place of the sum.
  header.fill(' ', fields.checksum[0], fields.type[0])
  const sum = header.reduce((total, byte) => total + byte, 0)
  write('checksum', `${sum.toString(8).padStart(6, '0')}\0`)
  yield header
  yield content
  yield Buffer.alloc((block - (content.length % block)) % block)
}

/** What is too long for its field stands in a member of its own before it: `LENGTH NAME=VALUE`, the length's own digits counted. */
function record(name: string, value: string): string {
  if (Buffer.byteLength(value) <= fields.name[1]) return ''
  const rest = Buffer.byteLength(` ${name}=${value}\n`)
  let length = rest + 1
  while (rest + String(length).length !== length) length++
  return `${length} ${name}=${value}\n`
}
