import { referencesIn } from './references.ts'
import type { Spec } from './spec.ts'

/** What a variable refers to that this bot does not have, as lines `environment.NAME: what`. */
export function referenceConflicts({ references = {}, mode, database }: Spec): readonly string[] {
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
