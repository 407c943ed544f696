import type { Session } from '../../lib/cli/session.ts'
import { eventsScript, parseEvents, type RunEvent } from '../../lib/engine/events.ts'
import type { InventoryHost } from '../../lib/inventory/inventory.ts'
import { ask } from '../../lib/ssh/exec.ts'
import { type Paint, paintFor } from '../../lib/std/colour.ts'
import { RunnerError } from '../../lib/std/errors.ts'
import { mapConcurrent } from '../../lib/std/map-concurrent.ts'
import { oneLine, streams, writeErr, writeOut } from '../../lib/std/output.ts'

/** So many runs are shown to people, the newest; `--json` has all that the hosts answer. */
const mostRuns = 30
const mostChanges = 10

type HostEvent = RunEvent & { readonly host: string }

interface Answer {
  readonly events: readonly HostEvent[]
  readonly error?: string
  readonly exitCode: number
}

/** Shows who has changed what on which host when, the newest last. Returns the exit code: 3 or 4 where a host did not say. */
export async function showEvents(session: Session): Promise<number> {
  const { forks, json } = session.options
  const answers = await mapConcurrent(forks, session.hosts, (host) => eventsOf(session, host))
  const events = answers.flatMap((answer) => answer.events).sort((one, other) => (one.at < other.at ? -1 : 1))
  const errors = answers.flatMap(({ error }) => error ?? [])
  if (json) writeOut(JSON.stringify({ playbook: 'status', events, errors }))
  else {
    writeOut(eventsText(events, paintFor(streams.out, process.env)))
    for (const error of errors) writeErr(error)
  }
  return [3, 4].find((code) => answers.some(({ exitCode }) => exitCode === code)) ?? 0
}

async function eventsOf(session: Session, host: InventoryHost): Promise<Answer> {
  try {
    const record = await session.connected(host, (connection) => ask(connection, eventsScript), { quiet: true })
    return { events: parseEvents(record).map((event) => ({ host: host.name, ...event })), exitCode: 0 }
  } catch (error) {
    if (!(error instanceof RunnerError)) throw error
    return { events: [], error: error.message, exitCode: error.exitCode === 4 ? 4 : 3 }
  }
}

/** A line for each run, with what it has changed below it. */
export function eventsText(events: readonly HostEvent[], paint: Paint): string {
  if (events.length === 0) return 'nothing was changed yet'
  return events
    .slice(-mostRuns)
    .flatMap(({ at, host, who, changes }) => {
      const lines = changes.map(({ id, summary, failed }) => {
        const line = oneLine(`    ${id}: ${summary}`)
        return failed ? paint('red', `${line}  (failed)`) : line
      })
      const more = lines.length - mostChanges
      return [
        oneLine(`${at.replace('T', ' ').replace('Z', ' UTC')}  ${host}  ${who}`),
        // What failed is the last thing that a run has done.
        ...(more > 0 ? [...lines.slice(0, mostChanges - 2), `    … ${more} more`, ...lines.slice(-2)] : lines),
      ]
    })
    .join('\n')
}
