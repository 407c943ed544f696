import { nginxFolder, reloadFunction } from '../../../lib/platform/nginx.ts'
import { lines, type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { foldersOf } from '../public/layout.ts'
import { locationsText, zonesText } from '../public/locations.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf } from '../spec/layout.ts'
import type { Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'

const header = '# Written by botgarden; changes made here are overwritten.\n'

/** The nginx file of a bot: requests to its webhook path go to the serving container. */
export function locationText(bot: string, address: string, port: number, webhookPath: string): string {
  return `${header}location = ${publicPath(bot)} {
    limit_except POST { deny all; }
    proxy_pass http://${address}:${port}${webhookPath};
}
`
}

/** Its path in nginx's configuration: a file for the server of the host. */
export function locationFile(bot: string): string {
  return `bots/${bot}.conf`
}

/** The file of a bot at the level of http. */
export function siteFile(bot: string): string {
  return `sites/${bot}.conf`
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
  const { port, webhookPath, mode, public: routes = [] } = release.spec
  const address = addressOf(base, number, release.colour)
  const target = { bot, origin, backend: `http://${address}:${port}`, folders: foldersOf(release) }
  const webhook = mode === 'webhook' ? locationText(bot, address, port, webhookPath) : header
  return {
    [siteFile(bot)]: routes.length === 0 ? undefined : `${header}${zonesText(bot, routes)}`,
    [locationFile(bot)]: isRouted(release.spec) ? `${webhook}${locationsText(routes, target)}` : undefined,
  }
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
  const before = old === undefined ? {} : nginxTexts(instance, old)
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
