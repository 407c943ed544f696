import * as v from 'valibot'
import { domain } from '../../../../roles/bot/spec/keys/domains.ts'
import { overlap, routeFaults } from '../../../../roles/bot/spec/routes.ts'
import { type BotManifest, botManifestSchema } from '../../../../roles/bot/spec/schema.ts'
import type { Note } from '../../read/finding.ts'

type Route = NonNullable<BotManifest['public']>[number]

/** A path that the internet asked for before, as bot.yaml has it. */
export interface FoundRoute {
  readonly route: Route
  readonly names: readonly string[]
  readonly from: string
}

/** Routes that may stand beside each other, each path once. What leads to the same place is one route. */
export function together(found: readonly FoundRoute[]): { routes: readonly FoundRoute[]; notes: readonly Note[] } {
  const routes: FoundRoute[] = []
  const notes: Note[] = []
  for (const each of found.toSorted((a, b) => a.route.path.length - b.route.path.length)) {
    const { path } = each.route
    const twin = routes.findIndex(({ route }) => overlap(route.path, path) && isSame(route, each.route))
    const first = routes[twin]
    if (first !== undefined) {
      routes[twin] = merged(first, each)
      continue
    }
    const fault = faultOf(each.route) ?? faultBeside(each.route, routes)
    if (fault === undefined) routes.push(each)
    else
      notes.push(
        `${each.from}: the path ${path}${each.names.length === 0 ? '' : ` of ${each.names.join(', ')}`} is not mapped: ${fault}`,
      )
  }
  return { routes: routes.sort((a, b) => (a.route.path < b.route.path ? -1 : 1)), notes }
}

/** Whether both lead to the same place for the same people. A path below a whole name has its own limits there. */
function isSame(one: Route, other: Route): boolean {
  return (
    one.static === other.static &&
    one.process === other.process &&
    JSON.stringify(one.from) === JSON.stringify(other.from) &&
    (one.path !== '/' ||
      other.path === '/' ||
      one.static !== undefined ||
      (one.body === other.body && one.websocket === other.websocket))
  )
}

function merged(one: FoundRoute, other: FoundRoute): FoundRoute {
  const { websocket, spa } = {
    websocket: one.route.websocket || other.route.websocket,
    spa: one.route.spa || other.route.spa,
  }
  const body = larger(one.route.body, other.route.body)
  return {
    route: { ...one.route, ...(spa && { spa }), ...(body !== undefined && { body }), ...(websocket && { websocket }) },
    names: [...new Set([...one.names, ...other.names])],
    from: one.from === other.from ? one.from : `${one.from}, ${other.from}`,
  }
}

function larger(one: string | undefined, other: string | undefined): string | undefined {
  const size = (said = '0k') => Number.parseInt(said, 10) * 1024 ** ('kmg'.indexOf(said.slice(-1)) + 1)
  return size(other) > size(one) ? other : one
}

function faultOf(route: Route): string | undefined {
  const { issues } = v.safeParse(botManifestSchema, { public: [route] })
  return issues?.[0]?.message
}

function faultBeside(route: Route, others: readonly FoundRoute[]): string | undefined {
  const same = others.find((each) => each.route.path === route.path)
  if (same !== undefined)
    return `it is ${same.from} that has it, and all names of a bot have the same paths: give one of them a path, or a bot, of its own`
  const [fault] = routeFaults({ public: [...others.map((each) => each.route), route] }, true).slice(-1)
  return fault?.replace(/^public\[\d+\]: \S+ /, '')
}

/** The names that a certificate can be had for. */
export function domainsIn(names: readonly string[]): readonly string[] {
  return [...new Set(names.map((name) => name.toLowerCase()))].filter((name) => v.is(domain, name)).slice(0, 10)
}

/** A name that stands in examples. */
export function isPlaceholder(name: string): boolean {
  return /(^|\.)(example|(your|my)?-?(domain|site|bot|shop|app))\.[a-z]{2,4}$|\.(example|test|local|localhost)$/.test(
    name,
  )
}
