import { HostError } from '../std/errors.ts'

const start = '\x1e'

/** The greatest length of a mark, in bytes: a longer one is an error. */
const longestMark = 4096

/** What a stream from a host holds: text as the commands printed it, and our own marks between it. */
export interface FrameHandlers {
  mark(words: readonly string[]): void
  text(bytes: Buffer): void
}

/** A shell command that puts a mark into its output: words, the last of which may be a shell expansion. */
export function markCommand(nonce: string, words: string): string {
  return `printf '\\036%s %s\\n' ${nonce} "${words}"`
}

/**
 * Splits a stream into marks and text, however the chunks were cut. A mark is told from text by a number that is not
 * known on the host beforehand, so that no output of a command can pass for one. No name and no argument there contains it.
 */
export function frames(nonce: string, handlers: FrameHandlers): (chunk: Buffer) => void {
  const prefix = Buffer.from(`${start}${nonce} `)
  let rest = Buffer.alloc(0)

  return (chunk) => {
    rest = Buffer.concat([rest, chunk])
    for (;;) {
      const at = rest.indexOf(prefix)
      const end = at < 0 ? -1 : rest.indexOf('\n', at)
      if (at >= 0 && (end < 0 ? rest.length : end) - at > longestMark)
        throw new HostError('the answer of the host cannot be read: a mark without an end')
      const text = at < 0 ? rest.length - possibleStart(rest, prefix) : at
      if (text > 0) handlers.text(rest.subarray(0, text))
      if (end < 0) {
        rest = rest.subarray(text)
        return
      }
      const words = rest
        .subarray(at + prefix.length, end)
        .toString()
        .split(' ')
      rest = rest.subarray(end + 1)
      handlers.mark(words)
    }
  }
}

/** How many of the last bytes could be the beginning of a mark whose rest has not come yet. */
function possibleStart(bytes: Buffer, prefix: Buffer): number {
  for (let length = Math.min(prefix.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(-length).equals(prefix.subarray(0, length))) return length
  }
  return 0
}
