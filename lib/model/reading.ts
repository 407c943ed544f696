import type { Script } from '../shell/sh.ts'

/** A way to read the state of many things of one kind with one command. */
export interface Kind<State> {
  readonly name: string
  /** Moves by itself, a unit that restarts for one: no reason to take a plan for outdated. */
  readonly volatile?: boolean
  /** A script that prints the state of all of them and writes nothing. */
  readonly script: (names: readonly string[]) => Script
  /** What the script printed, as one state per name. */
  readonly parse: (output: string, names: readonly string[]) => Map<string, State | Untold>
}

/** What the host cannot tell as it is, and why: it may, once the resource of this id has changed something. */
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
