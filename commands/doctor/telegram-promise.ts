import { botFindings } from '../../lib/health/bot-findings.ts'
import type { Commands } from '../../lib/health/finding.ts'
import type { BotHealth } from '../../lib/health/state.ts'
import { judged, skipped, type Verdict } from './verdict.ts'

const about = ['telegram', 'token', 'webhook-url', 'delivery']

/** What Telegram itself says of a bot. `now`: the clock of its host, in milliseconds since 1970. */
export function telegramVerdict(health: BotHealth, now: number, commands: Commands): Verdict {
  const promised = { id: 'telegram', bot: health.name, promise: 'Telegram takes its token, and delivers to it alone' }
  if (health.webhook === undefined) return skipped(promised, 'it has no token: its mode is none')
  const findings = botFindings(health, now, commands).filter(({ id }) => about.includes(id))
  return judged(
    promised,
    findings.map(({ what, next }) => ({ what, mend: next })),
  )
}
