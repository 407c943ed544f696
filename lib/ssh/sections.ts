import { HostError } from '../std/errors.ts'
import type { FrameHandlers } from './framing.ts'

export function unanswered(what: string): HostError {
  return new HostError(`the answer of the host does not fit the request: ${what.slice(0, 200)}`)
}

/** The greatest length of an answer, in bytes, since it is kept in memory. */
const longestAnswer = 64 * 2 ** 20

/** Collects what follows each mark of a section: `read KIND` under the kind's name, `held` under `holder`, the rest under ''. */
export function collecting() {
  const chunks = new Map<string, Buffer[]>([['', []]])
  let current = ''
  let length = 0
  const handlers: FrameHandlers = {
    mark: ([word, kind = '']) => {
      current = word === 'read' ? kind : word === 'held' ? 'holder' : ''
      chunks.set(current, [])
    },
    text: (bytes) => {
      length += bytes.length
      if (length > longestAnswer) throw unanswered(`more than ${longestAnswer} bytes`)
      chunks.get(current)?.push(bytes)
    },
  }
  const bytesOf = (section: string) => Buffer.concat(chunks.get(section) ?? [])
  return {
    handlers,
    current: () => current,
    text: (section: string) => bytesOf(section).toString(),
    sections: () => new Map([...chunks.keys()].map((section) => [section, bytesOf(section)])),
  }
}
