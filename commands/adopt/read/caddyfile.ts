import { at, numbered } from './finding.ts'
import { hostAndPort, nothing, type Proxied, type ProxyTarget, plainly } from './proxied.ts'

interface Line {
  readonly words: readonly string[]
  readonly number: number
  readonly inner: readonly Line[]
}

const maxDepth = 8

/** What the sites of a Caddyfile have open. */
export function caddySites(text: string, file: string, known: ReadonlyMap<string, string>): readonly Proxied[] {
  const filled = text.replaceAll(
    /\{\$(\w+)(?::([^}\n]{0,300}))?\}/g,
    (_, name: string, fallback = '') => known.get(name) || fallback,
  )
  const lines = linesIn(filled)
  const [first, ...rest] = lines
  // A single site needs no braces.
  const sites =
    first !== undefined && lines.every(({ inner }, i) => i > 0 || inner.length === 0) && rest.some(isDirective)
      ? [{ ...first, inner: rest }]
      : lines
  return sites.flatMap(({ words, inner }) => {
    // Options of the whole, and pieces that others import.
    if (inner.length === 0 || words[0]?.startsWith('(')) return []
    const names = words
      .flatMap((each) => each.split(','))
      .map((each) => each.replace(/^https?:\/\//, '').replace(/[:/].*$/, ''))
    return routesIn(inner, '/', false, undefined, file).map((each) => ({ ...each, names: names.filter(Boolean) }))
  })
}

function isDirective({ words }: Line): boolean {
  return /^(reverse_proxy|file_server|handle|root|route)/.test(words[0] ?? '')
}

function routesIn(
  lines: readonly Line[],
  path: string,
  strips: boolean,
  root: string | undefined,
  file: string,
): Proxied[] {
  const matchers = new Map(
    lines.flatMap(({ words: [name = '', ...rest], inner }) => {
      if (!name.startsWith('@')) return []
      const said =
        rest[0] === 'path' ? rest.slice(1) : inner.flatMap(({ words: [key, ...more] }) => (key === 'path' ? more : []))
      return [[name, said] as const]
    }),
  )
  const of = (key: string) => lines.filter(({ words }) => words[0] === key)
  const guard = lines.find(({ words: [key = ''] }) => /^(basic_?auth|forward_auth|authorize|authenticate)$/.test(key))
    ?.words[0]
  const folder = of('root')[0]?.words.at(-1) ?? root
  const body = /^([1-9]\d{0,3})([kmg])b?$/i.exec(
    of('request_body')[0]?.inner.find(({ words }) => words[0] === 'max_size')?.words[1] ?? '',
  )
  const spa = of('try_files').some(({ words }) => /index\.html$/.test(words.at(-1) ?? ''))
  const route = (where: string, target: ProxyTarget, number: number): Proxied => ({
    ...{ ...plainly, path: where, target, strips, spa, guard, from: at(file, number) },
    // Caddy lets connections be upgraded unasked.
    body: body === null ? undefined : `${body[1]}${body[2]?.toLowerCase()}`,
  })
  return lines.flatMap(({ words: [key, ...rest], inner, number }) => {
    const [first = ''] = rest
    const places = first.startsWith('@') ? (matchers.get(first) ?? []) : first.startsWith('/') ? [first] : [path]
    if (key === 'reverse_proxy') {
      const target = hostAndPort(
        rest.filter((word) => !/^[@/*]/.test(word))[0] ?? inner.find(({ words }) => words[0] === 'to')?.words[1] ?? '',
      )
      return target === undefined ? [] : places.map((place) => route(trimmed(place), target, number))
    }
    if (key === 'respond' && /^4\d\d$/.test(rest.at(-1) ?? '') && places[0] !== path)
      return places.map((place) => ({ ...route(trimmed(place), nothing, number), guard: 'respond' }))
    if (key === 'file_server')
      return folder === undefined ? [] : places.map((place) => route(trimmed(place), { folder }, number))
    if (key !== 'handle' && key !== 'handle_path' && key !== 'route') return []
    return places.flatMap((place) => {
      const inside = routesIn(inner, trimmed(place), strips || (key === 'handle_path' && place !== path), folder, file)
      return guard === undefined ? inside : inside.map((each) => ({ ...each, guard }))
    })
  })
}

function trimmed(path: string): string {
  return path.replace(/\*$/, '').replace(/\/+$/, '') || '/'
}

function linesIn(text: string): readonly Line[] {
  const root: Line[] = []
  const open = [root]
  for (const [line, number] of numbered(text)) {
    const said = line.replace(/(^|\s)#.*$/, '').trim()
    if (said === '') continue
    if (said === '}') {
      if (open.length > 1) open.pop()
      continue
    }
    const opens = /(^|\s)\{$/.test(said)
    const words = opens ? said.slice(0, -1).trim() : said
    const inner: Line[] = []
    if (open.length <= maxDepth)
      open.at(-1)?.push({ words: words.split(/\s+/).filter(Boolean).slice(0, 100), number, inner })
    if (opens) open.push(inner)
  }
  return root
}
