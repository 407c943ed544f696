import type { Update } from 'grammy/types'
import { errorFields } from './log.ts'

/** An update as a log may know it, and what went wrong with it. */
export function logged(update: Update, error?: unknown): Record<string, unknown> {
  const fields = { update_id: update.update_id, type: typeOf(update) }
  return error === undefined ? fields : { ...fields, error: strike(errorFields(error), wordsOf(update)) }
}

/** A call to Telegram as a log may know it, and what went wrong with it. */
export function loggedCall(call: { updateId: number; method: string; payload: unknown }, error: unknown) {
  const { updateId, method, payload } = call
  return { update_id: updateId, method, error: strike(errorFields(error), wordsOf(payload)) }
}

function typeOf(update: Update): string {
  return Object.keys(update).find((key) => key !== 'update_id') ?? 'unknown'
}

/** Messages of errors like to quote: `"hello" is not valid JSON`. What users write, and who they are, stays out. */
function strike(value: unknown, words: readonly string[]): unknown {
  if (typeof value === 'string') {
    // What they quote may be only the beginning of it.
    const text = value.replace(/"([^"]+)"/g, (all, part) => (words.some((word) => word.includes(part)) ? '"***"' : all))
    return words.reduce((rest, word) => rest.replaceAll(word, '***'), text)
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, strike(inner, words)]))
}

const telling = new Set(['text', 'caption', 'data', 'query', 'first_name', 'last_name', 'username', 'title'])

function wordsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return []
  const words = Object.entries(value).flatMap(([key, inner]) => {
    if (typeof inner !== 'string') return wordsOf(inner)
    // Shorter ones would strike out half of any stack.
    return telling.has(key) && inner.length >= 3 ? [inner, ...inner.split(/\s+/).filter((word) => word.length > 4)] : []
  })
  return words.sort((one, other) => other.length - one.length)
}
