import { suggest } from '../../../lib/std/suggest.ts'
import { processConflicts } from './process-conflicts.ts'
import type { Processes } from './processes.ts'
import { processNameOf, referencesIn } from './references.ts'
import { processRouteConflicts } from './routes.ts'
import type { Spec } from './spec.ts'
import { webhookPathOf } from './webhook-path.ts'

/** Keys of a bot that contradict each other, as lines `KEY: what`. */
export function conflictsIn(spec: Spec): readonly string[] {
  return [
    ...referenceConflicts(spec),
    ...webhookConflicts(spec),
    ...dataConflicts(spec),
    ...modeConflicts(spec),
    ...processConflicts(spec),
    ...processRouteConflicts(spec),
    ...jobConflicts(spec),
  ]
}

/** Variables that refer to what this bot does not have. */
function referenceConflicts({
  references = {},
  mode,
  database,
  external,
  cache,
  processes = {},
}: Spec): readonly string[] {
  return Object.entries(references).flatMap(([variable, value]) =>
    referencesIn(value).flatMap((name) => {
      const reason =
        name.startsWith('database.') && !database && !external
          ? 'the bot has "database: false"'
          : name.startsWith('cache.') && cache === undefined
            ? 'the bot has no "cache:"'
            : (name.startsWith('webhook.') && mode !== 'webhook') || (name === 'token' && mode === 'none')
              ? `the bot has "mode: ${mode}"`
              : processFault(processNameOf(name), processes)
      return reason === undefined ? [] : [`environment.${variable}: \${${name}} has no value, since ${reason}`]
    }),
  )
}

function processFault(name: string | undefined, processes: Processes): string | undefined {
  if (name === undefined) return undefined
  const process = processes[name]
  if (process === undefined) return `the bot has no process ${name}${suggest(name, Object.keys(processes))}`
  return process.port === undefined ? `the process ${name} has no "port:"` : undefined
}

function webhookConflicts({ webhook, mode, allowedUpdates, webhookPath }: Spec): readonly string[] {
  if (webhook !== 'bot')
    return webhookPathOf(webhookPath).appends && mode === 'webhook'
      ? [
          `webhookPath: ${webhookPath} is for a bot that appends something to its URL and calls setWebhook itself: add "webhook: bot", or leave out the /*`,
        ]
      : []
  return [
    ...(mode === 'webhook' ? [] : [`webhook: "bot" sets a webhook itself, and a bot with "mode: ${mode}" has none`]),
    ...(allowedUpdates === undefined
      ? []
      : ['allowedUpdates: is passed to setWebhook by botgarden, and with "webhook: bot" the bot calls it itself']),
  ]
}

/** What is said to Telegram of something that is no bot. */
function modeConflicts({ mode, allowedUpdates }: Spec): readonly string[] {
  if (mode !== 'none' || allowedUpdates === undefined) return []
  return ['allowedUpdates: is for Telegram, and with "mode: none" nothing is told to it: remove one of them']
}

/** Folders of a bot that cannot be as it says, as lines `data: what`. */
function dataConflicts({ data = [], scratch = [] }: Spec): readonly string[] {
  return data.flatMap((path) => {
    const outer = data.find((other) => path.startsWith(`${other}/`))
    return [
      ...(scratch.includes(path) ? [`data: ${path} is under "scratch:" as well, which is emptied at every start`] : []),
      ...(outer === undefined ? [] : [`data: ${path} is a part of ${outer}, which lasts already: leave it out`]),
    ]
  })
}

/** A job runs beside the bot, and has its data. */
function jobConflicts({ jobs, data = [], sharedData }: Spec): readonly string[] {
  if (jobs === undefined || data.length === 0 || sharedData) return []
  return [
    'jobs: a job writes to the data while the bot does, which "data:" allows to one alone: write data: { paths: […], shared: true } if both may, as with SQLite, or have the bot do it itself',
  ]
}
