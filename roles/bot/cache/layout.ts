import { dataOf } from '../data/layout.ts'
import { layoutOf } from '../spec/layout.ts'

/** Paths and names of a bot's cache on its host. */
export function cacheLayout(bot: string) {
  const { compose, secrets } = layoutOf(bot)
  return {
    container: `botgarden-${bot}-cache`,
    compose: `${compose}/cache`,
    password: `${secrets}/cache-password`,
    /** The folder of its configuration, which holds the password too. */
    config: `${secrets}/cache`,
    /** Where it writes what persists. */
    data: `${dataOf(bot).all}/cache`,
  }
}

/** The address of a cache in the network of its bot. The colours have 2 and 3. */
export function cacheAddress(base: string, number: number): string {
  return `${base}.${number}.4`
}
