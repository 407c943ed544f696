import { becomes, type Change, type Outputs, type Resource, resource } from '../../../lib/model/resource.ts'
import { type CertificateState, certificateState } from '../../../lib/platform/certificate.ts'
import { fileState } from '../../../lib/resources/file-state.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { HostError } from '../../../lib/std/errors.ts'
import { sha256Of } from '../../../lib/std/sha256.ts'
import { layoutOf } from '../spec/layout.ts'
import { currentRelease, parseRelease, type Release } from '../spec/release-record.ts'
import type { Spec } from '../spec/spec.ts'
import { isWebhookOf } from '../spec/webhook-path.ts'
import { deliveryFunctions, howKnown } from './delivery.ts'
import { deleteWebhook, setWebhook } from './set-webhook.ts'
import { type WebhookState, type WebhookTarget, webhookCleared, webhookState } from './webhook-state.ts'

/** The webhook of a bot, set after the bot is ready. Pending updates are never dropped. A polling bot has none. */
export function webhook(hook: WebhookTarget): Resource {
  const { bot, name } = hook
  const layout = layoutOf(bot)
  const [state, secret] = [webhookState(hook), fileState(`${layout.secrets}/webhook-secret`)]
  const inner = resource({
    id: `webhook:${bot}`,
    wants: hook.url,
    reads: { state, secret, certificate: certificateState(name), release: currentRelease(bot) },
    plan: ({ state: now, secret: key, certificate, release: text }): readonly Change[] => {
      const current = parseRelease(text)
      if (current === undefined) return []
      const { spec } = current
      if (spec.mode !== 'webhook') return deletion(hook, now)
      if (now.answer === 'refused' && !hook.ask) return []
      if (now.answer === 'refused')
        throw new HostError(`Telegram rejects the token of ${bot}: check that it is complete and not revoked`)
      if (spec.webhook === 'bot') return ownWebhook(hook, current, now, certificate)
      if (now.answer === 'unreachable' && now.mark === 'unreachable') return []
      const uploaded = certificate !== 'absent' && certificate.selfSigned ? certificate.fingerprint : undefined
      const sum = (key !== 'absent' && key.sha256) || ''
      const mark = sha256Of(JSON.stringify([hook.url, spec.allowedUpdates, spec.maxConnections])).slice(0, 16)
      const taken = typeof now.answer === 'object' && now.answer.url !== hook.url
      const whole = `${mark}-${sum.slice(0, 16)}-${uploaded?.slice(0, 16) ?? ''}`
      if (now.mark === whole && !taken) return []
      const summary = taken && now.mark === whole ? 'set again: Telegram has a different URL' : `set to ${hook.url}`
      const script = setWebhook(hook, spec, uploaded !== undefined, mark)
      return [{ summary, script, predicts: [becomes(state, { mark: whole, answer: 'not asked' })] }]
    },
  })
  return {
    ...inner,
    outputs: (read) => webhookOutputs(hook, read(state), parseRelease(read(currentRelease(bot)))?.spec),
  }
}

/** Of a bot that sets its webhook itself, which it does when it starts: it is started again where Telegram has another one. */
function ownWebhook(
  hook: WebhookTarget,
  { spec, colour }: Release,
  { answer }: WebhookState,
  certificate: CertificateState,
): readonly Change[] {
  if (certificate !== 'absent' && certificate.selfSigned)
    throw new HostError(
      `${hook.bot} sets its webhook itself, and Telegram would not trust the certificate of this host, which no authority has signed: set "domain:" of the host, or leave out "webhook: bot" of the bot`,
    )
  if (typeof answer === 'string' || isWebhookOf(answer.url, hook.url, spec)) return []
  const { text } = sh`
    ${deliveryFunctions(hook.bot, hook.telegram, spec)}
    docker restart --time 20 ${layoutOf(hook.bot).container(colour)} >/dev/null
    await_webhook ${hook.url} 60 ${howKnown(spec)}
    prove_delivery "$(date +%s)"`
  const summary = `restart the bot, which sets its webhook itself: Telegram has ${answer.url === '' ? 'none' : 'a different URL'}`
  const script = { text, shown: `docker restart ${layoutOf(hook.bot).container(colour)}` }
  return [{ summary, script, long: true, predicts: [becomes(webhookState(hook), { mark: '', answer: 'not asked' })] }]
}

function webhookOutputs({ bot }: WebhookTarget, { mark, answer }: WebhookState, spec: Spec | undefined): Outputs {
  if (
    spec?.mode === 'webhook' &&
    typeof answer === 'object' &&
    answer.pending !== undefined &&
    answer.error !== undefined
  )
    return {
      [`${bot} webhook`]: `${answer.pending} updates wait at Telegram, which could not deliver: ${answer.error}`,
    }
  if (spec === undefined || mark !== 'unreachable') return {}
  if (answer === 'refused') return { [`${bot} webhook`]: 'not set: Telegram rejects its token' }
  const what = spec.mode === 'webhook' ? 'not set' : 'may still be set'
  return { [`${bot} webhook`]: `${what}: Telegram did not answer; the next run tries again` }
}

/** Deletes the webhook of a polling bot: as long as one is set, getUpdates fails. */
function deletion(hook: WebhookTarget, { mark, answer }: WebhookState): readonly Change[] {
  const isSet = typeof answer === 'object' && answer.url !== ''
  if (answer === 'refused' || (mark === '' && !isSet)) return []
  if (answer === 'unreachable' && mark === 'unreachable') return []
  const summary = 'delete the webhook: the bot polls for its updates'
  return [{ summary, script: deleteWebhook(hook), predicts: [webhookCleared(hook)] }]
}
