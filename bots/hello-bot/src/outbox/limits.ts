/** When Telegram wants us to wait: a chat that has had too much, or all of them. It does not say which. */
export interface Limits {
  /** A call was not refused for coming too often. */
  passed(): void
  /** A call to this chat was refused for so many seconds. */
  refused(chat: string, seconds: number): void
  /** How many milliseconds no chat may be called. */
  pause(): number
}

/** So many chats refused in a row are no longer taken for busy groups: it means all. */
const inARow = 3

export function createLimits(): Limits {
  const chats = new Set<string>()
  let until = 0
  return {
    passed: () => chats.clear(),
    refused(chat, seconds) {
      chats.add(chat)
      if (chats.size >= inARow) until = Math.max(until, performance.now() + seconds * 1_000)
    },
    pause: () => Math.max(0, until - performance.now()),
  }
}
