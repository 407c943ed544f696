import { type Kind, type Reading, reading } from '../../../lib/model/reading.ts'
import { becomes, type Prediction } from '../../../lib/model/resource.ts'
import { sh } from '../../../lib/shell/sh.ts'
import { botFolders } from '../spec/layout.ts'

export interface WebhookTarget {
  readonly bot: string
  readonly url: string
  /** The public name of the host, which its certificate is for. */
  readonly name: string
  readonly telegram: string
  /** Ask Telegram in any case. Else it is asked only where it did not answer the last time. */
  readonly ask: boolean
}

/** What the host has recorded of a bot's webhook, and what Telegram answers, where it was asked. */
export interface WebhookState {
  /** A checksum of what it was set with; empty where it is not set, `unreachable` where Telegram did not answer then. */
  readonly mark: string
  readonly answer: 'not asked' | 'unreachable' | 'refused' | WebhookAnswer
}

export interface WebhookAnswer {
  readonly url: string
  /** The number of updates that wait; left out where none do. */
  readonly pending?: number
  /** Why the last attempt to deliver failed, if one has. It stays there after others have succeeded. */
  readonly error?: string
  /** When that was, in seconds since 1970. */
  readonly errorAt?: number
}

/** Predicts that no webhook is set: after a change of the token, or deleteWebhook. */
export function webhookCleared(hook: WebhookTarget): Prediction {
  return becomes(webhookState(hook), { mark: '', answer: 'not asked' })
}

export function webhookState({ bot, telegram, ask }: WebhookTarget): Reading<WebhookState> {
  return reading(hooks, `${bot} ${telegram} ${ask ? 'ask' : 'trust'}`)
}

const hooks: Kind<WebhookState> = {
  name: 'webhook',
  volatile: true,
  // In parallel: each may wait for an answer of Telegram.
  script: (names) => sh`
    hook() {
      mark='' answer=''
      { IFS= read -r mark || :; } 2>/dev/null <"${botFolders.state}/$1/webhook" || :
      if [ -e "${botFolders.state}/$1/current.json" ] && { [ "$3" = ask ] || [ "$mark" = unreachable ]; }; then
        answer=$({ printf 'url = "%s/bot%s/getWebhookInfo"\n' "$2" "$(cat "${botFolders.secrets}/$1/token")" | curl --silent --max-time 5 --config - || echo unreachable; } | base64 --wrap=0)
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

function parseAnswer(base64: string): WebhookState['answer'] {
  if (base64 === '') return 'not asked'
  try {
    const answer = JSON.parse(Buffer.from(base64, 'base64').toString())
    if (answer.ok === true) return answerOf(answer.result)
    return answer.error_code === 401 || answer.error_code === 404 ? 'refused' : 'unreachable'
  } catch {
    return 'unreachable'
  }
}

function answerOf({
  url,
  pending_update_count: pending,
  last_error_message: error,
  last_error_date: errorAt,
}: Record<string, unknown>): WebhookAnswer {
  return {
    url: String(url),
    ...(typeof pending === 'number' && pending > 0 && { pending }),
    ...(typeof error === 'string' && { error }),
    ...(typeof errorAt === 'number' && { errorAt }),
  }
}
