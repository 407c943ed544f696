import * as v from 'valibot'
import { etcDir } from '../../lib/model/host-layout.ts'
import type { Resource } from '../../lib/model/resource.ts'
import { file } from '../../lib/resources/file.ts'

/** Which of two hosts has the primary: both keep it. The number only grows; the higher one is right. */
export interface PrimaryRecord {
  readonly epoch: number
  readonly primary: string
  readonly standby: string
}

export const primaryRecordPath = `${etcDir}/primary.json`

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,200}$/))
const schema = v.object({
  epoch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e9)),
  primary: name,
  standby: name,
})

/** Undefined where there is none, or it is not valid. */
export function parsePrimaryRecord(text: string): PrimaryRecord | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(text))
    return success ? output : undefined
  } catch {
    return undefined
  }
}

/** The one with the highest number. */
export function newestRecord(records: readonly (PrimaryRecord | undefined)[]): PrimaryRecord | undefined {
  return records
    .flatMap((each) => each ?? [])
    .reduce<PrimaryRecord | undefined>((best, each) => (best && best.epoch >= each.epoch ? best : each), undefined)
}

export function recordText({ epoch, primary, standby }: PrimaryRecord): string {
  return `${JSON.stringify({ epoch, primary, standby })}\n`
}

/** The host has this record. */
export function primaryRecord(record: PrimaryRecord): Resource {
  return file(primaryRecordPath, { content: recordText(record) })
}
