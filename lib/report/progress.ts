import type { Progress } from '../engine/run-steps.ts'
import type { Step } from '../engine/step.ts'
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
  /** By host: its steps that run, and what it is at where none does. */
  const running = new Map<string, Map<Step, Activity>>()
  const between = new Map<string, Activity>()
  let logins = 0
  // A line that does not begin with a host's name goes on with the one before.
  const line = (text: string) => screen.line(text.replaceAll('\n', '\n    '))
  const stepsOf = (host: string) => running.get(host) ?? new Map<Step, Activity>()
  const show = () => {
    const idle = [...between.values()].filter(({ host }) => stepsOf(host).size === 0)
    screen.show(logins > 0 ? [] : [...idle, ...[...running.values()].flatMap((steps) => [...steps.values()])])
  }
  const at = (host: string, title: string) => {
    between.set(host, { host, title, since: Date.now(), said: '' })
    show()
  }
  const runs = (host: string, step: Step, said = '', since = Date.now()) => {
    running.set(host, stepsOf(host).set(step, { host, title: step.title, since, said }))
    show()
  }
  const finish = (host: string, step: Step, mark: string, seconds: number) => {
    stepsOf(host).delete(step)
    line(`${host}  ${mark} ${step.title} (${seconds.toFixed(1)} s)`)
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
      begin: (step) => {
        const { title, script } = step
        if (!live || verbose) line(`${host}  ${paint('dim', '▸')} ${title}`)
        if (verbose) for (const each of script.shown.split('\n')) line(paint('dim', `${host}    $ ${each}`))
        runs(host, step)
      },
      waiting: (text) => {
        line(`${host}  ${text}`)
        at(host, stripControl(text))
      },
      output: (text, step) => {
        const whose = step.lane === undefined ? '' : `  ${step.lane}`
        if (verbose) line(`${host}${whose}    ${stripControl(text)}`)
        const activity = stepsOf(host).get(step)
        if (live && activity !== undefined) runs(host, step, stripControl(text), activity.since)
      },
      end: (step, seconds) => finish(host, step, paint('green', '✓'), seconds),
      failed: (step, seconds) => finish(host, step, paint('red', '✗'), seconds),
    }),
    ended: (result) => {
      running.delete(result.host)
      between.delete(result.host)
      show()
      // Of the last one the results speak at once.
      if (live && between.size > 0)
        line(`${result.host}  ${paint('dim', `ended: ${statusOf(result)}, ${result.seconds.toFixed(1)} s`)}`)
    },
    underWay: () =>
      [...running]
        .filter(([, steps]) => steps.size > 0)
        .map(
          ([host, steps]) =>
            `${host}  while running ${[...steps.keys()].map(({ title }) => title).join(', ')}: ${afterwards}`,
        )
        .join('\n'),
    close: screen.close,
  }
}
