import { referencesIn } from './references.ts'
import type { Spec } from './spec.ts'

/** Keys of a bot that contradict each other, as lines `KEY: what`. */
export function conflictsIn(spec: Spec): readonly string[] {
  return [...referenceConflicts(spec), ...webhookConflicts(spec)]
}

/** Variables that refer to what this bot does not have. */
function referenceConflicts({ references = {}, mode, database }: Spec): readonly string[] {
  return Object.entries(references).flatMap(([variable, value]) =>
    referencesIn(value).flatMap((name) => {
      const reason =
        name.startsWith('database.') && !database
          ? 'the bot has "database: false"'
          : name.startsWith('webhook.') && mode === 'polling'
            ? 'the bot has "mode: polling"'
            : undefined
      return reason === undefined ? [] : [`environment.${variable}: \${${name}} has no value, since ${reason}`]
    }),
  )
}

function webhookConflicts({ webhook, mode, allowedUpdates }: Spec): readonly string[] {
  if (webhook !== 'bot') return []
  return [
    ...(mode === 'polling' ? ['webhook: "bot" sets a webhook itself, and a bot with "mode: polling" has none'] : []),
    ...(allowedUpdates === undefined
      ? []
      : ['allowedUpdates: is passed to setWebhook by botgarden, and with "webhook: bot" the bot calls it itself']),
  ]
}
