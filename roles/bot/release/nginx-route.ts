import { becomes, type Prediction } from '../../../lib/model/resource.ts'
import { domainServer, nothingHere, sitePath } from '../../../lib/platform/domain-server.ts'
import { nginxFolder, reloadFunction } from '../../../lib/platform/nginx.ts'
import { siteUses } from '../../../lib/platform/site-file.ts'
import { fileState, textOf } from '../../../lib/resources/file-state.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { foldersOf } from '../public/layout.ts'
import { locationsText, zonesText } from '../public/locations.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf } from '../spec/layout.ts'
import { processAddress } from '../spec/processes.ts'
import type { Release } from '../spec/release-record.ts'
import { type Route, routesOnHost } from '../spec/routes.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'

const header = '# Written by botgarden; changes made here are overwritten.\n'

/** The nginx file of a bot: requests to its webhook path go to the serving container. */
export function locationText(bot: string, address: string, port: number, webhookPath: string): string {
  const { path, appends } = webhookPathOf(webhookPath)
  const backend = `http://${address}:${port}${path}`
  return `${header}${
    appends
      ? appendedLocation(publicPath(bot), backend.replace(/\/$/, ''))
      : `location = ${publicPath(bot)} {
    limit_except POST { deny all; }
    proxy_pass ${backend};
}
`
  }`
}

/**
 * For a bot that appends something to its URL, perhaps its token. That is taken off before a location is chosen, so that the access
 * log has the path without it, whatever comes of the request. An entry of the error log would have the whole request, so there are
 * none. What nothing appends is refused here: decoded, it could become a request of its own.
 */
function appendedLocation(path: string, backend: string): string {
  const notLogged = 'error_log /dev/null emerg;'
  return `if ($uri ~ "^${path}/(?<appended>[\\w:.~/=@+-]+)\\z") {
    rewrite ^ ${path} last;
}
if ($uri ~ "^${path}/") {
    rewrite ^ ${path}/- last;
}
location ^~ ${path}/ {
    ${notLogged}
    # Not \`return\`: strangers who try paths are to meet their limit.
    root /var/empty;
    try_files /none =404;
}
location = ${path} {
    ${notLogged}
    limit_except POST { deny all; }
    proxy_pass ${backend}/$appended$is_args$args;
}
`
}

/** Its path in nginx's configuration: a file for the server of the host. */
export function locationFile(bot: string): string {
  return `bots/${bot}.conf`
}

/** What of a release its files in nginx depend on. */
export type Routed = Pick<Release, 'spec' | 'colour' | 'former'>

/** Whether a version has files in nginx. */
export function isRouted({ mode, public: routes }: Pick<Spec, 'mode' | 'public'>): boolean {
  return mode === 'webhook' || routes !== undefined
}

/** The files of a release in nginx's configuration, by their paths there; undefined: it has none. */
export function nginxTexts(instance: BotInstance, release: Routed): Readonly<Record<string, string | undefined>> {
  const { bot, base, number, origin } = instance
  const { port, webhookPath, mode, public: all = [] } = release.spec
  const { domains = [] } = instance
  const address = addressOf(base, number, release.colour)
  const backend = ({ process }: Route) =>
    process === undefined
      ? `http://${address}:${port}`
      : `http://${processAddress(instance, release.spec, process, release.colour)}:${release.spec.processes?.[process]?.port}`
  const target = { bot, origin, backend, folders: foldersOf(release) }
  const onHost = domains.length === 0 ? routesOnHost(release.spec) : []
  const webhook = mode === 'webhook' ? locationText(bot, address, port, webhookPath) : header
  const zones = zonesText(bot, domains.length === 0 ? onHost : all)
  const servers = serversText(instance, (domain) =>
    locationsText(all, { ...target, origin: originBeside(origin, domain) }),
  )
  const site = [zones, servers].filter(Boolean).join('\n')
  return {
    [sitePath(bot)]: site === '' ? undefined : `${header}${site}`,
    [locationFile(bot)]:
      mode === 'webhook' || onHost.length > 0 ? `${webhook}${locationsText(onHost, target)}` : undefined,
  }
}

/** The same before its first release. */
export function textsBefore(instance: Omit<BotInstance, 'number'>): Readonly<Record<string, string | undefined>> {
  const servers = serversText(instance)
  return { [sitePath(instance.bot)]: servers === '' ? undefined : `${header}${servers}` }
}

/** The servers of a bot's own domains, with these locations. A bot that was not released has none. */
function serversText(
  { domains = [], origin, ipv6 = false }: Pick<BotInstance, 'domains' | 'origin' | 'ipv6'>,
  locations: (domain: string) => string = () => '',
): string {
  const httpsPort = Number(new URL(origin).port || 443)
  const servers = domains.map((domain) => {
    const own = locations(domain)
    const inner = own === '' ? nothingHere : `${away}${own}${own.includes('location ~ ^/ {') ? '' : nothingHere}`
    return domainServer({ domain, httpsPort, ipv6, inner })
  })
  return servers.join('\n')
}

/** As on the name of the host: a bot that is away for a moment. */
const away =
  'error_page 502 504 = @away;\nlocation @away {\n    internal;\n    add_header Retry-After 2 always;\n    return 503;\n}\n'

/** The same port under another name. */
export function originBeside(origin: string, domain: string): string {
  const { port } = new URL(origin)
  return originOf(domain, Number(port || 443))
}

/** What a switch makes of these files. */
export function predictedFiles(instance: BotInstance, release: Routed, current: Routed | undefined): Prediction[] {
  const before = current === undefined ? {} : nginxTexts(instance, current)
  return Object.entries(nginxTexts(instance, release)).flatMap(([name, text]) => {
    // A bot without routes has one file.
    if (name !== locationFile(instance.bot) && (text ?? before[name]) === undefined) return []
    const uses = name === sitePath(instance.bot) && instance.domains ? [siteUses(instance.bot, text ?? '')] : []
    const path = `${nginxFolder}/conf/${name}`
    if (text === undefined)
      return [...uses, becomes(fileState(path), 'absent' as const), becomes(textOf(path), undefined)]
    const sha256 = sha256Of(text)
    return [
      ...uses,
      becomes(fileState(path), { type: 'file', mode: '0644', owner: 'root', group: 'root', sha256 }),
      becomes(textOf(path), text),
    ]
  })
}

/** The webhook URL of a bot. It is not a secret: Telegram proves itself by a header. */
export function webhookUrl(origin: string, bot: string): string {
  return `${origin}${publicPath(bot)}`
}

function publicPath(bot: string): string {
  return `/tg/${bot}`
}

/** Where the world reaches a host: `https://bots.example.org`. */
export function originOf(name: string, httpsPort: number): string {
  return `https://${name}${httpsPort === 443 ? '' : `:${httpsPort}`}`
}

const functions = shellFile(new URL('nginx-route.sh', import.meta.url))

/** Shell functions: `route_switch` to the new container, `route_restore` the old state, `route_is_restored`. */
export function routeFunctions(instance: BotInstance, next: Routed, old: Routed | undefined): Script {
  const after = nginxTexts(instance, next)
  const before = old === undefined ? textsBefore(instance) : nginxTexts(instance, old)
  // A bot without routes has one file.
  const files = Object.keys(after).filter(
    (path) => path === locationFile(instance.bot) || after[path] !== undefined || before[path] !== undefined,
  )
  const words = (texts: Readonly<Record<string, string | undefined>>) =>
    files.flatMap((path) => {
      const text = texts[path]
      const content = text === undefined ? ['', ''] : [Buffer.from(text).toString('base64'), sha256Of(text)]
      return [`${nginxFolder}/conf/${path}`, ...content]
    })
  return lines([
    reloadFunction(),
    functions,
    sh`
    route_switch() { route_set ${words(after)}; }
    route_is_restored() { route_is ${words(before)}; }
    route_restore() { route_set ${words(before)}; }`,
  ])
}
