import { when } from '../../../lib/model/combinators.ts'
import type { Read, Resource } from '../../../lib/model/resource.ts'
import { commonFile, includeSites, nginxFile, nginxFolder, sitesRead } from '../../../lib/platform/nginx.ts'
import { directory } from '../../../lib/resources/file.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { currentRelease, parseRelease } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'

/** What nginx needs for the routes of any bot. It is there from the first one on: `bots` says of whom there may be one. */
export function routesInCommon(bots: readonly string[], isTarget: boolean): readonly Resource[] {
  const records = bots.map(currentRelease)
  const isWanted = (read: Read) =>
    isTarget || records.some((each) => parseRelease(read(each))?.spec.public !== undefined)
  return [
    directory(`${nginxFolder}/conf/sites`),
    nginxFile('sites/_types', typesText),
    nginxFile(commonFile, commonText),
    sitesRead(),
  ].map((each) => when(records, isWanted, each))
}

/**
 * Shell text for nginx's test of a file of this version: writes into `$tree` what it refers to, which a check does not write. That is
 * what routes have in common, and `others` by their paths.
 */
export function besideRoutes(
  { public: routes }: Pick<Spec, 'public'>,
  others: Readonly<Record<string, string | undefined>>,
): Script {
  if (routes === undefined) return sh`:`
  const files = Object.entries({ 'sites/_types': typesText, [commonFile]: commonText, ...others })
  return sh`
      mkdir -p "$tree/sites"
      ${lines(files.map(([name, text = '']) => sh`printf %s ${Buffer.from(text).toString('base64')} | base64 -d >"$tree/"${name}`))}
      ${includeSites('$tree/nginx.conf')}`
}

const header = '# Written by botgarden; changes made here are overwritten.'

/** A hash in the name of a file, as bundlers write it: hexadecimal, or eight letters and digits of a script in `assets`. */
const hashed = [
  String.raw`"~[._-](?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,64}\.[\w.]+$"`,
  String.raw`"~/(assets|immutable)/([^/]*/)*[^/]*[.-](?=[\w-]{0,7}[A-Z])(?=[\w-]{0,7}[a-z0-9])[\w-]{8}\.(css|js|mjs|wasm|woff2?)$"`,
]

/** What the locations of routes refer to. Where an app sends a header of its own, that one counts. */
const commonText = `${header}
# Web clients of Telegram open Mini Apps in a frame.
map $upstream_http_content_security_policy $route_policy {
    "" "frame-ancestors 'self' https://*.telegram.org";
    default "";
}
map $upstream_http_referrer_policy $route_referrer {
    "" strict-origin-when-cross-origin;
    default "";
}
map $http_upgrade $route_connection {
    "" "";
    default upgrade;
}
# A file with a hash in its name never changes; of any other it is asked whether it has.
map $uri $route_cache {
${hashed.map((pattern) => `    ${pattern} "public, max-age=31536000, immutable";`).join('\n')}
    default no-cache;
}
map $uri $route_page {
    "~/[^/.]*$" index.html;
    default "";
}
# A path that may be a folder without its slash; no file begins with a dot.
map $uri $route_folder {
    "~[^/]$" $uri;
    default /.none;
}
# Requests and websockets at a time. Together they leave connections, and memory, for what Telegram delivers.
limit_conn_zone $bot$binary_remote_addr zone=routes_by_client:1m;
limit_conn_zone $bot zone=routes_by_bot:128k;
limit_conn_zone all zone=routes:64k;
`

const types: Readonly<Record<string, string>> = {
  'application/gzip': 'gz',
  'application/javascript': 'js mjs',
  'application/json': 'json map',
  'application/manifest+json': 'webmanifest',
  'application/pdf': 'pdf',
  'application/wasm': 'wasm',
  'application/xml': 'xml',
  'application/zip': 'zip',
  'audio/mpeg': 'mp3',
  'audio/ogg': 'ogg',
  'audio/wav': 'wav',
  'font/ttf': 'ttf',
  'font/woff': 'woff',
  'font/woff2': 'woff2',
  'image/avif': 'avif',
  'image/gif': 'gif',
  'image/jpeg': 'jpg jpeg',
  'image/png': 'png',
  'image/svg+xml': 'svg',
  'image/webp': 'webp',
  'image/x-icon': 'ico',
  'text/css': 'css',
  'text/html': 'html htm',
  'text/plain': 'txt md',
  'text/csv': 'csv',
  'video/mp4': 'mp4',
  'video/webm': 'webm',
}

const typesText = `${header}
types {
${Object.entries(types)
  .map(([type, names]) => `    ${type} ${names};`)
  .join('\n')}
}
default_type application/octet-stream;
charset_types text/plain text/css text/csv application/javascript application/json application/xml image/svg+xml;
`
