import { overlap, routeFaults } from '../../../../roles/bot/spec/routes.ts'
import type { Found, Note } from '../../read/finding.ts'
import type { Proxied } from '../../read/proxied.ts'
import type { Entry } from '../entry.ts'
import type { Delivery } from '../webhook.ts'
import { type FrontEnd, frontEnds } from './front-end.ts'
import { proxiedPaths } from './proxied-paths.ts'
import { type Outcome, routeOf, type Sight } from './route-of.ts'
import { domainsIn, type FoundRoute, isPlaceholder, together } from './routes.ts'

export interface PublicPaths {
  readonly entries: readonly Entry[]
  /** For the inventory. */
  readonly domains: readonly string[]
  readonly notes: readonly Note[]
  /** Where processes listen, by their names; that of the bot has none. */
  readonly ports: ReadonlyMap<string, Found<number>>
}

/** The paths and names that the internet reaches the bot by, of the proxies in front of it and the front ends in its image. */
export function publicPaths(sight: Sight): PublicPaths {
  const pages = frontEnds(sight.repository, sight.build)
  const all = proxiedPaths(sight.services, sight.repository, sight.known)
  const outcomes = all.filter((each) => !isPartOfFiles(each, all)).map((each) => routeOf(each, sight, pages))
  const proxied = outcomes.flatMap(({ found = [] }) => found)
  const own = pages.map((each) => unproxied(each, proxied, all))
  const { routes, notes } = together([...proxied, ...own.flatMap(({ found = [] }) => found)])
  const doubt = onlyUpdates(routes, sight.delivery)
  const counted = doubt === undefined ? routes : []
  const domains = domainsIn(counted.flatMap(({ names }) => names))
  return {
    entries: routes.length === 0 ? [] : [entryOf(routes, doubt !== undefined)],
    domains,
    notes: [
      ...[...outcomes, ...own].flatMap(({ note = [] }) => note),
      ...notes,
      ...(doubt === undefined ? nameNotes(counted, domains) : [doubt]),
    ],
    // The first one that is named counts.
    ports: new Map(outcomes.flatMap(({ port }) => (port === undefined ? [] : [port])).reverse()),
  }
}

/** Files that have headers of their own, in a folder that is open as a whole. */
function isPartOfFiles({ path, target, guard }: Proxied, all: readonly Proxied[]): boolean {
  return (
    guard === undefined &&
    'folder' in target &&
    all.some(
      (each) =>
        'folder' in each.target &&
        each.target.folder === target.folder &&
        each.path.length < path.length &&
        overlap(each.path, path),
    )
  )
}

function entryOf(routes: readonly FoundRoute[], isOptional: boolean): Entry {
  return {
    ...{ key: 'public', value: routes.map(({ route }) => route), why: '' },
    whys: Object.fromEntries(routes.map(({ from }, i) => [i, from])),
    ...(isOptional && { optional: true as const }),
  }
}

/** The whole name leads to a bot with a webhook, and nothing else is known: it may be for Telegram alone. */
function onlyUpdates(routes: readonly FoundRoute[], { mode }: Delivery): Note | undefined {
  const [only, ...more] = routes
  if (mode.value !== 'webhook' || only === undefined || more.length > 0) return undefined
  const { path, process, static: folder } = only.route
  if (path !== '/' || process !== undefined || folder !== undefined) return undefined
  const names = domainsIn(only.names)
  return `${only.from}: gives the bot a name of its own${names.length === 0 ? '' : ` (${names.join(', ')})`}: updates come by the name of the host, and need none; if it serves more than these, take the # from "public:" and set "domains: [${names.join(', ') || 'NAME'}]" in the inventory`
}

/** A front end of which no proxy tells. */
function unproxied(
  { folder, base, spa, from, ...page }: FrontEnd,
  found: readonly FoundRoute[],
  all: readonly Proxied[],
): Outcome {
  const keys = `{ path: ${base}, static: FOLDER${spa ? ', spa: true' : ''} }`
  if (page.static !== undefined) {
    if (found.some(({ route }) => route.static === page.static)) return {}
    return { found: { route: { path: base, static: page.static, ...(spa && { spa }) }, names: [], from } }
  }
  // What is said of the proxy's files is enough.
  if (folder === '' || all.some(({ path, target }) => path === base && 'folder' in target)) return {}
  return {
    note: `${from}: the front end in ${folder} is not in the image of the bot: have its Dockerfile build it and copy what it is built to, and list that under "public:" as ${keys}`,
  }
}

/** What an operator has to know of names. */
function nameNotes(routes: readonly FoundRoute[], domains: readonly string[]): Note[] {
  const said = { public: routes.map(({ route }) => route) }
  const examples = domains.filter(isPlaceholder)
  if (examples.length > 0)
    return [
      `${examples.join(', ')}: a name of an example: "domains:" of the inventory takes yours, whose A record leads to the host`,
    ]
  if (domains.length > 0 || routeFaults(said, false).length === 0) return []
  return [
    '"public:" is for browsers, and no name of the bot was found: set "domains: [NAME]" in the inventory, or for other paths than / "shareOrigin: true" here: see docs/bots.md',
  ]
}

/** Without routes to processes that have no place in bot.yaml. */
export function withoutLost(entries: readonly Entry[]): { entries: readonly Entry[]; notes: readonly Note[] } {
  const processes = entries.find(({ key }) => key === 'processes')?.value ?? {}
  const notes: Note[] = []
  const kept = entries.flatMap((entry) => {
    if (entry.key !== 'public' || !Array.isArray(entry.value)) return [entry]
    const routes: readonly { readonly path: string; readonly process?: string }[] = entry.value
    const left = routes.flatMap((route, i) => {
      if (route.process === undefined || Object.hasOwn(processes, route.process))
        return [[route, entry.whys?.[i] ?? ''] as const]
      notes.push(
        `${entry.whys?.[i]}: ${route.path} leads to the process ${route.process}, which is left out: so nobody reaches it`,
      )
      return []
    })
    return left.length === 0
      ? []
      : [
          {
            ...entry,
            value: left.map(([route]) => route),
            whys: Object.fromEntries(left.map(([, why], i) => [i, why])),
          },
        ]
  })
  return { entries: kept, notes }
}

/** Values that are the first of these names, by reference. */
export function withNames(environment: readonly Entry[], { domains, entries }: PublicPaths): readonly Entry[] {
  const [name] = domains
  if (entries.length === 0) return environment
  return environment.map((entry) => {
    const text = String(entry.value)
    // Made of a name that the example leaves empty.
    if (text === 'https://') return { ...entry, value: '${public.url}' }
    if (name === undefined) return entry
    if (text === name) return { ...entry, value: '${public.host}' }
    const rest = text.startsWith(`https://${name}`) ? text.slice(`https://${name}`.length) : undefined
    return rest === undefined || !/^(\/|$)/.test(rest) ? entry : { ...entry, value: `\${public.url}${rest}` }
  })
}
