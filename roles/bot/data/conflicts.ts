import type { Spec } from '../spec/spec.ts'

/** Folders of a bot that cannot be as it says, as lines `data: what`. */
export function dataConflicts({ data = [], scratch = [] }: Pick<Spec, 'data' | 'scratch'>): readonly string[] {
  return data.flatMap((path) => {
    const outer = data.find((other) => path.startsWith(`${other}/`))
    return [
      ...(scratch.includes(path) ? [`data: ${path} is under "scratch:" as well, which is emptied at every start`] : []),
      ...(outer === undefined ? [] : [`data: ${path} is a part of ${outer}, which lasts already: leave it out`]),
    ]
  })
}
