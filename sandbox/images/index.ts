/** An official image that the sandbox serves from Debian packages where no registry is in reach. */
export interface StandIn {
  /** Its official name: `docker pull` on a VPS finds it by that. */
  readonly name: string
  readonly suite: Suite
  /** The file beside this one that adds to bare Debian; none: bare Debian itself. */
  readonly dockerfile?: string
}

/** Debian 13 is what hosts run; forky carries the versions of nginx, PostgreSQL and Pebble that production gets. */
export type Suite = 'trixie' | 'forky'

export const standIns: readonly StandIn[] = [{ name: 'debian:13-slim', suite: 'trixie' }]
