import { at, type Found, numbered, type Variable } from './finding.ts'
import { jsonIn, mappingOf, memberOf, textOf } from './untyped.ts'

/** The processes of a Procfile, by name. */
export function procfile(text: string, file: string): ReadonlyMap<string, Found<string>> {
  const lines = numbered(text).flatMap(([line, number]) => {
    const [, name, command = ''] = /^([\w-]+)\s*:\s*(\S.*)$/.exec(line) ?? []
    return name === undefined ? [] : [[name, { value: command.trim(), from: at(file, number) }] as const]
  })
  return new Map(lines)
}

/** The variables that Heroku's app.json asks for. */
export function appJson(text: string, file: string): readonly Variable[] {
  return Object.entries(mappingOf(memberOf(jsonIn(text), 'env')) ?? {}).map(([name, said]) => {
    const line = numbered(text).find(([each]) => each.includes(`"${name}"`))?.[1] ?? 1
    return { name, value: textOf(said) ?? textOf(memberOf(said, 'value')), from: at(file, line) }
  })
}
