import * as v from 'valibot'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { lostSchema } from './manifest.ts'
import { programDir } from './paths.ts'

const schema = v.object({
  format: v.literal(1),
  result: v.picklist(['running', 'ok', 'incomplete', 'failed']),
  /** When the last run ended, or began where it has not ended; '' where nobody knows. */
  at: v.string(),
  seconds: v.number(),
  reason: v.string(),
  /** What could not be taken, while the rest was. */
  failed: v.optional(v.array(lostSchema), []),
  warnings: v.array(v.string()),
  /** The name of the newest good backup with all in it. */
  lastGood: v.nullish(v.string()),
  bytes: v.nullish(v.number()),
  /** The one that something is missing from. */
  taken: v.optional(v.object({ name: v.string(), bytes: v.number() })),
})

/** What became of the last run on a host, good or not. */
export type Status = Omit<v.InferOutput<typeof schema>, 'lastGood' | 'bytes' | 'taken'> & {
  readonly lastGood?: string
  readonly bytes?: number
  readonly taken?: { readonly name: string; readonly bytes: number }
}

/** Prints the record of the last run, and before it whether its process is still there. */
export function statusScript(file: string): Script {
  return sh`
    who=$(sed -n 's/.*"process": *"\([0-9]* [0-9]*\)".*/\1/p' ${file} 2>/dev/null)
    if [ -n "$who" ] && [ "$(cut -d ' ' -f 1,22 "/proc/\${who% *}/stat" 2>/dev/null)" = "$who" ]; then echo alive; else echo gone; fi
    cat ${file} 2>/dev/null || :`
}

/**
 * Undefined where there was no run yet. One that has begun, has not ended and is no more has failed. A file that a full disk
 * has cut tells nothing of it, which is a doubt and no more.
 */
export function parseStatus(text: string): Status | undefined {
  const [, word, record = ''] = /^(?:(alive|gone)(?:\n|$))?([\s\S]*)$/.exec(text) ?? []
  if (record.trim() === '') return undefined
  const read = recordIn(record)
  if (read === undefined) {
    const doubt = `${programDir}/status.json is torn: what became of the last run is not known; the next one writes it anew`
    return { format: 1, result: 'ok', at: '', seconds: 0, reason: '', failed: [], warnings: [doubt] }
  }
  const { lastGood, bytes, taken, ...status } = read
  const cut = status.result === 'running' && word !== 'alive'
  return {
    ...status,
    ...(cut && {
      result: 'failed',
      reason: 'it began then and was killed, or the host went down, before it had ended',
    }),
    ...(lastGood && { lastGood }),
    ...(bytes && { bytes }),
    ...(taken && { taken }),
  }
}

function recordIn(text: string): v.InferOutput<typeof schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch {
    return undefined
  }
}
