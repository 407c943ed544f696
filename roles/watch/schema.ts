import * as v from 'valibot'
import { secretSource } from '../../lib/model/secret-source.ts'

const count = (least: number, most: number) =>
  v.pipe(
    v.number(),
    v.integer(),
    v.minValue(least),
    v.maxValue(most),
    v.description(`a number from ${least} to ${most}`),
  )
const percent = count(1, 100)
/** It stands between quotes in a file of curl's. */
const url = v.pipe(
  v.string(),
  v.regex(/^https?:\/\/[^\s"\\/]+[^\s"\\]*$/, 'a URL like https://alerts.example.org/topic'),
)

const thresholds = v.strictObject({
  /** Percent of a disk in use. Left out: 90. */
  disk: v.optional(percent, 90),
  /** Percent of the inodes of a disk in use. Left out: 90. */
  inodes: v.optional(percent, 90),
  /** Days that a certificate must still be valid. Left out: 10. */
  certificateDays: v.optional(count(1, 365), 10),
  /** Hours since the last good backup. Left out: 26. */
  backupHours: v.optional(count(1, 10_000), 26),
  /** Updates that wait at Telegram and do not get fewer. Left out: 20. */
  pending: v.optional(count(1, 1_000_000), 20),
  /** Percent of the requests of 5 minutes that end with 5xx, where there are at least 5 of these. Left out: 10. */
  errorPercent: v.optional(percent, 10),
  /** Restarts of a container in 10 minutes. Left out: 3. */
  restarts: v.optional(count(1, 100), 3),
  /** Seconds that the host's clock may be off. Left out: 30. */
  clockSeconds: v.optional(count(2, 3600), 30),
})
export type Thresholds = v.InferOutput<typeof thresholds>

export const vars = v.strictObject({
  /** The chat that alerts are sent to: a number, or @NAME of a channel. */
  chat: v.optional(
    v.union([
      v.pipe(v.number(), v.integer()),
      v.pipe(v.string(), v.regex(/^(-?\d+|@[A-Za-z]\w{3,31})$/, 'the number of a chat, or @NAME')),
    ]),
  ),
  /** The token of the bot that sends them. A host keeps a token that it was given once. */
  token: v.optional(secretSource),
  /** Alerts are also, or only, the bodies of POSTs to this URL. */
  url: v.optional(url),
  /** Asked for after each complete run, for a service that notices when that ends. */
  deadman: v.optional(url),
  thresholds: v.optional(thresholds),
  /** When a summary is sent each day, by the host's clock. Left out: never. */
  digest: v.optional(v.pipe(v.string(), v.regex(/^([01]\d|2[0-3]):[0-5]\d$/, `a time of the day, in quotes: '09:00'`))),
})
export type WatchVars = v.InferOutput<typeof vars>

export const defaultThresholds: Thresholds = v.parse(thresholds, {})

/** Contradictions between keys that are each valid. */
export function faultsOf(wanted: WatchVars): string[] {
  const { chat, token, url, digest } = wanted
  if (Object.keys(wanted).length === 0) return []
  return [
    ...(chat !== undefined && token === undefined
      ? ['watch.token: missing: the token of the bot that sends alerts to watch.chat, as { env: WATCH_TOKEN }']
      : []),
    ...(token !== undefined && chat === undefined
      ? ['watch.chat: missing: the chat that alerts are sent to; write to the bot first, it cannot begin a chat']
      : []),
    ...(chat === undefined && token === undefined && url === undefined
      ? [
          `watch.chat or watch.url: missing: nobody would be told${digest === undefined ? '' : ', and the digest neither'}`,
        ]
      : []),
  ]
}
