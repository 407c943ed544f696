import type { Update } from 'grammy/types'
import { chatOf } from './chat.ts'

/** Takes updates, from whichever side they come. */
export interface Intake {
  /** `again`: it had no effect and must come again. */
  take(update: Update): Promise<'done' | 'again'>
  /** Takes nothing more, and waits for what has begun, `limitMs` at most. */
  close(limitMs: number): Promise<void>
}

/**
 * At most `width` at once, since each holds a connection to the database, and of each chat one, so that a slow chat
 * takes no more than one of them. The others wait, though not for ever.
 */
export function createIntake(handle: (update: Update) => Promise<void>, width: number, patienceMs = 10_000): Intake {
  const queue: Waiting[] = []
  const chats = new Set<number | undefined>()
  let busy = 0
  let open = true
  let drained = () => {}

  async function take(update: Update): Promise<'done' | 'again'> {
    const chat = chatOf(update)
    if (!(await admission(chat))) return 'again'
    try {
      await handle(update)
      return 'done'
    } catch {
      // What went wrong has been logged where it happened.
      return 'again'
    } finally {
      passOn(chat)
    }
  }

  function admission(chat: number | undefined): boolean | Promise<boolean> {
    if (!open) return false
    if (busy === width || chats.has(chat)) return turn(chat)
    enter(chat)
    return true
  }

  function enter(chat: number | undefined): void {
    busy++
    if (chat !== undefined) chats.add(chat)
  }

  function turn(chat: number | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const waiting = { chat, settle }
      const clock = setTimeout(() => {
        queue.splice(queue.indexOf(waiting), 1)
        resolve(false)
      }, patienceMs)
      queue.push(waiting)

      function settle(admitted: boolean): void {
        clearTimeout(clock)
        resolve(admitted)
      }
    })
  }

  function passOn(chat: number | undefined): void {
    busy--
    chats.delete(chat)
    // The first whose chat is free: that can be one more than has just ended, where others waited for this chat.
    for (let next = first(); next !== undefined && busy < width; next = first()) {
      queue.splice(queue.indexOf(next), 1)
      enter(next.chat)
      next.settle(true)
    }
    if (busy === 0) drained()
  }

  function first(): Waiting | undefined {
    return queue.find(({ chat }) => !chats.has(chat))
  }

  async function close(limitMs: number): Promise<void> {
    open = false
    for (const { settle } of queue.splice(0)) settle(false)
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

interface Waiting {
  readonly chat: number | undefined
  settle(admitted: boolean): void
}
