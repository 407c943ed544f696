import type { Change } from '../model/resource.ts'

/** The diff of a change, in lines with `-` or `+`. Without a diff of its own it is made from the summary. */
export function changeDiff({ summary, diff }: Pick<Change, 'summary' | 'diff'>): string {
  const text = diff?.() ?? summary.split(', ').join('\n')
  return text
    .split('\n')
    .flatMap((line) => (/^[-+ @\\]|^$/.test(line) ? [line] : beforeAndAfter(line)))
    .join('\n')
}

/** `mode 0600 → 0644`: the words that both sides begin with are there only once, before the arrow. */
function beforeAndAfter(line: string): string[] {
  const [before = '', after, ...more] = line.split(' → ')
  if (after === undefined || more.length > 0) return [`+ ${line}`]
  const words = before.split(' ')
  const shared = words.slice(0, Math.max(0, words.length - after.split(' ').length))
  return [`- ${before}`, `+ ${[...shared, after].join(' ')}`]
}
