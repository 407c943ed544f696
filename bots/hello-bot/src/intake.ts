import type { Update } from 'grammy/types'

/** Takes updates, from whichever side they come. */
export interface Intake {
  /** `again`: it had no effect and must come again. */
  take(update: Update): Promise<'done' | 'again'>
  /** Takes nothing more, and waits for what has begun, `limitMs` at most. */
  close(limitMs: number): Promise<void>
}

/** At most `width` at once, since each holds a connection to the database; the others wait, though not for ever. */
export function createIntake(handle: (update: Update) => Promise<void>, width: number, patienceMs = 10_000): Intake {
  const queue: ((admitted: boolean) => void)[] = []
  let busy = 0
  let open = true
  let drained = () => {}

  async function take(update: Update): Promise<'done' | 'again'> {
    if (!(await admission())) return 'again'
    try {
      await handle(update)
      return 'done'
    } catch {
      // What went wrong has been logged where it happened.
      return 'again'
    } finally {
      passOn()
    }
  }

  function admission(): boolean | Promise<boolean> {
    if (!open) return false
    if (busy === width) return turn()
    busy++
    return true
  }

  function turn(): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (admitted: boolean) => {
        clearTimeout(clock)
        resolve(admitted)
      }
      const clock = setTimeout(() => {
        queue.splice(queue.indexOf(settle), 1)
        resolve(false)
      }, patienceMs)
      queue.push(settle)
    })
  }

  function passOn(): void {
    const next = queue.shift()
    if (next === undefined) busy--
    next?.(true)
    if (busy === 0) drained()
  }

  async function close(limitMs: number): Promise<void> {
    open = false
    for (const settle of queue.splice(0)) settle(false)
    if (busy === 0) return
    await new Promise<void>((resolve) => {
      const clock = setTimeout(resolve, limitMs)
      drained = () => {
        clearTimeout(clock)
        resolve()
      }
    })
  }

  return { take, close }
}
