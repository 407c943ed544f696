import { tlsFolder } from '../../../lib/platform/certificate.ts'
import { type Script, sh } from '../../../lib/shell/sh.ts'
import { placesOf } from '../spec/layout.ts'
import type { Spec } from '../spec/spec.ts'
import { callWithRetry, description } from './bot-api.ts'
import type { WebhookTarget } from './webhook-state.ts'

/** Tells Telegram where to deliver, and notes with what; what waits there is kept. */
export function setWebhook(hook: WebhookTarget, spec: Spec, upload: boolean, mark: string): Script {
  const { bot, url, telegram, name } = hook
  const { secrets, state } = placesOf(bot)
  const pem = pemOf(name)
  const own = linesOf(hook, spec)
  const more = upload ? sh`${own}; printf 'form = "certificate=@%s"\n' ${pem}` : own
  const certificate = upload ? sh`$(openssl x509 -in ${pem} -outform der | sha256sum | cut -c 1-16)` : sh``
  const { text } = sh`
    ${callWithRetry(telegram, `${secrets}/token`, 'setWebhook', more.text)}
    case $answer in
    # A secret or a certificate that was made in this very run is known to the host alone.
    *'"ok":true'*) mark=${mark}-$(sha256sum <${secrets}/webhook-secret | cut -c 1-16)-${certificate} ;;
    *'"error_code"'*) echo "Telegram: $(${description()})"; exit 1 ;;
    *) ${noAnswer()}; mark=unreachable ;;
    esac
    printf %s "$mark" >${state}/webhook.new
    mv -fT ${state}/webhook.new ${state}/webhook`
  return { text, shown: `setWebhook url=${url}` }
}

/** Has Telegram forget where it delivered to, whoever told it; what waits there is kept, and asked for. */
export function forgetWebhook({ bot, telegram }: WebhookTarget): Script {
  const { secrets, state } = placesOf(bot)
  const { text } = sh`
    # First, so that a cut leaves nobody believing that it is set.
    rm -f ${state}/webhook
    ${callWithRetry(telegram, `${secrets}/token`, 'deleteWebhook')}
    case $answer in
    *'"ok":true'*) ;;
    *'"error_code"'*) echo "Telegram: $(${description()})"; exit 1 ;;
    *) ${noAnswer()}; printf unreachable >${state}/webhook ;;
    esac`
  return { text, shown: 'deleteWebhook' }
}

/** The same as before once more: without a mark, so that the next run looks after it. */
export function restoreWebhook(hook: WebhookTarget, spec: Spec): Script {
  return sh`
    ${called(hook, spec, ':')}
    case $answer in *'"ok":true'*) ;; *) echo 'its webhook is not set again: the next run does that' ;; esac`
}

/** The same call once more, by which Telegram forgets the updates that wait: there is no other for it. */
export function dropPending(hook: WebhookTarget, spec: Spec): Script {
  const drop = `echo 'form-string = "drop_pending_updates=true"'`
  return sh`${called(hook, spec, drop)}
    printf %s "$answer"`
}

function called(hook: WebhookTarget, spec: Spec, more: string): Script {
  const token = `${placesOf(hook.bot).secrets}/token`
  if (spec.mode === 'polling') return callWithRetry(hook.telegram, token, 'deleteWebhook', more)
  const pem = pemOf(hook.name)
  const field = (name: string) => sh`$(openssl x509 -in ${pem} -noout ${`-${name}`} | cut -d = -f 2-)`
  const upload = sh`[ "${field('subject')}" != "${field('issuer')}" ] || printf 'form = "certificate=@%s"\n' ${pem}`
  return callWithRetry(hook.telegram, token, 'setWebhook', `${linesOf(hook, spec).text}; ${more}; ${upload.text}`)
}

function pemOf(name: string): string {
  return `${tlsFolder}/${name}/current/fullchain.pem`
}

function noAnswer(): Script {
  return sh`echo "warning: Telegram does not answer: $answer" | sed 's/bot[0-9]*:[A-Za-z0-9_-]*/bot***/g'`
}

/** Shell text that prints what a webhook is set with, as lines of curl's configuration. */
function linesOf({ bot, url }: WebhookTarget, { maxConnections, allowedUpdates }: Spec): Script {
  const { secrets } = placesOf(bot)
  const lines = [
    `form-string = ${JSON.stringify(`url=${url}`)}`,
    `form-string = "max_connections=${maxConnections}"`,
    ...(allowedUpdates === undefined
      ? []
      : [`form-string = ${JSON.stringify(`allowed_updates=${JSON.stringify(allowedUpdates)}`)}`]),
  ]
  return sh`printf '%s\n' ${lines}; printf 'form-string = "secret_token=%s"\n' "$(cat ${secrets}/webhook-secret)"`
}
