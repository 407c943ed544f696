import { createHash } from 'node:crypto'
import type { Connection } from '../../../lib/ssh/connection.ts'
import { facts } from '../fake-host.ts'
import { request, type Shell } from './scripts.ts'

/**
 * A connection that keeps every request, under names of this place. Uploads arrive; to anything else it says what `answers`
 * has for the first pattern that matches, else nothing.
 */
export function recorder(place: string, answers: readonly (readonly [RegExp, string])[] = []) {
  const requests: Shell[] = []
  let arrived = createHash('sha256')
  const connection: Connection = {
    facts,
    roundTrips: 0,
    fresh: async () => connection,
    close: async () => {},
    request: async (script, { text }) => {
      const sent = script('4bd1')
      requests.push(request(`${place}: request ${requests.length + 1}`, sent))
      if (/; : >\S+$/.test(sent)) arrived = createHash('sha256')
      const [, base64] = /^printf %s (\S+) \| base64 -d >>/.exec(sent) ?? []
      if (base64 !== undefined) arrived.update(Buffer.from(base64, 'base64'))
      const sum = /^sha256sum </.test(sent) ? arrived.digest('hex') : undefined
      text?.(Buffer.from(sum ?? answers.find(([pattern]) => pattern.test(sent))?.[1] ?? ''))
      return 0
    },
  }
  return { connection, requests }
}
