import type { Progress } from '../engine/run-steps.ts'
import type { Facts } from '../model/facts.ts'
import { afterwards } from '../ssh/connection.ts'
import { type Paint, paintFor } from '../std/colour.ts'
import { streams } from '../std/output.ts'
import { type HostResult, statusOf } from './result.ts'
import { isLive, liveScreen, plainScreen, type Screen } from './screen.ts'
import { type Activity, stripControl } from './status-lines.ts'

/** Reports what happens, on stderr: a line at a time, and on a terminal also what every host is running. */
export interface Reporter {
  line(text: string): void
  /** During a login nothing is drawn, since ssh may be asking for a passphrase on the terminal. */
  login<T>(login: Promise<T>): Promise<T>
  connected(host: string, facts: Facts): void
  progress(host: string): Progress
  ended(result: HostResult): void
  /** What each host is running now: printed when the run is interrupted. */
  underWay(): string
  close(): void
}

export function reporter({
  verbose,
  json,
  quiet = false,
}: {
  verbose: boolean
  json: boolean
  /** Prints nothing: for cron, which mails all output. */
  quiet?: boolean
}): Reporter {
  const paint = paintFor(streams.err, process.env)
  if (quiet) return reporterOn(silent, { verbose: false, live: false, paint })
  const live = !json && isLive(streams.err, process.env)
  return reporterOn(live ? liveScreen(streams.err, paint) : plainScreen, { verbose, live, paint })
}

const silent: Screen = { line: () => {}, show: () => {}, close: () => {} }

export function reporterOn(
  screen: Screen,
  { verbose, live, paint }: { verbose: boolean; live: boolean; paint: Paint },
): Reporter {
  const running = new Map<string, string>()
  const activities = new Map<string, Activity>()
  let logins = 0
  // A line that does not begin with a host's name goes on with the one before.
  const line = (text: string) => screen.line(text.replaceAll('\n', '\n    '))
  const show = () => screen.show(logins > 0 ? [] : [...activities.values()])
  const at = (host: string, title: string, said = '', since = Date.now()) => {
    activities.set(host, { host, title, since, said })
    show()
  }
  const finish = (host: string, text: string) => {
    running.delete(host)
    line(`${host}  ${text}`)
    at(host, 'read')
  }
  return {
    line,
    login: async (login) => {
      logins++
      show()
      return login.finally(() => {
        logins--
        show()
      })
    },
    connected: (host, { osName, architecture, memoryMiB, container }) => {
      const kind = container === '' ? '' : `, a ${container} container`
      line(`${host}  connected: ${osName}, ${architecture}, ${memoryMiB} MiB${kind}`)
      at(host, 'read')
    },
    progress: (host) => ({
      begin: ({ title, script }) => {
        running.set(host, title)
        if (!live || verbose) line(`${host}  ${paint('dim', '▸')} ${title}`)
        if (verbose) for (const each of script.shown.split('\n')) line(paint('dim', `${host}    $ ${each}`))
        at(host, title)
      },
      waiting: (text) => {
        line(`${host}  ${text}`)
        at(host, stripControl(text))
      },
      output: (text) => {
        if (verbose) line(`${host}    ${stripControl(text)}`)
        const { title, since } = activities.get(host) ?? {}
        if (live && title !== undefined) at(host, title, stripControl(text), since)
      },
      end: ({ title }, seconds) => finish(host, `${paint('green', '✓')} ${title} (${seconds.toFixed(1)} s)`),
      failed: ({ title }, seconds) => finish(host, `${paint('red', '✗')} ${title} (${seconds.toFixed(1)} s)`),
    }),
    ended: (result) => {
      running.delete(result.host)
      activities.delete(result.host)
      show()
      // Of the last one the results speak at once.
      if (live && activities.size > 0)
        line(`${result.host}  ${paint('dim', `ended: ${statusOf(result)}, ${result.seconds.toFixed(1)} s`)}`)
    },
    underWay: () => [...running].map(([host, title]) => `${host}  while running ${title}: ${afterwards}`).join('\n'),
    close: screen.close,
  }
}
