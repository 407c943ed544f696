import { sh } from './sh.ts'

/**
 * Shell functions for a wait that ends by the clock, however long each look takes: `begin_wait SECONDS`, then `time_left` for
 * as long as that is not over; `$left` is what a look may still take. It is the clock that nobody sets.
 */
export const waiting = sh`
    begin_wait() { read -r uptime _ </proc/uptime; wait_end=$((\${uptime%%.*} + $1)); }
    time_left() { read -r uptime _ </proc/uptime; left=$((wait_end - \${uptime%%.*})); [ "$left" -gt 0 ]; }`
