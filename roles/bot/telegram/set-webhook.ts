import { tlsFolder } from '../../../lib/platform/certificate.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { layoutOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import { callWithRetry, errorDescription } from './bot-api.ts'
import { deliveryFunctions } from './delivery.ts'
import type { WebhookTarget } from './webhook-state.ts'

/** Shell text: sets the webhook, and records what it was set with. Pending updates are kept. */
export function setWebhook(hook: WebhookTarget, spec: Spec, upload: boolean, mark: string): Script {
  const { bot, url, telegram, name } = hook
  const { secrets, state } = layoutOf(bot)
  const pem = certificatePath(name)
  const own = webhookParameters(hook, spec)
  const more = upload ? sh`${own}; printf 'form = "certificate=@%s"\n' ${pem}` : own
  const certificate = upload ? sh`$(openssl x509 -in ${pem} -outform der | sha256sum | cut -c 1-16)` : sh``
  const { text } = sh`
    ${deliveryFunctions(bot, telegram, spec)}
    since=$(date +%s)
    ${callWithRetry(telegram, `${secrets}/token`, 'setWebhook', more.text)}
    case $answer in
    # Only the host knows a secret or a certificate that was generated in this run.
    *'"ok":true'*) mark=${mark}-$(sha256sum <${secrets}/webhook-secret | cut -c 1-16)-${certificate} ;;
    *'"error_code"'*) echo "Telegram: $(${errorDescription()})"; exit 1 ;;
    *) ${warnUnreachable()}; mark=unreachable ;;
    esac
    printf %s "$mark" >${state}/webhook.new
    mv -fT ${state}/webhook.new ${state}/webhook
    # It is set, so the next run has nothing to set; that the bot refuses what comes is told once as a failure, then as an output.
    [ "$mark" = unreachable ] || prove_delivery "$since"`
  return { text, shown: `setWebhook url=${url}` }
}

/** Shell text: deletes the webhook. Pending updates are kept; the bot polls for them. */
export function deleteWebhook({ bot, telegram }: WebhookTarget): Script {
  const { secrets, state } = layoutOf(bot)
  const { text } = sh`
    # First, so that after an interruption the webhook does not count as set.
    rm -f ${state}/webhook
    ${callWithRetry(telegram, `${secrets}/token`, 'deleteWebhook')}
    case $answer in
    *'"ok":true'*) ;;
    *'"error_code"'*) echo "Telegram: $(${errorDescription()})"; exit 1 ;;
    *) ${warnUnreachable()}; printf unreachable >${state}/webhook ;;
    esac`
  return { text, shown: 'deleteWebhook' }
}

/** Shell text: sets a deleted webhook again. It is not recorded, so the next run checks it. */
export function restoreWebhook(hook: WebhookTarget, spec: Spec): Script {
  return sh`
    ${webhookCall(hook, spec, ':')}
    case $answer in *'"ok":true'*) ;; *) echo 'the webhook could not be set again: the next run sets it' ;; esac`
}

/** Shell text: has Telegram drop the pending updates. Only setWebhook and deleteWebhook can do that. */
export function dropPending(hook: WebhookTarget, spec: Spec): Script {
  const drop = `echo 'form-string = "drop_pending_updates=true"'`
  return sh`${webhookCall(hook, spec, drop)}
    printf %s "$answer"`
}

function webhookCall(hook: WebhookTarget, spec: Spec, more: string): Script {
  const token = `${layoutOf(hook.bot).secrets}/token`
  if (spec.mode !== 'webhook') return callWithRetry(hook.telegram, token, 'deleteWebhook', more)
  const pem = certificatePath(hook.name)
  const field = (name: string) => sh`$(openssl x509 -in ${pem} -noout ${`-${name}`} | cut -d = -f 2-)`
  const upload = sh`[ "${field('subject')}" != "${field('issuer')}" ] || printf 'form = "certificate=@%s"\n' ${pem}`
  return callWithRetry(
    hook.telegram,
    token,
    'setWebhook',
    `${webhookParameters(hook, spec).text}; ${more}; ${upload.text}`,
  )
}

function certificatePath(name: string): string {
  return `${tlsFolder}/${name}/current/fullchain.pem`
}

function warnUnreachable(): Script {
  return sh`echo "warning: Telegram does not answer: $answer" | sed 's/bot[0-9]*:[A-Za-z0-9_-]*/bot***/g'`
}

/** Shell text that prints what a webhook is set with, as lines of curl's configuration. */
function webhookParameters({ bot, url }: WebhookTarget, { maxConnections, allowedUpdates }: Spec): Script {
  const { secrets } = layoutOf(bot)
  const lines = [
    `form-string = ${JSON.stringify(`url=${url}`)}`,
    `form-string = "max_connections=${maxConnections}"`,
    ...(allowedUpdates === undefined
      ? []
      : [`form-string = ${JSON.stringify(`allowed_updates=${JSON.stringify(allowedUpdates)}`)}`]),
  ]
  return sh`printf '%s\n' ${lines}; printf 'form-string = "secret_token=%s"\n' "$(cat ${secrets}/webhook-secret)"`
}
