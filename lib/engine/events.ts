import * as v from 'valibot'
import { stateDir } from '../model/host-layout.ts'
import { quote, type Script, sh } from '../shell/sh.ts'
import { masked } from '../std/secret.ts'
import type { LockRequest } from './host-lock.ts'
import type { Step } from './step.ts'

/**
 * The record on a host of what runs have changed there: a line of JSON for each step. It is a help for people, and nothing is
 * decided by it. Root alone reads it.
 */
export const eventsFile = `${stateDir}/events`

/** The most bytes of the file, before it is cut to half of that. */
const fileLimit = 1_000_000

/** The most changes in a line: it is written at once, also where steps run side by side. */
const changesLimit = 12

/** What one run has changed on a host. */
export interface RunEvent {
  /** When the run took the lock of the host, as in ISO 8601. */
  readonly at: string
  /** Who ran what: `ops@laptop, site.ts`. */
  readonly who: string
  readonly changes: readonly { readonly id: string; readonly summary: string; readonly failed: boolean }[]
}

/** What a step does, as members of a line of the record: the caller adds `at` and `status`. */
export function membersOf({ changes }: Pick<Step, 'changes'>, { holder, run = '' }: LockRequest): string {
  return members(
    holder,
    run,
    changes.map(({ id, change }) => [id, change.summary]),
  )
}

/**
 * Shell text for the beginning of what a run does under the lock: makes the file, and keeps it bounded. Then
 * `note_event MEMBERS STATUS` adds a line, by the shell itself. That it cannot be written stops nothing.
 */
export const eventFunctions = `[ -e ${eventsFile} ] || (umask 077; mkdir -p ${stateDir} && : >>${eventsFile}) 2>/dev/null || :
{ [ "$(wc -c <${eventsFile})" -le ${fileLimit} ]; } 2>/dev/null ||
(umask 077; tail -c ${fileLimit / 2} ${eventsFile} | sed 1d >${eventsFile}.new && mv -f ${eventsFile}.new ${eventsFile}) 2>/dev/null || :
note_event() { printf '{"at":"%s",%s,"status":%s}\\n' "$since" "$1" "$2" 2>/dev/null >>${eventsFile} || :; }`

/** Shell text: notes one thing that was done outside a run with a plan, such as a restore. It may be part of any script. */
export function noteEvent(claim: LockRequest, id: string, summary: string): Script {
  const text = `(since=$(date -u '+%F %T UTC')\n${eventFunctions}\nnote_event ${quote(members(claim.holder, claim.run ?? '', [[id, summary]]))} 0)`
  return { text, shown: `note ${id}` }
}

/** Shell text: prints the record. */
export const eventsScript: Script = sh`tail -c ${fileLimit} ${eventsFile} 2>/dev/null || :`

/** Reads the record, the oldest run first. Lines that are not valid are left out: the first one may be the end of a longer one. */
export function parseEvents(text: string): readonly RunEvent[] {
  const runs = new Map<string, RunEvent>()
  for (const [i, line] of text.split('\n').entries()) {
    const event = parsed(line)
    if (event === undefined) continue
    const { at, who, run, changes, more, status } = event
    const key = run === '' ? `line ${i}` : `${run} ${who}`
    const before = runs.get(key) ?? { at: `${at.slice(0, 10)}T${at.slice(11, 19)}Z`, who, changes: [] }
    const failed = status !== 0
    const others = more === undefined ? [] : [{ id: '…', summary: `and ${more} more`, failed }]
    const added = changes.map(([id, summary]) => ({ id, summary, failed }))
    runs.set(key, { ...before, changes: [...before.changes, ...added, ...others] })
  }
  return [...runs.values()]
}

const event = v.looseObject({
  at: v.pipe(v.string(), v.regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC$/)),
  run: v.string(),
  who: v.string(),
  changes: v.array(v.tuple([v.string(), v.string()])),
  more: v.optional(v.number()),
  status: v.number(),
})

function parsed(line: string): v.InferOutput<typeof event> | undefined {
  try {
    const { success, output } = v.safeParse(event, JSON.parse(line))
    return success ? output : undefined
  } catch {
    return undefined
  }
}

/** As many changes as a line has room for, and how many there are besides. */
function members(who: string, run: string, changes: readonly (readonly [id: string, summary: string])[]): string {
  const shown = changes
    .slice(0, changesLimit)
    .map(([id, summary]) => [masked(id).slice(0, 100), masked(summary).slice(0, 200)])
  const more = changes.length - shown.length
  return JSON.stringify({ run, who, changes: shown, ...(more > 0 && { more }) }).slice(1, -1)
}
