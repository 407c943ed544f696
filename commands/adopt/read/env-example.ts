import { at, numbered, type Variable } from './finding.ts'

/** The variables of a `.env.example`. What is commented out is left out: a bot starts without it. */
export function envExample(text: string, file: string): readonly Variable[] {
  return numbered(text).flatMap(([line, number]) => {
    const [, name, rest = ''] = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/.exec(line) ?? []
    return name === undefined ? [] : [{ name, value: shownValue(rest.trim()), from: at(file, number) }]
  })
}

function shownValue(text: string): string {
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"/.exec(text) ?? /^'([^']*)'/.exec(text) ?? []
  if (quoted !== undefined) return quoted.trim()
  return text.replace(/(^|\s+)#.*$/, '').trim()
}
