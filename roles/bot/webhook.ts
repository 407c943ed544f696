import { createHash } from 'node:crypto'
import { certificateState, tlsFolder } from '../../lib/certificate.ts'
import { HostError } from '../../lib/errors.ts'
import { fileState } from '../../lib/file-state.ts'
import { type Kind, type Reading, reading } from '../../lib/reading.ts'
import { becomes, type Change, type Outputs, type Prediction, type Resource, resource } from '../../lib/resource.ts'
import { type Script, sh } from '../../lib/sh.ts'
import { placesOf } from './place.ts'
import { currentRelease, parseRelease } from './release.ts'
import type { Spec } from './spec.ts'
import { askTelegram } from './telegram.ts'

export interface Hook {
  readonly bot: string
  readonly url: string
  /** The host's name, by which its certificate is found. */
  readonly name: string
  readonly telegram: string
  /** Ask Telegram in any case, not only where the host knows of something to be done: somebody may have taken it away. */
  readonly ask: boolean
}

/** What the host knows of a bot's webhook, and what Telegram says, where it was asked. */
interface HookState {
  /** What it was set with; `unreachable` where Telegram did not answer then. */
  readonly mark: string
  readonly answer: 'not asked' | 'unreachable' | 'refused' | { readonly url: string }
}

/** With another token nothing is known of a webhook: Telegram drops it with the old one. */
export function forgotten(hook: Hook): Prediction {
  return becomes(hookState(hook), { mark: '', answer: 'not asked' })
}

/** Telegram sends a bot's updates here. Set after the bot is well, and never dropping what waits. */
export function webhook(hook: Hook): Resource {
  const { bot, name } = hook
  const places = placesOf(bot)
  const [state, secret] = [hookState(hook), fileState(`${places.secrets}/webhook-secret`)]
  const inner = resource({
    id: `webhook:${bot}`,
    wants: hook.url,
    reads: { state, secret, certificate: certificateState(name), release: currentRelease(bot) },
    plan: ({ state: now, secret: key, certificate, release: text }): readonly Change[] => {
      const spec = parseRelease(text)?.spec
      if (spec === undefined) return []
      if (spec.mode === 'polling') {
        if (now.mark === '') return []
        const forget = sh`rm -f ${places.state}/webhook`
        return [
          {
            summary: 'forget it, since the bot asks for its updates itself',
            script: forget,
            predicts: [becomes(state, { ...now, mark: '' })],
          },
        ]
      }
      if (now.answer === 'refused' && !hook.ask) return []
      if (now.answer === 'refused')
        throw new HostError(`Telegram refuses the token of ${bot}: is it whole, and not revoked?`)
      if (now.answer === 'unreachable' && now.mark === 'unreachable') return []
      const uploaded = certificate !== 'absent' && certificate.selfSigned ? certificate.fingerprint : undefined
      const sum = (key !== 'absent' && key.sha256) || ''
      const mark = createHash('sha256')
        .update(JSON.stringify([hook.url, spec.allowedUpdates, spec.maxConnections]))
        .digest('hex')
        .slice(0, 16)
      const taken = typeof now.answer === 'object' && now.answer.url !== hook.url
      const whole = `${mark}-${sum.slice(0, 16)}-${uploaded?.slice(0, 16) ?? ''}`
      if (now.mark === whole && !taken) return []
      const summary = taken && now.mark === whole ? 'set again: Telegram has another' : `set to ${hook.url}`
      const script = setWebhook(hook, spec, uploaded !== undefined, mark)
      return [{ summary, script, predicts: [becomes(state, { mark: whole, answer: 'not asked' })] }]
    },
  })
  return { ...inner, tells: (read) => told(hook, read(state), parseRelease(read(currentRelease(bot)))?.spec) }
}

function told({ bot }: Hook, { mark, answer }: HookState, spec: Spec | undefined): Outputs {
  if (spec?.mode !== 'webhook' || mark !== 'unreachable') return {}
  if (answer === 'refused') return { [`${bot} webhook`]: 'not set: Telegram refuses its token' }
  return { [`${bot} webhook`]: 'not set: Telegram did not answer; the next run tries again' }
}

/** The same call once more, by which Telegram forgets the updates that wait: there is no other for it. */
export function dropPending(hook: Hook, spec: Spec): Script {
  const { secrets } = placesOf(hook.bot)
  const drop = `echo 'form-string = "drop_pending_updates=true"'`
  if (spec.mode === 'polling') return askTelegram(hook.telegram, `${secrets}/token`, 'deleteWebhook', drop)
  const pem = `${tlsFolder}/${hook.name}/current/fullchain.pem`
  const field = (name: string) => sh`$(openssl x509 -in ${pem} -noout ${`-${name}`} | cut -d = -f 2-)`
  const upload = sh`[ "${field('subject')}" != "${field('issuer')}" ] || printf 'form = "certificate=@%s"\n' ${pem}`
  return askTelegram(
    hook.telegram,
    `${secrets}/token`,
    'setWebhook',
    `${linesOf(hook, spec).text}; ${drop}; ${upload.text}`,
  )
}

function setWebhook(hook: Hook, spec: Spec, upload: boolean, mark: string): Script {
  const { bot, url, telegram, name } = hook
  const { secrets, state } = placesOf(bot)
  const pem = `${tlsFolder}/${name}/current/fullchain.pem`
  const own = linesOf(hook, spec)
  const more = upload ? sh`${own}; printf 'form = "certificate=@%s"\n' ${pem}` : own
  const certificate = upload ? sh`$(openssl x509 -in ${pem} -outform der | sha256sum | cut -c 1-16)` : sh``
  const { text } = sh`
    answer=$(${askTelegram(telegram, `${secrets}/token`, 'setWebhook', more.text)})
    case $answer in
    # A secret or a certificate that was made in this very run is known to the host alone.
    *'"ok":true'*) mark=${mark}-$(sha256sum <${secrets}/webhook-secret | cut -c 1-16)-${certificate} ;;
    *'"error_code"'*) echo "Telegram: $(printf %s "$answer" | sed -n 's/.*"description":"\([^"]*\)".*/\1/p')"; exit 1 ;;
    *) echo "warning: Telegram does not answer: $answer" | sed 's/bot[0-9]*:[A-Za-z0-9_-]*/bot***/g'; mark=unreachable ;;
    esac
    printf %s "$mark" >${state}/webhook.new
    mv -fT ${state}/webhook.new ${state}/webhook`
  return { text, shown: `setWebhook url=${url}` }
}

/** Shell text that prints what a webhook is set with, as lines of curl's configuration. */
function linesOf({ bot, url }: Hook, { maxConnections, allowedUpdates }: Spec): Script {
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

function hookState({ bot, telegram, ask }: Hook): Reading<HookState> {
  return reading(hooks, `${bot} ${telegram} ${ask ? 'ask' : 'trust'}`)
}

const hooks: Kind<HookState> = {
  name: 'webhook',
  volatile: true,
  // All at once: each is a way to Telegram and back.
  script: (names) => sh`
    hook() {
      mark=$(cat "/var/lib/botgarden/bots/$1/webhook" 2>/dev/null)
      answer=
      if [ -e "/var/lib/botgarden/bots/$1/current.json" ] && { [ "$3" = ask ] || [ "$mark" = unreachable ]; }; then
        answer=$({ printf 'url = "%s/bot%s/getWebhookInfo"\n' "$2" "$(cat "/etc/botgarden/secrets/bots/$1/token")" | curl --silent --max-time 5 --config - || echo unreachable; } | base64 --wrap=0)
      fi
      echo "hook $1 mark=$mark answer=$answer"
    }
    for each in ${names}; do
      set -- $each
      hook "$@" &
    done
    wait`,
  parse: (output, names) =>
    new Map(
      names.map((name) => {
        const bot = name.split(' ')[0]
        const [, mark = '', answer = ''] = new RegExp(`^hook ${bot} mark=(\\S*) answer=(\\S*)$`, 'm').exec(output) ?? []
        return [name, { mark, answer: parseAnswer(answer) }]
      }),
    ),
}

function parseAnswer(base64: string): HookState['answer'] {
  if (base64 === '') return 'not asked'
  try {
    const answer = JSON.parse(Buffer.from(base64, 'base64').toString())
    if (answer.ok === true) return { url: answer.result.url }
    return answer.error_code === 401 || answer.error_code === 404 ? 'refused' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}
