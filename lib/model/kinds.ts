import type { Kind } from './reading.ts'

type Parse<State> = Kind<State>['parse']

/** The parser of a kind that there is one of on a host: the whole output is its state. */
export function oneValue<State>(parse: (output: string) => State): Parse<State> {
  return (output, names) => {
    const state = parse(output)
    return new Map(names.map((name) => [name, state]))
  }
}

/** The parser of a kind whose script prints a line for each name, in the order of the names; '' where it printed too few. */
export function lineEach<State>(parse: (line: string, name: string) => State, end = '\n'): Parse<State> {
  return (output, names) => inOrder(names, output.split(end), parse)
}

/** The parser of a kind whose script prints `WORD NAME` and further lines for each name, in the order of the names. */
export function blockEach<State>(word: string, parse: (block: string, name: string) => State): Parse<State> {
  return (output, names) => inOrder(names, output.split(new RegExp(`^${word} `, 'm')).slice(1), parse)
}

function inOrder<State>(
  names: readonly string[],
  parts: readonly string[],
  parse: (part: string, name: string) => State,
): Map<string, State> {
  return new Map(names.map((name, i) => [name, parse(parts[i] ?? '', name)]))
}
