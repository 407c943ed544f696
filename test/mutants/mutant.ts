/** One change to one file: the text between two places becomes another. */
export interface Edit {
  readonly operator: string
  readonly start: number
  readonly end: number
  readonly text: string
}

export interface Mutant extends Edit {
  /** Whether what comes of it can be parsed; asked only of those that are drawn. */
  readonly parses: () => boolean
}

export function mutated(source: string, { start, end, text }: Edit): string {
  return source.slice(0, start) + text + source.slice(end)
}

/** The line of a place, from 1. */
export function lineOf(source: string, place: number): number {
  return source.slice(0, place).split('\n').length
}
