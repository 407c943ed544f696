import type { Commands } from '../../../lib/health/finding.ts'
import { quote } from '../../../lib/shell/sh.ts'
import type { Serving } from '../targets.ts'
import { judged, type Promised, skipped, type Verdict } from '../verdict.ts'
import type { Outside } from './outside-promises.ts'
import { type WebAnswer, webAnswer } from './web-request.ts'

/** A call of a webhook by a stranger: without the secret, and with a wrong one. `own`: files of the operator's in nginx. */
export async function webhookVerdict(
  { name: bot, release }: Serving,
  outside: Outside | undefined,
  own: readonly string[],
  commands: Commands,
): Promise<Verdict> {
  const promised = promiseOf(bot)
  if (release.spec.mode !== 'webhook') return skipped(promised, `it has no webhook: its mode is ${release.spec.mode}`)
  if (outside === undefined) return skipped(promised, 'this machine does not reach its host but by ssh')
  const { address, name, host } = outside
  const call = (headers: Record<string, string>) =>
    webAnswer({
      ...{ address, name, port: host.httpsPort, path: `/tg/${bot}`, secure: true, method: 'POST' as const },
      // No update of Telegram's has this number, so a bot that takes it does nothing.
      body: '{"update_id":0}',
      headers: { 'content-type': 'application/json', ...headers },
    })
  const without = await call({})
  const wrong = await call({ 'x-telegram-bot-api-secret-token': 'a-wrong-secret-of-the-doctor' })
  return judgedCalls(
    promised,
    [
      ['without its secret', without],
      ['with a wrong secret', wrong],
    ],
    own,
    commands,
  )
}

function promiseOf(bot: string): Promised {
  return { id: 'webhook-secret', bot, promise: 'its webhook refuses who does not have its secret' }
}

export function judgedCalls(
  promised: Promised,
  calls: readonly (readonly [how: string, WebAnswer])[],
  own: readonly string[],
  { playbook, onHost }: Commands,
): Verdict {
  const taken = calls.filter(([, answer]) => answer !== 'closed' && answer.status < 400)
  // A file of the operator's may answer in the place of the bot, or add the header itself.
  const mend =
    own.length > 0
      ? onHost(`sudo grep -n /tg/ ${own.map(quote).join(' ')}`)
      : playbook('bot', `--name ${quote(promised.bot ?? '')} --logs`)
  if (taken.length > 0)
    return judged(
      promised,
      taken.map(([how, answer]) => ({
        what: `called ${how} it answers ${answer === 'closed' ? '' : answer.status}: it must compare X-Telegram-Bot-Api-Secret-Token`,
        mend,
      })),
    )
  const [unclear] = calls.filter(([, answer]) => answer === 'closed' || answer.status >= 500 || answer.status === 429)
  if (unclear === undefined) return judged(promised, [])
  const [how, answer] = unclear
  return skipped(
    promised,
    `called ${how} it ${answer === 'closed' ? 'hangs up' : `answers ${answer.status}`}: see status.ts`,
  )
}
