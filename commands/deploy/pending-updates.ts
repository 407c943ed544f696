import type { Session } from '../../lib/cli/session.ts'
import { noteEvent } from '../../lib/engine/events.ts'
import { lockRequestOf } from '../../lib/engine/host-lock.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { publicName } from '../../lib/platform/public-name.ts'
import { sh } from '../../lib/shell/sh.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { originOf, webhookUrl } from '../../roles/bot/release/nginx-route.ts'
import type { BotVars } from '../../roles/bot/spec/schema.ts'
import type { Spec } from '../../roles/bot/spec/spec.ts'
import { dropPending } from '../../roles/bot/telegram/set-webhook.ts'

/** Throws a `UsageError` for a bot that sets its webhook itself: only setting or deleting it makes Telegram drop what is pending. */
export function refuseToDrop(specs: ReadonlyMap<string, Spec>): void {
  const [none] = [...specs].find(([, { mode }]) => mode === 'none') ?? []
  if (none !== undefined) throw new UsageError(`--drop-pending: ${none} is no bot ("mode: none"): it has no updates`)
  const [own] = [...specs].find(([, { webhook }]) => webhook === 'bot') ?? []
  if (own !== undefined)
    throw new UsageError(`--drop-pending: ${own} sets its webhook itself ("webhook: bot"), and has to drop them itself`)
}

/** Has Telegram drop the pending updates of these bots. Returns the exit code: 3 where Telegram refused or did not answer. */
export async function dropPendingUpdates(
  session: Session,
  hosts: readonly InventoryHost[],
  specs: ReadonlyMap<string, Spec>,
): Promise<number> {
  if (session.options.check) return 0
  let code = 0
  for (const host of hosts)
    for (const { name } of host.bots) {
      const spec = specs.get(name)
      if (spec !== undefined && !(await dropPendingOf(session, host, name, spec))) code = 3
    }
  return code
}

async function dropPendingOf(
  { connected, report }: Session,
  host: InventoryHost,
  bot: string,
  spec: Spec,
): Promise<boolean> {
  const { telegram } = host.vars.bot as BotVars
  const answer = await connected(host, (connection) => {
    const name = publicName(host, connection.facts)
    const hook = { bot, name, telegram, url: webhookUrl(originOf(name, host.httpsPort), bot), ask: true }
    return ask(
      connection,
      sh`
    ${noteEvent(lockRequestOf('bot', false), `updates:${bot}`, 'drop those that wait at Telegram')}
    ${dropPending(hook, spec)}`,
    )
  })
  const done = answer.includes('"ok":true')
  report.line(`${host.name}  ${bot}: ${done ? 'pending updates dropped' : `pending updates not dropped: ${answer}`}`)
  return done
}
