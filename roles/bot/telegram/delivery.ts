import { waiting } from '../../../lib/shell/deadline.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { shellFile } from '../../../lib/shell/shell-file.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import { webhookPathOf } from '../spec/webhook-path.ts'
import { askTelegram } from './bot-api.ts'

const functions = shellFile(new URL('delivery.sh', import.meta.url))
const ownWebhook = shellFile(new URL('own-webhook.sh', import.meta.url))

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
    ${webhook === 'bot' ? ownWebhook : sh`:`}`
}

/** Whether the URL that a bot sets is known as a whole, or up to what it appends. */
export function howKnown({ webhookPath }: Pick<Spec, 'webhookPath'>): 'whole' | 'begin' {
  return webhookPathOf(webhookPath).appends ? 'begin' : 'whole'
}
