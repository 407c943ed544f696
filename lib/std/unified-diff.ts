import { createPatch } from 'diff'

/** A unified diff of a file's text, without the header lines that name nothing; undefined is no file. */
export function fileDiff(path: string, before: string | undefined, after: string | undefined): string {
  const patch = createPatch(path, before ?? '', after ?? '', '', '', { context: 3 })
  const hunks = patch.split('\n').slice(4).join('\n').trimEnd()
  const from = before === undefined ? '/dev/null' : path
  const to = after === undefined ? '/dev/null' : path
  return `--- ${from}\n+++ ${to}\n${hunks}`
}
