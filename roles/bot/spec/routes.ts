import { suggest } from '../../../lib/std/suggest.ts'
import type { Method } from './keys/public.ts'
import type { Processes } from './processes.ts'
import type { BotManifest } from './schema.ts'

/** A path of a bot that the internet may ask for. It is a part of the release record: what was not said is left out. */
export interface Route {
  readonly path: string
  /** The folder in the image with the files. Left out: the bot itself answers. */
  readonly static?: string
  /** The process of the bot that answers. */
  readonly process?: string
  readonly spa?: true
  readonly methods?: readonly Method[]
  /** The largest body of a request: `10m`. */
  readonly body?: string
  /** Requests a second of one client. */
  readonly rate?: number
  /** The networks that may ask for it. */
  readonly from?: readonly string[]
  readonly websocket?: true
}

type SaidRoute = NonNullable<BotManifest['public']>[number]
type Said = Pick<BotManifest, 'public' | 'shareOrigin'>

/** What a version says of its routes. */
export interface RoutesOf {
  readonly public?: readonly Route[]
  /** Pages may be on the name of the host. */
  readonly shareOrigin?: true
}

/** The routes in the order of their paths, so that a manifest in another order is the same version. */
export function routesOf({ public: said = [], shareOrigin }: Said): RoutesOf {
  if (said.length === 0) return {}
  const routes = said.map(
    ({ path, static: folder, process, spa, methods, body, rate, from, websocket }): Route => ({
      path,
      ...(folder !== undefined && { static: folder }),
      ...(process !== undefined && { process }),
      ...(spa && { spa: true as const }),
      ...(methods !== undefined && { methods: [...new Set(methods)].sort() }),
      ...(body !== undefined && { body }),
      ...(rate !== undefined && { rate }),
      ...(from !== undefined && { from: [...new Set(from)].sort() }),
      ...(websocket && { websocket: true as const }),
    }),
  )
  return { public: routes.sort((a, b) => (a.path < b.path ? -1 : 1)), ...(shareOrigin && { shareOrigin }) }
}

/** The routes of a version that are on the name of the host, where it has no name of its own. */
export function routesOnHost({ public: routes = [], shareOrigin }: RoutesOf): readonly Route[] {
  return routes.filter((route) => route.path !== '/' && (shareOrigin === true || !isForBrowsers(route)))
}

/** Routes that lead to a process which is not there, or does not listen. */
export function processRouteConflicts({
  public: routes = [],
  processes = {},
}: RoutesOf & { readonly processes?: Processes }): string[] {
  return routes.flatMap(({ path, process }) => {
    if (process === undefined || processes[process]?.port !== undefined) return []
    const why =
      processes[process] === undefined
        ? `names no process of the bot${suggest(process, Object.keys(processes))}: list it under "processes:"`
        : `names a process that listens nowhere: set "port:" of processes.${process}`
    return [`public: ${path}: process: ${process} ${why}`]
  })
}

/** Whether one of these paths is the other, or below it. */
export function overlap(one: string, other: string): boolean {
  const below = (path: string) => (path === '/' ? path : `${path}/`)
  return one === other || one.startsWith(below(other)) || other.startsWith(below(one))
}

/** What is wrong with routes, as lines `public[0]: what`; `ownName`: the bot has a domain of its own. */
export function routeFaults({ public: said = [], shareOrigin = false }: Said, ownName: boolean): readonly string[] {
  return said.flatMap((route, i) => {
    const { path } = route
    const twin = said.findIndex((other, j) => j < i && overlap(path, other.path) && !isWhole(path, other.path))
    const faults = [
      ...(twin < 0 ? [] : [`overlaps with ${said[twin]?.path} of public[${twin}]: give each a path of its own`]),
      ...reserved(path, ownName),
      ...staticFaults(route),
      ...(ownName || shareOrigin || !isForBrowsers(route) ? [] : [originFault]),
    ]
    return faults.map((fault) => `public[${i}]: ${path} ${fault}`)
  })

  // On a name of its own the longer path wins, and the rest is the whole.
  function isWhole(one: string, other: string): boolean {
    return one !== other && (one === '/' || other === '/')
  }
}

const originFault =
  'is for browsers, and on the name of the host its cookies and localStorage are shared with the pages of all bots there: set "domains:" of this bot in the inventory, which gives it a name of its own, or "shareOrigin: true" if that may be, or leave GET and HEAD out of "methods:" if only programs call it'

function reserved(path: string, ownName: boolean): readonly string[] {
  if (overlap(path, '/.well-known') && path !== '/')
    return ['is where authorities prove the name of a host: choose another path']
  if (ownName) return []
  if (path === '/') return ['is the whole name of the host: choose a path like /app, or give the bot a name of its own']
  return overlap(path, '/tg') ? ['is where Telegram delivers updates: choose another path'] : []
}

function staticFaults(route: SaidRoute): readonly string[] {
  if (route.static === undefined)
    return route.spa ? ['has "spa: true" without "static:", the folder with its index.html'] : []
  const useless = (['process', 'methods', 'body', 'websocket'] as const).filter((key) => route[key] !== undefined)
  return useless.map((key) => `has "${key}:", and files are only read: remove it, or remove "static:"`)
}

interface Reached {
  readonly static?: string | undefined
  readonly methods?: readonly Method[] | undefined
  readonly websocket?: boolean | undefined
}

/** Whether a browser could open it as a page, or a page call it: then it has an origin. */
function isForBrowsers({ static: folder, methods, websocket }: Reached): boolean {
  const reads = methods === undefined || methods.includes('GET') || methods.includes('HEAD')
  return folder !== undefined || websocket === true || reads
}
