import { wordsOf } from '../read/command-line.ts'
import type { Found, Note } from '../read/finding.ts'

/** A Dockerfile, or a part of one, and what is to be said of it. */
export interface Recipe {
  readonly text: string
  readonly notes: readonly Note[]
}

/** The last line of a Dockerfile, and what is to be said where nothing tells how the bot is started. */
export function startLine(start: Found<string> | undefined, fallback: readonly string[]): Recipe {
  if (start === undefined)
    return {
      text: `# Nothing says how the bot is started: put it here.\nCMD ${list(fallback)}\n`,
      notes: [`nothing says how the bot is started: the Dockerfile has ${fallback.join(' ')}, see that it is right`],
    }
  const words = wordsOf(start.value)
  // A shell as the first process would keep the signal to stop for itself.
  const line = /[;&|]/.test(start.value) ? start.value : `exec ${start.value}`
  return { text: `CMD ${list(words ?? ['sh', '-c', line])}\n`, notes: [] }
}

function list(words: readonly string[]): string {
  return `[${words.map((word) => JSON.stringify(word)).join(', ')}]`
}
