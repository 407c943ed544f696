import { isAddress } from '../../../lib/platform/certificate.ts'
import { methods } from '../spec/keys/public.ts'
import type { Route } from '../spec/routes.ts'
import { staticRoot } from './layout.ts'

/** Where a route leads, and under which name. */
export interface RouteTarget {
  readonly bot: string
  /** `https://bots.example.org`. */
  readonly origin: string
  /** Where a route that is no folder leads: `http://10.210.1.2:3000`. */
  readonly backend: (route: Route) => string
  /** By route: the folders of its files, that of the version that serves first, as they are called below those of the bot. */
  readonly folders: Readonly<Record<string, readonly string[]>>
}

/** Requests a second of one client on a route that says nothing of them: a page with a hundred files is one burst. */
const defaultRate = 50

/** The zone in which nginx counts the requests of each client on a route. */
function zoneOf(bot: string, { path }: Route): string {
  return `${bot}${path}`
}

/** The zones of the routes, for the level of http. */
export function zonesText(bot: string, routes: readonly Route[]): string {
  return routes
    .map(
      (route) =>
        `limit_req_zone $binary_remote_addr zone=${zoneOf(bot, route)}:512k rate=${route.rate ?? defaultRate}r/s;\n`,
    )
    .join('')
}

/** The locations of the routes, for a server. */
export function locationsText(routes: readonly Route[], target: RouteTarget): string {
  // The first that matches is taken, so the whole of a name comes last.
  const inOrder = [...routes].sort((a, b) => b.path.length - a.path.length)
  return inOrder.map((route) => locationText(route, target)).join('')
}

function locationText(route: Route, target: RouteTarget): string {
  const lines = [
    ...guards(route, target.bot),
    ...headers(target.origin),
    ...(route.static === undefined ? proxied(route, target) : files(route, target)),
  ]
  return `location ~ ${patternOf(route.path)} {\n${lines.map((line) => `    ${line}\n`).join('')}}\n`
}

/** One location for `/app` and all below it, and for nothing else that begins with these letters. */
function patternOf(path: string): string {
  return path === '/' ? '^/' : `^${path.replaceAll('.', String.raw`\.`)}(/|$)`
}

/** Who may ask, how often, and with what. A location with limits of its own has none of those for strangers. */
function guards(route: Route, bot: string): string[] {
  const allowed = route.static === undefined ? (route.methods ?? methods) : ['GET', 'HEAD']
  return [
    `set $bot ${bot};`,
    `limit_except ${allowed.join(' ')} { deny all; }`,
    ...(route.from ?? []).map((network) => `allow ${network};`),
    ...(route.from === undefined ? [] : ['deny all;']),
    `limit_req zone=${zoneOf(bot, route)} burst=${2 * (route.rate ?? defaultRate)} nodelay;`,
    'limit_conn routes_by_client 100;',
    'limit_conn routes_by_bot 400;',
    'limit_conn routes 600;',
    // The error log has whole requests, and a query may hold a secret. What was refused is in the access log as well.
    'error_log stderr crit;',
  ]
}

/** Where one is added here, none of the server's holds any more: so these are all. */
function headers(origin: string): string[] {
  const { hostname } = new URL(origin)
  return [
    'add_header Content-Security-Policy $route_policy always;',
    'add_header Referrer-Policy $route_referrer always;',
    'add_header X-Content-Type-Options nosniff always;',
    ...(isAddress(hostname) ? [] : ['add_header Strict-Transport-Security "max-age=63072000" always;']),
  ]
}

function proxied(route: Route, { origin, backend }: RouteTarget): string[] {
  const { body = '1m', websocket } = route
  const { port } = new URL(origin)
  return [
    `client_max_body_size ${body};`,
    // Uploads go on to the bot as they come, downloads at the pace of the client: nothing is kept in the memory of nginx.
    'client_body_buffer_size 16k;',
    'client_body_timeout 30s;',
    'send_timeout 30s;',
    'proxy_request_buffering off;',
    'proxy_max_temp_file_size 0;',
    `proxy_set_header Host $host${port === '' ? '' : `:${port}`};`,
    `proxy_set_header Connection ${websocket ? '$route_connection' : '""'};`,
    ...(websocket ? ['proxy_set_header Upgrade $http_upgrade;'] : []),
    'proxy_set_header X-Forwarded-For $remote_addr;',
    `proxy_set_header X-Forwarded-Host $host${port === '' ? '' : `:${port}`};`,
    'proxy_set_header X-Forwarded-Proto https;',
    'proxy_set_header X-Real-IP $remote_addr;',
    'proxy_set_header Forwarded "";',
    'proxy_hide_header X-Content-Type-Options;',
    ...(isAddress(new URL(origin).hostname) ? [] : ['proxy_hide_header Strict-Transport-Security;']),
    ...(websocket ? ['proxy_read_timeout 600s;', 'proxy_send_timeout 600s;'] : []),
    `proxy_pass ${backend(route)};`,
  ]
}

/** The files of the version that serves; then those of the version before it, which a page that is open may still ask for. */
function files({ path, spa }: Route, { bot, folders }: RouteTarget): string[] {
  const [now = 'none', ...former] = folders[path] ?? []
  const tries = [
    `/${now}$uri`,
    `/${now}$uri/index.html`,
    ...former.map((folder) => `/${folder}$uri`),
    ...(spa ? [`/${now}${path === '/' ? '' : path}/$route_page`] : []),
  ]
  return [
    `root ${staticRoot(bot)};`,
    'disable_symlinks on;',
    'include sites/_types;',
    'charset utf-8;',
    'gzip_static on;',
    'gzip_vary on;',
    // Not on what is not found, which may be there a moment later.
    'add_header Cache-Control $route_cache;',
    'send_timeout 30s;',
    'absolute_redirect off;',
    // Without the slash the links of a page would lead beside it.
    `if (-d $document_root/${now}$route_folder) { rewrite ^(.*[^/])$ $1/ permanent; }`,
    `try_files ${tries.join(' ')} =404;`,
  ]
}
