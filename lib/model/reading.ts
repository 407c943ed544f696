import type { Script } from '../shell/sh.ts'

/** A way to read the state of many things of one kind with one command. */
export interface Kind<State> {
  readonly name: string
  /** Changes by itself, as the state of a unit does: a plan is not outdated by it. */
  readonly volatile?: boolean
  /** About how many milliseconds it takes on a host, where that is more than 10: readings that run side by side are shared out by it. */
  readonly cost?: number
  /** A script that prints the state of all of them and writes nothing. */
  readonly script: (names: readonly string[]) => Script
  /** What the script printed, as one state per name. */
  readonly parse: (output: string, names: readonly string[]) => Map<string, State | Untold>
}

/** A state that the host cannot tell now. It may be known once the resource with the id `until` has changed something. */
export class Untold {
  readonly why: string
  readonly until: string

  constructor(why: string, until: string) {
    this.why = why
    this.until = until
  }
}

/** One thing to read on a host: `file:/etc/hosts`, `package:ufw`. */
export interface Reading<State = unknown> {
  readonly key: string
  readonly kind: Kind<State>
  readonly name: string
}

/** Everything that was read on a host, by key. */
export type State = ReadonlyMap<string, unknown>

export function reading<S>(kind: Kind<S>, name: string): Reading<S> {
  return { key: `${kind.name}:${name}`, kind, name }
}
