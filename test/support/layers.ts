import { dirname, join } from 'node:path/posix'

/** What each folder may import besides itself. `test` may import everything. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  playbooks: ['roles', 'lib', 'sandbox'],
  roles: ['lib'],
  lib: [],
  sandbox: ['lib'],
  bench: ['lib', 'sandbox'],
  bots: [],
}

/** The imports that go against the layers, as `importer → imported`, from a map of paths to sources. */
export function forbidden(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, source]) =>
    imports(source)
      .map((path) => join(dirname(file), path))
      .filter((target) => !isAllowed(file, target))
      .map((target) => `${file} → ${target}`),
  )
}

/** The files that may write to the terminal by themselves. */
export function writers(files: ReadonlyMap<string, string>): string[] {
  const ways = [
    /\bprocess\s*(\??\.\s*(stdout|stderr)\b|\[)/,
    /=\s*process\b(?!\s*\.)/,
    /\bconsole(\.\w|\[)/,
    /\b(from|import|require)[\s(]*['"](node:)?(process|console|tty)['"]/,
    /['"]inherit['"]/,
    /\bstreams\.\w+\.write\b/,
    /\/dev\/(tty|stdout|stderr|fd)\b/,
  ]
  return [...files].flatMap(([file, source]) => (ways.some((way) => way.test(source)) ? [file] : []))
}

function isAllowed(file: string, target: string): boolean {
  const [from = '', member] = file.split('/')
  const [to = '', otherMember] = target.split('/')
  const allowed = mayImport[from]
  if (allowed === undefined) return true
  if (from !== to) return allowed.includes(to)
  // Roles and bots know nothing of each other; roles/index.ts, which belongs to none, lists them all.
  const isApart = (from === 'roles' || from === 'bots') && member !== 'index.ts'
  return !isApart || member === otherMember
}

/** Every relative path in an import, an export … from, or an import(). */
function imports(source: string): string[] {
  return [...source.matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*['"`](\.[^'"`]*)['"`]/g)].map(
    ([, path = '']) => path,
  )
}
