import { nginxFolder, reloadFunction } from '../../../lib/platform/nginx.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import type { BotInstance } from '../spec/instance.ts'
import { addressOf, type Colour } from '../spec/layout.ts'
import type { Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'

/** The nginx file of a bot: requests to its webhook path go to the serving container. */
export function locationText(bot: string, address: string, port: number, webhookPath: string): string {
  const { path, appends } = webhookPathOf(webhookPath)
  const backend = `http://${address}:${port}${path}`
  const header = '# Written by botgarden; changes made here are overwritten.\n'
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

/** Its path in nginx's configuration. */
export function locationFile(bot: string): string {
  return `bots/${bot}.conf`
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

/** Shell functions: `route_switch` to the new container, `route_restore` the old state, `route_is_restored`, `route_remove`. */
export function routeFunctions(instance: BotInstance, colour: Colour, spec: Spec, old: Release | undefined): Script {
  const { bot, base, number } = instance
  const file = `${nginxFolder}/conf/${locationFile(bot)}`
  const text = locationText(bot, addressOf(base, number, colour), spec.port, spec.webhookPath)
  const before =
    old?.spec.mode === 'webhook'
      ? locationText(bot, addressOf(base, number, old.colour), old.spec.port, old.spec.webhookPath)
      : undefined
  const put = (content: string) => sh`route_install ${Buffer.from(content).toString('base64')} ${sha256Of(content)}`
  return sh`
    ${reloadFunction()}
    route_file=${file}
    ${functions}
    route_switch() { ${put(text)}; }
    route_is_restored() { ${before === undefined ? sh`[ ! -e "$route_file" ]` : sh`route_is ${sha256Of(before)}`}; }
    route_restore() { ${before === undefined ? sh`route_remove` : put(before)}; }`
}
