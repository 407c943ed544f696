import * as v from 'valibot'
import { home } from './paths.ts'

const schema = v.object({
  format: v.literal(1),
  result: v.picklist(['ok', 'failed']),
  /** When the last run ended; '' where nobody knows. */
  at: v.string(),
  seconds: v.number(),
  reason: v.string(),
  warnings: v.array(v.string()),
  /** The name of the newest good backup. */
  lastGood: v.nullish(v.string()),
  bytes: v.nullish(v.number()),
})

/** What became of the last run on a host, good or not. */
export type Status = Omit<v.InferOutput<typeof schema>, 'lastGood' | 'bytes'> & {
  readonly lastGood?: string
  readonly bytes?: number
}

/** Undefined where there was no run yet. A file that a full disk has cut tells nothing of it, which is a doubt and no more. */
export function parseStatus(text: string): Status | undefined {
  if (text.trim() === '') return undefined
  try {
    const { lastGood, bytes, ...status } = v.parse(schema, JSON.parse(text))
    return { ...status, ...(lastGood && { lastGood }), ...(bytes && { bytes }) }
  } catch {
    const doubt = `${home}/status.json is torn: what became of the last run is not known; the next one writes it anew`
    return { format: 1, result: 'ok', at: '', seconds: 0, reason: '', warnings: [doubt] }
  }
}
