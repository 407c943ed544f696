import { at } from './finding.ts'
import { hostAndPort, nothing, type Proxied, type ProxyTarget, plainly } from './proxied.ts'

interface Directive {
  readonly words: readonly string[]
  readonly line: number
  readonly inner: readonly Directive[]
}

const maxDirectives = 3000
const maxDepth = 8

/** The locations of an nginx configuration, and the folders of its servers. */
export function nginxLocations(text: string, file: string): readonly Proxied[] {
  const all = directivesIn(text)
  const http = [...all, ...all.filter(({ words }) => words[0] === 'http').flatMap(({ inner }) => inner)]
  const upstreams = new Map(
    http.flatMap(({ words: [name, of = ''], inner }) =>
      name === 'upstream' ? [[of, firstOf(inner, 'server') ?? ''] as const] : [],
    ),
  )
  const servers = http.filter(({ words }) => words[0] === 'server')
  return servers.flatMap(({ inner }) => serverRoutes(inner, http, upstreams, file))
}

function serverRoutes(
  server: readonly Directive[],
  http: readonly Directive[],
  upstreams: ReadonlyMap<string, string>,
  file: string,
): Proxied[] {
  const names = server.flatMap(({ words: [key, ...rest] }) =>
    key === 'server_name' ? rest.filter((name) => /[a-z]/i.test(name)) : [],
  )
  return server.flatMap(({ words, inner, line }) => {
    if (words[0] !== 'location') return []
    const [modifier, said = ''] = words.length > 2 ? [words[1], words[2]] : ['', words[1]]
    const access = accessOf(inner, server)
    const isPattern = /^~/.test(modifier ?? '')
    const closed = isPattern ? closedPattern(said, access.guard) : said
    const open = isPattern ? undefined : targetOf(inner, server, upstreams)
    const target = open ?? (access.guard === undefined ? undefined : nothing)
    // A name with @ is no path.
    if (target === undefined || closed === undefined || !closed.startsWith('/')) return []
    const settings = [...inner, ...server, ...http]
    const path = closed.replace(/\/+$/, '') || '/'
    const passed = firstOf(inner, 'proxy_pass')
    return [
      {
        ...{ ...plainly, names, path, target, from: at(file, line) },
        strips: path !== '/' && passed !== undefined && /^https?:\/\/[^/]+\/$/.test(passed),
        websocket: inner.some(({ words: [key, name] }) => key === 'proxy_set_header' && /^upgrade$/i.test(name ?? '')),
        spa: inner.some(({ words: [key, ...rest] }) => key === 'try_files' && /index\.html$/.test(rest.at(-1) ?? '')),
        body: bodyOf(firstOf(settings, 'client_max_body_size')),
        ...access,
      },
    ]
  })
}

/** What a pattern with a guard is about, at least; most patterns are about kinds of files, and names that begin with a dot. */
function closedPattern(pattern: string, guard: string | undefined): string | undefined {
  if (guard === undefined || /^\^?\/?\\\./.test(pattern)) return undefined
  const [, prefix = ''] = /^\^?(\/[\w/-]*)/.exec(pattern) ?? []
  return prefix.length > 1 ? prefix : '/~'
}

function targetOf(
  location: readonly Directive[],
  server: readonly Directive[],
  upstreams: ReadonlyMap<string, string>,
): ProxyTarget | undefined {
  const said = firstOf(location, 'proxy_pass')
  // A variable is set so that nginx starts without the service.
  const set = [...location, ...server].find(
    ({ words }) => words[0] === 'set' && words[1] === said?.replace(/\/.*$/, ''),
  )
  const passed = set?.words[2] ?? said
  if (passed !== undefined) {
    const target = hostAndPort(passed)
    return target === undefined ? undefined : (hostAndPort(upstreams.get(target.host) ?? '') ?? target)
  }
  const isFiles = location.some(({ words: [key = ''] }) => /^(root|alias|try_files|index)$/.test(key))
  const folder = firstOf(location, 'alias') ?? firstOf(location, 'root') ?? firstOf(server, 'root')
  return isFiles && folder !== undefined ? { folder: folder.replace(/\/+$/, '') } : undefined
}

function accessOf(location: readonly Directive[], server: readonly Directive[]): Pick<Proxied, 'allowed' | 'guard'> {
  const guards = /^(auth_basic|auth_request|auth_jwt|internal|ssl_verify_client|satisfy|deny|secure_link|limit_except)$/
  const said = (of: readonly Directive[], test: RegExp) => of.filter(({ words: [key = ''] }) => test.test(key))
  const rules = said(location, /^(allow|deny)$/).length > 0 ? location : server
  const allowed = said(rules, /^allow$/).flatMap(({ words }) => words[1] ?? [])
  const isClosed = said(rules, /^deny$/).some(({ words }) => words[1] === 'all')
  const refused = (of: readonly Directive[]) =>
    of.filter(({ words }) => words[0] === 'return' && /^4\d\d$/.test(words[1] ?? ''))
  const tests = said(location, /^if$/).filter(
    ({ words, inner }) => refused(inner).length > 0 && !/request_method/.test(words[1] ?? ''),
  )
  const found = [...said(location, guards), ...said(server, guards), ...refused(location), ...tests]
  const guard = found.find(
    ({ words }) => words[1] !== 'off' && !(words[0] === 'deny' && isClosed && allowed.length > 0),
  )
  return { allowed: isClosed ? allowed : [], guard: guard?.words[0] }
}

function bodyOf(said: string | undefined): string | undefined {
  const [, number, unit = ''] = /^([1-9]\d{0,3})([kmg])$/i.exec(said ?? '') ?? []
  return number === undefined ? undefined : `${number}${unit.toLowerCase()}`
}

function firstOf(directives: readonly Directive[], key: string): string | undefined {
  return directives.find(({ words }) => words[0] === key)?.words[1]
}

/** The tree of an nginx configuration; what is not closed ends with the file. */
function directivesIn(text: string): readonly Directive[] {
  const token = /\s+|#[^\n]*|[{};]|"(?:[^"\\\n]|\\.){0,300}"|'(?:[^'\\\n]|\\.){0,300}'|(?:\$\{\w*\}|[^\s{};"'])+|./gy
  const root: Directive[] = []
  const open = [root]
  let words: string[] = []
  let [line, count] = [1, 0]
  for (const [piece] of text.matchAll(token)) {
    const here = line
    line += piece.split('\n').length - 1
    if (/^(\s|#)/.test(piece)) continue
    if (!/^[{};]$/.test(piece)) {
      if (words.length < 100) words.push(piece.replace(/^(["'])(.*)\1$/s, '$2'))
      continue
    }
    if (piece === '}') {
      if (open.length > 1) open.pop()
    } else if (words.length > 0 || piece === '{') {
      const inner: Directive[] = []
      if (count++ < maxDirectives) open.at(-1)?.push({ words, line: here, inner })
      if (piece === '{') open.push(open.length < maxDepth ? inner : [])
    }
    words = []
  }
  return root
}
