/** The words of a command; undefined where only a shell could run it. */
export function wordsOf(line: string): readonly string[] | undefined {
  const words: string[] = []
  const word =
    /\s*(?:"([^"\\$`]*)"|'([^']*)'|([^\s"'\\$`|&;<>()*?#~=[\]{}]+(?:=[^\s"'\\$`|&;<>()*?#[\]{}]*)?))(?=\s|$)/y
  const text = line.trim()
  for (let end = 0; end < text.length; end = word.lastIndex) {
    word.lastIndex = end
    const found = word.exec(text)
    if (found === null) return undefined
    words.push(found[1] ?? found[2] ?? found[3] ?? '')
  }
  if (words.length === 0 || words.includes('')) return undefined
  // `NAME=value program` is for a shell, but this program does the same.
  return /^\w+=/.test(words[0] ?? '') ? ['env', ...words] : words
}

/** A command as a container is given it: a list stays, a line is split, and what needs a shell gets one. */
export function commandOf(given: string | readonly string[]): readonly string[] {
  if (typeof given !== 'string') return given
  return wordsOf(given) ?? ['sh', '-c', given.trim()]
}

/** The text of a command, to search in. */
export function textOf(command: string | readonly string[] | undefined): string {
  return typeof command === 'string' ? command : (command ?? []).join(' ')
}
