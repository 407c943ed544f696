const rows: string[] = []

/** What would move an operator's terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is looked for.
export const moves = /[\x1b\u202e]/

/** A row of the table of RESULTS.md. */
export function told(what: string, through: string, how: string): void {
  const cells = [what, through.replace('beside', '--as'), how]
  rows.push(`| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
}

export function printRows(head: string): void {
  process.stdout.write(`\n| case | through | ${head} |\n|---|---|---|\n${rows.join('\n')}\n`)
}
