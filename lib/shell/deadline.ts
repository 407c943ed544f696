import { shellFile } from './shell-file.ts'

/**
 * Shell functions for a wait that ends by the clock, however long each look takes: `begin_wait SECONDS`, then `time_left` for
 * as long as that is not over; `$left` is what a look may still take. It is the monotonic clock.
 */
export const waiting = shellFile(new URL('deadline.sh', import.meta.url))
