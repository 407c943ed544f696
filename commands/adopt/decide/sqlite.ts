import { dirname } from 'node:path/posix'
import { inFolder } from '../read/dockerfile.ts'
import type { Found, Note } from '../read/finding.ts'
import type { Meant } from './variables.ts'

/** Where files of SQLite go. `isSource`: whether there is code at a path, which a folder that lasts would hide. A variable's value is moved out of the folder of the code, what the code names itself stays. */
export interface SqliteFiles {
  readonly data: readonly Found<string>[]
  /** Values for variables, by name. */
  readonly values: ReadonlyMap<string, string>
  readonly notes: readonly Note[]
}

export function sqliteFiles(
  variables: readonly Meant[],
  opened: readonly Found<string>[],
  workdir: string,
  isSource: (path: string) => boolean,
): SqliteFiles {
  const data: Found<string>[] = []
  const notes: Note[] = []
  const values = new Map<string, string>()
  const named = variables.filter(({ meaning, value = '' }) => meaning === 'sqlite' && value !== '')
  for (const { name, value = '', from } of named) {
    const [, scheme = '', path = '', query = ''] =
      /^((?:sqlite(?:\+\w+)?:\/\/\/?|file:(?:\/\/)?)?)([^?]+)(\?(?!.*(?:key|pass))[\w=&.-]*)?/i.exec(value) ?? []
    // sqlite:////data/x.db has a path with a slash, sqlite:///x.db one without.
    const file = settled(inFolder(workdir, path), workdir, isSource)
    data.push({ value: dirname(file), from })
    values.set(name, `${scheme.replace(/^(sqlite(?:\+\w+)?:\/\/)\/?$/, '$1/')}${file}${query}`)
  }
  if (named.length === 0)
    for (const { value, from } of opened) {
      const file = inFolder(workdir, value)
      if (isBesideCode(file, workdir, isSource) || /[{}$%]/.test(value))
        notes.push(
          `${from}: opens ${value} in a folder of the code, which is read-only here: have the bot open data/${value.replace(/^.*\//, '')}, and set "data: [${workdir === '/' ? '' : workdir}/data]"`,
        )
      else data.push({ value: dirname(file), from })
    }
  return { data, values, notes }
}

/** A file beside the code goes to a folder of its own. */
function settled(file: string, workdir: string, isSource: (path: string) => boolean): string {
  const name = file.slice(file.lastIndexOf('/') + 1)
  return isBesideCode(file, workdir, isSource) ? inFolder(workdir, `data/${name}`) : file
}

function isBesideCode(file: string, workdir: string, isSource: (path: string) => boolean): boolean {
  const folder = dirname(file)
  const inside = workdir === '/' ? workdir : `${workdir}/`
  return folder === workdir || folder === '/' || (folder.startsWith(inside) && isSource(folder.slice(inside.length)))
}
