import * as v from 'valibot'
import { type Script, sh } from '../../lib/shell/sh.ts'
import { lostPartSchema } from './manifest.ts'
import { programDir } from './paths.ts'

const schema = v.object({
  format: v.literal(1),
  result: v.picklist(['running', 'ok', 'incomplete', 'failed']),
  /** When the last run ended, or began where it has not ended; '' where that is not known. */
  at: v.string(),
  seconds: v.number(),
  reason: v.string(),
  /** The parts that could not be taken. */
  failed: v.optional(v.array(lostPartSchema), []),
  warnings: v.array(v.string()),
  /** The name of the newest complete backup. */
  lastGood: v.nullish(v.string()),
  bytes: v.nullish(v.number()),
  /** The backup that is incomplete. */
  taken: v.optional(v.object({ name: v.string(), bytes: v.number() })),
})

/** The result of the last run on a host. */
export type RunStatus = Omit<v.InferOutput<typeof schema>, 'lastGood' | 'bytes' | 'taken'> & {
  readonly lastGood?: string
  readonly bytes?: number
  readonly taken?: { readonly name: string; readonly bytes: number }
}

/** Shell text: prints `alive` or `gone` for the process of the last run, then its record. */
export function statusScript(file: string): Script {
  return sh`
    who=$(sed -n 's/.*"process": *"\([0-9]* [0-9]*\)".*/\1/p' ${file} 2>/dev/null)
    if [ -n "$who" ] && [ "$(cut -d ' ' -f 1,22 "/proc/\${who% *}/stat" 2>/dev/null)" = "$who" ]; then echo alive; else echo gone; fi
    cat ${file} 2>/dev/null || :`
}

/**
 * Undefined where there was no run yet. A run that is recorded as running, without its process, has failed. A record that
 * cannot be parsed, as after a full disk, becomes a warning.
 */
export function parseStatus(text: string): RunStatus | undefined {
  const [, word, record = ''] = /^(?:(alive|gone)(?:\n|$))?([\s\S]*)$/.exec(text) ?? []
  if (record.trim() === '') return undefined
  const read = parseRecord(record)
  if (read === undefined) {
    const doubt = `${programDir}/status.json cannot be parsed: the result of the last run is unknown; the next run rewrites it`
    return { format: 1, result: 'ok', at: '', seconds: 0, reason: '', failed: [], warnings: [doubt] }
  }
  const { lastGood, bytes, taken, ...status } = read
  const cut = status.result === 'running' && word !== 'alive'
  return {
    ...status,
    ...(cut && {
      result: 'failed',
      reason: 'it was started then, and was killed or the host went down before it ended',
    }),
    ...(lastGood && { lastGood }),
    ...(bytes && { bytes }),
    ...(taken && { taken }),
  }
}

function parseRecord(text: string): v.InferOutput<typeof schema> | undefined {
  try {
    return v.parse(schema, JSON.parse(text))
  } catch {
    return undefined
  }
}
