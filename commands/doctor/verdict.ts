/** What became of a promise when it was tried. */
export type Verdict = Promised &
  (
    | { readonly result: 'kept' }
    | { readonly result: 'broken'; readonly faults: readonly Fault[] }
    | { readonly result: 'skipped'; readonly why: string }
  )

/** A promise of docs/security.md, as far as it can be tried on what runs. */
export interface Promised {
  /** The same each time: `bot-network`. */
  readonly id: string
  /** Left out: it is about the host. */
  readonly bot?: string
  /** The promise itself, as the end of a line. */
  readonly promise: string
}

export interface Fault {
  /** What was seen, in one line. */
  readonly what: string
  /** The command that mends it, or that shows more where only a person can decide. */
  readonly mend: string
}

export function judged(promised: Promised, faults: readonly Fault[]): Verdict {
  return faults.length === 0 ? { ...promised, result: 'kept' } : { ...promised, result: 'broken', faults }
}

export function skipped(promised: Promised, why: string): Verdict {
  return { ...promised, result: 'skipped', why }
}
