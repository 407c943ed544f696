import * as v from 'valibot'
import { primaryFile } from '../../lib/platform/standby/gate.ts'
import { type Script, sh } from '../../lib/shell/sh.ts'

/** Which host of a pair is the primary. Both have it as `primary.json`; the one with the higher epoch is right. */
export interface PrimaryRecord {
  /** It only grows: by one with each failover. */
  readonly epoch: number
  /** Names of the inventory. */
  readonly primary: string
  readonly standby: string
}

const name = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/))
const schema = v.strictObject({
  epoch: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(999_999_999)),
  primary: name,
  standby: name,
})

/** Undefined where it is not one. */
export function parsePrimary(text: string | undefined): PrimaryRecord | undefined {
  try {
    const { success, output } = v.safeParse(schema, JSON.parse(text ?? ''))
    return success && output.primary !== output.standby ? output : undefined
  } catch {
    return undefined
  }
}

/** As the gate reads it: one line, its members in this order. */
export function primaryText({ epoch, primary, standby }: PrimaryRecord): string {
  return `${JSON.stringify({ epoch, primary, standby })}\n`
}

/** The one of the highest epoch. */
export function latestOf(records: readonly (PrimaryRecord | undefined)[]): PrimaryRecord | undefined {
  const known = records.filter((each) => each !== undefined)
  return known.reduce<PrimaryRecord | undefined>(
    (latest, each) => (latest === undefined || each.epoch > latest.epoch ? each : latest),
    undefined,
  )
}

/** Shell text: prints the record, in base64, as `primary TEXT`; nothing where there is none. */
export const readPrimary: Script = sh`[ ! -e ${primaryFile} ] || echo "primary $(head -c 400 ${primaryFile} | base64 --wrap=0)"`

/** What that printed: the record, or that there is one that cannot be read. */
export function primaryIn(told: string): PrimaryRecord | 'torn' | undefined {
  const [, text] = /^primary (\S*)$/m.exec(told) ?? []
  return text === undefined ? undefined : (parsePrimary(Buffer.from(text, 'base64').toString()) ?? 'torn')
}
