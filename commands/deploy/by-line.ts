/** The most signs of a line that are passed on: a program may never end one. */
const longest = 64 * 1024

/** Passes on whole lines of a stream, and at its end what is left. Of a longer line only the beginning is passed on. */
export function byLine(sink: (line: string) => void) {
  const decoder = new TextDecoder()
  let rest = ''
  let isCut = false
  const whole = (line: string) => {
    if (!isCut) sink(line)
    isCut = false
  }
  return {
    take: (bytes: Buffer) => {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) whole(line)
      if (rest.length <= longest) return
      if (!isCut) sink(`${rest.slice(0, longest)}…`)
      isCut = true
      rest = ''
    },
    end: () => {
      if (rest !== '') whole(rest)
    },
  }
}
