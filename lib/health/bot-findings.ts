import { containerFindings } from './container-findings.ts'
import type { Commands, Finding } from './finding.ts'
import type { BotHealth, WebhookHealth } from './state.ts'
import { thresholds } from './thresholds.ts'

/** What is not as it should be about a bot. `now`: the clock of its host, in milliseconds since 1970. */
export function botFindings(bot: BotHealth, now: number, commands: Commands): Finding[] {
  const { name, release } = bot
  const deploy = commands.playbook('bot', `--name ${name}`)
  const own = (found: Omit<Finding, 'bot'>): Finding => ({ ...found, bot: name })
  if (release === 'absent')
    return [own({ level: 'warning', id: 'not-deployed', what: 'is not deployed', next: deploy })]
  if (release === 'torn')
    return [
      own({
        level: 'error',
        id: 'record',
        what: 'the record of its release cannot be read',
        next: commands.playbook('site'),
      }),
    ]
  const look = commands.playbook('bot', `--name ${name} --logs`)
  const repair = commands.playbook('site')
  return [
    ...containerFindings('its container', bot.container, now, { repair, look }),
    ...Object.entries(bot.processes).flatMap(([process, state]) =>
      containerFindings(`its process ${process}`, state, now, { repair, look }),
    ),
    ...replicasFindings(bot, repair),
    ...(bot.webhook === undefined ? [] : webhookFindings(bot, bot.webhook, now, { deploy, look })),
    ...trafficFindings(bot, look),
    ...Object.entries(bot.jobs).flatMap(([job, { last, failed }]): Finding[] =>
      failed
        ? [
            {
              level: 'warning',
              id: 'job',
              what: `its job ${job}: ${last}`,
              next: commands.playbook('bot', `--name ${name} --run ${job}`),
            },
          ]
        : [],
    ),
  ].map(own)
}

function replicasFindings({ replicas }: BotHealth, repair: string): Finding[] {
  if (replicas === undefined || replicas.on.length >= replicas.wanted) return []
  const { wanted, on } = replicas
  const where = on.length === 0 ? '' : `, on ${[...new Set(on)].join(', ')}`
  const what = `${on.length} of ${wanted} replicas run${where}`
  return [{ level: on.length === 0 ? 'error' : 'warning', id: 'replicas', what, next: repair }]
}

function webhookFindings(
  { mode }: BotHealth,
  webhook: WebhookHealth,
  now: number,
  { deploy, look }: { deploy: string; look: string },
): Finding[] {
  if (mode === 'none') return []
  const say = (level: Finding['level'], id: string, what: string, next = look): Finding[] => [{ level, id, what, next }]
  if (webhook === 'unreachable') return say('warning', 'telegram', 'Telegram did not answer the host')
  if (webhook === 'refused')
    return say('error', 'token', 'Telegram rejects its token: it is revoked, or not complete', deploy)
  const { url, pending, error, errorAt } = webhook
  if (mode === 'polling')
    return url === 'none'
      ? []
      : say('error', 'webhook-url', 'it polls, and somebody has set a webhook: it gets no updates', deploy)
  if (url === 'none')
    return say(
      'error',
      'webhook-url',
      'Telegram has no webhook: somebody polls with its token, or has deleted it',
      deploy,
    )
  if (url === 'foreign')
    return say(
      'error',
      'webhook-url',
      'Telegram has a webhook that is not ours: somebody else gets its updates',
      deploy,
    )
  const { pending: limits, deliveryError } = thresholds
  const isRecent = error !== undefined && now - (errorAt ?? now) < deliveryError
  return [
    ...(isRecent ? say(pending > 0 ? 'error' : 'warning', 'delivery', `Telegram could not deliver: ${error}`) : []),
    ...(pending >= limits.warning
      ? say(pending >= limits.error ? 'error' : 'warning', 'pending', `${pending} updates wait at Telegram`)
      : []),
  ]
}

function trafficFindings({ traffic }: BotHealth, look: string): Finding[] {
  if (traffic === undefined) return []
  const { delivered, failed, minutes } = traffic
  const { percent, least } = thresholds.failedRequests
  if (failed < least || (100 * failed) / (delivered + failed) < percent) return []
  const what = `${failed} of ${delivered + failed} updates failed (5xx) in the last ${minutes} min`
  return [{ level: 'warning', id: 'failed-updates', what, next: look }]
}
