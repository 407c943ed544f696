/** A directive of nginx: its words, and the directives in its braces. */
export interface Directive {
  readonly words: readonly string[]
  readonly block: readonly Directive[] | undefined
}

/** Reads a configuration as nginx does: words, quotes, braces and comments. */
export function directivesOf(text: string): Directive[] {
  const tokens = [
    ...text.matchAll(/#.*|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|[;{}]|(?:\$\{|[^\s;{}#"'])(?:\([^)]*\)|[^\s;{}])*/g),
  ]
    .map((match) => ({ raw: match[0], word: match[1] ?? match[2] ?? match[0] }))
    .filter(({ raw }) => !raw.startsWith('#'))
  const block = (isInner: boolean): Directive[] => {
    const found: Directive[] = []
    let words: string[] = []
    for (let token = tokens.shift(); token !== undefined; token = tokens.shift()) {
      const { raw, word } = token
      if (raw === '}') {
        if (!isInner || words.length > 0) throw new Error(`} after ${words.join(' ')}`)
        return found
      }
      if (raw === ';' || raw === '{') {
        if (words.length === 0) throw new Error(`${raw} after nothing`)
        found.push({ words, block: raw === '{' ? block(true) : undefined })
        words = []
      } else words.push(word)
    }
    if (isInner || words.length > 0) throw new Error(`ends within ${words.join(' ') || 'a block'}`)
    return found
  }
  return block(false)
}

/** The directives without a block, one line each, in their order. */
export function plain(directives: readonly Directive[]): string[] {
  return directives.filter(({ block }) => block === undefined).map(({ words }) => words.join(' '))
}

/** The blocks that begin with these words. */
export function blocks(directives: readonly Directive[], ...words: string[]): (readonly Directive[])[] {
  return directives.flatMap((each) =>
    each.block !== undefined && words.join(' ') === each.words.join(' ') ? [each.block] : [],
  )
}
