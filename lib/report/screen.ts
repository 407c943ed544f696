import type { Paint } from '../std/colour.ts'
import { shown, writeErr } from '../std/output.ts'
import { type Activity, frame } from './status-lines.ts'

/** Where progress goes: lines that stay, and, on a terminal, a part beneath them that lives. */
export interface Screen {
  line(text: string): void
  /** What hosts are at, whenever it has changed. */
  show(activities: readonly Activity[]): void
  /** Takes the living part away for good. */
  close(): void
}

/** Whether a stream is a terminal that a living part can be drawn on. */
export function isLive(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  return stream.isTTY === true && !env.CI && env.TERM !== 'dumb'
}

export const plainScreen: Screen = { line: writeErr, show: () => {}, close: () => {} }

/** The cursor is never hidden, so that it need not be restored where the run is killed. */
export function liveScreen(stream: NodeJS.WriteStream, paint: Paint): Screen {
  let update: ReturnType<typeof import('log-update')['createLogUpdate']> | undefined
  // Nothing is drawn before it is loaded, which takes less time than a login.
  void import('log-update').then(({ createLogUpdate }) => {
    update = createLogUpdate(stream, { showCursor: true })
  })
  let activities: readonly Activity[] = []
  let drawn = false
  const draw = () => {
    if (activities.length === 0) return clear()
    if (update === undefined) return
    const { columns = 80, rows = 24 } = stream
    // A full last line or column would make the terminal scroll by itself.
    const size = { width: columns - 1, height: rows - 2, now: Date.now(), paint }
    update(shown(frame(activities, size).join('\n')))
    drawn = true
  }
  const clear = () => {
    if (drawn) update?.clear()
    drawn = false
  }
  const clock = setInterval(draw, 200).unref()
  const close = () => {
    clearInterval(clock)
    activities = []
    clear()
  }
  // A stack must not be written into the middle of it.
  process.prependListener('uncaughtException', close)
  process.prependListener('unhandledRejection', close)
  return {
    line: (text) => {
      clear()
      writeErr(text)
    },
    show: (now) => {
      activities = now
      if (now.length === 0) clear()
    },
    close,
  }
}
