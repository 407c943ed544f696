import { nginxFolder, reloadFunction } from '../../../lib/platform/nginx.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { addressOf, type Colour } from '../spec/layout.ts'
import type { Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import type { BotInstance } from './compose-file.ts'

/** nginx's file of a bot: what Telegram sends to its path goes to the container that serves. */
export function locationText(bot: string, address: string, port: number, webhookPath: string): string {
  return `# Written by botgarden; changes made here are overwritten.
location = /tg/${bot} {
    limit_except POST { deny all; }
    proxy_pass http://${address}:${port}${webhookPath};
}
`
}

/** Its path in nginx's configuration. */
export function locationFile(bot: string): string {
  return `bots/${bot}.conf`
}

/** Where Telegram delivers to. It is no secret: what proves Telegram is in a header. */
export function webhookUrl(bot: string, name: string, httpsPort: number): string {
  return `https://${name}${httpsPort === 443 ? '' : `:${httpsPort}`}/tg/${bot}`
}

const functions = shellFile(new URL('nginx-route.sh', import.meta.url))

/** Shell functions: nginx's file of the bot, put there and taken back. */
export function edgeFunctions(seat: BotInstance, colour: Colour, spec: Spec, old: Release | undefined): Script {
  const { bot, base, number } = seat
  const file = `${nginxFolder}/conf/${locationFile(bot)}`
  const text = locationText(bot, addressOf(base, number, colour), spec.port, spec.webhookPath)
  const before =
    old?.spec.mode === 'webhook'
      ? locationText(bot, addressOf(base, number, old.colour), old.spec.port, old.spec.webhookPath)
      : undefined
  const put = (content: string) => sh`put_edge ${Buffer.from(content).toString('base64')} ${sha256Of(content)}`
  return sh`
    ${reloadFunction()}
    edge=${file}
    ${functions}
    edge_forth() { ${put(text)}; }
    edge_is_back() { ${before === undefined ? sh`[ ! -e "$edge" ]` : sh`is_edge ${sha256Of(before)}`}; }
    edge_back() { ${before === undefined ? sh`edge_off` : put(before)}; }`
}
