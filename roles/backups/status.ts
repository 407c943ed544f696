import * as v from 'valibot'

const schema = v.object({
  format: v.literal(1),
  result: v.picklist(['ok', 'failed']),
  /** When the last run ended. */
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

/** Undefined where there was no run yet. */
export function parseStatus(text: string): Status | undefined {
  if (text.trim() === '') return undefined
  const { lastGood, bytes, ...status } = v.parse(schema, JSON.parse(text))
  return { ...status, ...(lastGood && { lastGood }), ...(bytes && { bytes }) }
}
