import { dirname, join } from 'node:path/posix'

const pure = ['lib/std', 'lib/shell', 'lib/model', 'lib/resources', 'lib/platform', 'lib/health']

/**
 * What each room may import besides what is in it. A folder is a room if it is listed here; `*` is any one folder, and has
 * neighbours that it may not import. `test` and `docs` may import everything.
 */
const doors: Readonly<Record<string, readonly string[]>> = {
  playbooks: ['commands', 'roles', 'sandbox', 'lib'],
  'commands/*': ['roles', 'lib'],
  'commands/restore': ['commands/backup', 'roles', 'lib'],
  'commands/doctor': ['commands/backup', 'commands/mesh', 'commands/restore', 'commands/status', 'roles', 'lib'],
  'commands/standby': ['commands/mesh', 'roles', 'lib'],
  'commands/update': ['commands/mesh', 'roles', 'lib'],
  'commands/status': ['commands/backup', 'commands/mesh', 'roles', 'lib'],
  'commands/move': ['commands/deploy', 'commands/restore', 'commands/update', 'roles', 'lib'],
  'commands/failover': ['commands/deploy', 'commands/mesh', 'commands/move', 'commands/standby', 'roles', 'lib'],
  'commands/replicas': ['commands/deploy', 'commands/move', 'roles', 'lib'],
  'commands/adopt/read': ['lib/std'],
  'commands/adopt/decide': ['commands/adopt/read', 'roles/bot/spec'],
  'commands/adopt/write': ['commands/adopt/read', 'commands/adopt/decide', 'roles/bot/spec', 'lib/std'],
  roles: ['lib/model'],
  'roles/*': pure,
  'roles/bot/spec': pure,
  'roles/bot/telegram': [...pure, 'roles/bot/spec'],
  'roles/bot/data': [...pure, 'roles/bot/spec'],
  'roles/bot/cache': [...pure, 'roles/bot/spec', 'roles/bot/data'],
  'roles/bot/public': [...pure, 'roles/bot/spec', 'roles/bot/data'],
  'roles/bot/release': [...pure, 'roles/bot/spec', 'roles/bot/data', 'roles/bot/telegram', 'roles/bot/public'],
  'roles/bot/jobs': [...pure, 'roles/bot/spec', 'roles/bot/cache', 'roles/bot/release'],
  'lib/std': [],
  'lib/shell': ['lib/std'],
  'lib/model': ['lib/std', 'lib/shell'],
  'lib/resources': ['lib/std', 'lib/shell', 'lib/model'],
  'lib/platform': ['lib/std', 'lib/shell', 'lib/model', 'lib/resources'],
  'lib/health': ['lib/std', 'lib/shell'],
  'lib/inventory': ['lib/std', 'lib/model'],
  'lib/ssh': ['lib/std', 'lib/shell', 'lib/model'],
  'lib/engine': ['lib/std', 'lib/shell', 'lib/model', 'lib/ssh'],
  'lib/report': ['lib/std', 'lib/shell', 'lib/model', 'lib/ssh', 'lib/engine'],
  'lib/cli': ['lib'],
  sandbox: ['lib'],
  'sandbox/machine': ['lib'],
  'sandbox/images': ['lib', 'sandbox/machine'],
  'sandbox/services': ['lib', 'sandbox/machine', 'sandbox/images'],
  'sandbox/vps': ['lib', 'sandbox/machine', 'sandbox/images', 'sandbox/services'],
  'sandbox/cli': ['lib', 'sandbox'],
  // It is copied into an image, where there is nothing else.
  'sandbox/telegram': [],
  bench: ['lib', 'roles', 'commands/status', 'sandbox'],
  'bots/*': [],
}

const free = ['test', 'docs']

/** The imports that no door allows, type imports included, as `importer → imported`, from a map of paths to sources. */
export function forbidden(files: ReadonlyMap<string, string>): string[] {
  return [...files].flatMap(([file, source]) =>
    importsOf(file, source)
      .filter((target) => !isAllowed(file, target))
      .map((target) => `${file} → ${target}`),
  )
}

/** The files that are in no room. */
export function homeless(paths: readonly string[]): string[] {
  return paths.filter((path) => roomOf(path) === undefined && !free.includes(path.split('/')[0] ?? ''))
}

/** Each circle of imports, type imports included, as `a → b → a`: one for every import that closes one. */
export function circles(files: ReadonlyMap<string, string>): string[] {
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    if (path.includes(file)) found.push([...path.slice(path.indexOf(file)), file].join(' → '))
    if (done.has(file)) return
    done.add(file)
    for (const target of importsOf(file, files.get(file) ?? '')) visit(target, [...path, file])
  }
  for (const file of files.keys()) visit(file, [])
  return found
}

/** The files of roles that could start a process or send a request on this machine. */
export function impure(files: ReadonlyMap<string, string>): string[] {
  const ways = [
    /['"`](node:)?(child_process|cluster|worker_threads|https?|http2|tls|dgram|undici)['"`]/,
    /['"`](zx|execa)(\/\w+)?['"`]/,
    /\bfetch\(/,
    /\bprocess\.(binding|kill)\b/,
  ]
  return [...files]
    .filter(([file]) => file.startsWith('roles/'))
    .filter(
      ([file, source]) =>
        ways.some((way) => way.test(source)) || importsOf(file, source).includes('lib/shell/local.ts'),
    )
    .map(([file]) => file)
}

/** The folders with more files than this in them, those below not counted, as `FOLDER: COUNT`. */
export function crowded(paths: readonly string[], most: number): string[] {
  const folders = Map.groupBy(paths, (path) => dirname(path))
  return [...folders].flatMap(([folder, { length }]) => (length > most ? [`${folder}: ${length}`] : []))
}

/** The files of more lines than this, as `FILE: COUNT`. */
export function long(files: ReadonlyMap<string, string>, most: number): string[] {
  return [...files].flatMap(([file, source]) => {
    const lines = source.split('\n').length - 1
    return lines > most ? [`${file}: ${lines}`] : []
  })
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
  const room = roomOf(file)
  if (room === undefined) return true
  // roles/index.ts belongs to no role, and lists them all.
  return [room.path, ...room.allowed].some((each) => target.startsWith(`${each}/`))
}

/** The innermost room of a file. */
function roomOf(file: string): { path: string; allowed: readonly string[] } | undefined {
  const folders = dirname(file).split('/')
  for (let depth = folders.length; depth > 0; depth--) {
    const path = folders.slice(0, depth).join('/')
    const allowed = doors[path] ?? doors[[...folders.slice(0, depth - 1), '*'].join('/')]
    if (allowed !== undefined) return { path, allowed }
  }
  return undefined
}

/** Every relative path in an import, an export … from, or an import(), from the root. */
function importsOf(file: string, source: string): string[] {
  return [...source.matchAll(/(?:\bfrom|\bimport|\bimport\s*\(|\brequire\s*\()\s*['"`](\.[^'"`]*)['"`]/g)].map(
    ([, path = '']) => join(dirname(file), path),
  )
}
