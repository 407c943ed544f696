import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'
import { askTelegram } from './bot-api.ts'
import type { WebhookTarget } from './webhook-state.ts'

const functions = shellFile(new URL('delivery.sh', import.meta.url))
const awaitWebhook = shellFile(new URL('own-webhook.sh', import.meta.url))

/**
 * Shell functions about what Telegram delivers to a bot: `ask_delivery`, `refuse_undelivered`, `prove_delivery`, and where it sets
 * its webhook itself `await_webhook`.
 */
export function deliveryFunctions(bot: string, telegram: string, { webhook }: Pick<Spec, 'webhook'>): Script {
  const advice =
    webhook === 'bot'
      ? 'the bot refuses what Telegram sends with the secret that it has set itself: see its log'
      : 'the bot refuses the secret that we have set: give it ${webhook.secret} in "environment:", or set "webhook: bot" if it calls setWebhook itself'
  return sh`
    ${waiting}
    secret_advice=${advice}
    webhook_info() { ${askTelegram(telegram, `${layoutOf(bot).secrets}/token`, 'getWebhookInfo')}
    }
    ${functions}
    ${webhook === 'bot' ? awaitWebhook : sh`:`}`
}

/**
 * Shell text: the second since which errors are those of the new version. nginx tries to connect for 2 s: what came for a stopped
 * container before the route was switched fails after that.
 */
const afterLateErrors = sh`
    [ -z "$stopped" ] || sleep 3
    since=$(date +%s)`

/** The end-to-end check: whether Telegram reports a delivery error since the switch. Without an answer it only warns. */
export function deliveryCheck(old: Pick<Spec, 'mode'> | undefined): Script {
  if (old?.mode !== 'webhook') return sh`:`
  return sh`
    ${afterLateErrors}
    sleep 2
    if ask_delivery "$since"; then refuse_undelivered
    else echo 'warning: Telegram does not answer: delivery was not verified'
    fi`
}

/** The same for a bot that sets its webhook itself: it is set, to where nginx routes to the bot, and what waits gets through. */
export function ownWebhook({ url }: Pick<WebhookTarget, 'url'>, spec: Spec, settled: Script): Script {
  return sh`
    await_webhook ${url} 60 ${howKnown(spec)}
    ${afterLateErrors}
    ${settled}
    prove_delivery "$since"`
}

/** Whether the URL that a bot sets is known as a whole, or up to what it appends. */
export function howKnown({ webhookPath }: Pick<Spec, 'webhookPath'>): 'whole' | 'begin' {
  return webhookPathOf(webhookPath).appends ? 'begin' : 'whole'
}
