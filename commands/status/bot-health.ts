import type { BotHealth, ContainerHealth, JobHealth, WebhookHealth } from '../../lib/health/state.ts'
import { cacheLayout } from '../../roles/bot/cache/layout.ts'
import type { JobsState } from '../../roles/bot/jobs/state.ts'
import { failureOf, resultText } from '../../roles/bot/jobs/told.ts'
import { layoutOf } from '../../roles/bot/spec/layout.ts'
import { processContainer } from '../../roles/bot/spec/processes.ts'
import { parseRelease, type Release } from '../../roles/bot/spec/release-record.ts'
import type { Spec } from '../../roles/bot/spec/spec.ts'
import { isWebhookOf } from '../../roles/bot/spec/webhook-path.ts'
import type { WebhookState } from '../../roles/bot/telegram/webhook-state.ts'
import { containersReading } from './container-reading.ts'
import type { BotQuestions } from './questions.ts'
import type { Readings } from './read.ts'

/** The health of a bot, from what its host has answered. */
export function botHealth(bot: BotQuestions, { get }: Readings): BotHealth {
  const { name, domains } = bot
  const record = get(bot.release)
  const release = parseRelease(record)
  if (release === undefined)
    return {
      name,
      release: record === undefined ? 'absent' : 'torn',
      container: 'absent',
      processes: {},
      jobs: {},
      domains,
    }
  const { id, spec, colour } = release
  const { mode } = spec
  const containers = get(containersReading)
  const containerOf = (container: string): ContainerHealth | 'absent' => containers?.get(container) ?? 'absent'
  const webhook = mode === 'none' ? undefined : webhookOf(get(bot.webhook), bot.url, spec)
  const traffic = mode === 'webhook' ? get(bot.traffic) : undefined
  const at = releasedAt(id)
  return {
    ...{ name, mode, domains },
    release: { id, ...(at !== undefined && { at }) },
    container: containerOf(layoutOf(name).container(colour)),
    processes: {
      ...Object.fromEntries(
        Object.keys(spec.processes ?? {}).map((each) => [each, containerOf(processContainer(name, each, colour))]),
      ),
      ...(spec.cache && { cache: containerOf(cacheLayout(name).container) }),
    },
    ...(spec.replicas &&
      bot.replicas && { replicas: { wanted: spec.replicas.count, on: get(bot.replicas)?.on ?? [] } }),
    ...(traffic && { traffic }),
    ...(webhook && { webhook }),
    jobs: jobsOf(release, get(bot.jobs)),
  }
}

/** The time in the id of a release, `20261124-221530-…`. */
function releasedAt(id: string): number | undefined {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-/.exec(id) ?? []
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at) ? undefined : at
}

/** Of a URL that is not the bot's own nothing is kept: people append tokens. */
function webhookOf(state: WebhookState | undefined, own: string, spec: Spec): WebhookHealth | undefined {
  const { answer = 'not asked' } = state ?? {}
  if (answer === 'not asked') return undefined
  if (typeof answer === 'string') return answer
  const { url, pending = 0, error, errorAt } = answer
  return {
    url: url === '' ? 'none' : isWebhookOf(url, own, spec) ? 'own' : 'foreign',
    pending,
    ...(error !== undefined && { error }),
    ...(errorAt !== undefined && { errorAt: errorAt * 1000 }),
  }
}

function jobsOf({ spec: { jobs = {} } }: Release, state: JobsState): Record<string, JobHealth> {
  return Object.fromEntries(
    Object.keys(jobs).map((job): [string, JobHealth] => {
      const result = state?.results[job]
      const isRunning = state?.running.includes(job) ?? false
      const failure = failureOf(result, isRunning)
      if (state?.timers[job]?.active !== true) return [job, { last: 'its timer does not run', failed: true }]
      if (isRunning) return [job, { last: 'running now', failed: false }]
      return [
        job,
        { last: result === undefined ? 'not run yet' : (failure ?? resultText(result)), failed: failure !== undefined },
      ]
    }),
  )
}
