import { setTimeout as pause } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import type { TelegramClient } from '../../../sandbox/telegram/client.ts'

/** How many people write to each bot, in turn. */
const people = 60

/** What people have written. */
export interface Crowd {
  /** The number of the first person; that of the others follows. */
  readonly first: number
  /** How many updates each bot has got. */
  readonly each: number
  /** How many updates all bots have got in a second. */
  readonly rate: number
}

/** People write to hello-bots, to all of them alike, until it is ended: so many updates a second over all, and never more than 30,000. */
export function crowd(telegram: TelegramClient, bots: readonly string[], perSecond: number): () => Promise<Crowd> {
  let going = true
  let each = 0
  const first = Math.floor(Date.now() / 1000) * 1000
  const began = performance.now()
  const ended = (async () => {
    while (going && each * bots.length < 30_000) {
      await Promise.all(
        bots.map((bot) => telegram.act(bot, { chat: first + (each % people), text: '/start', language: 'en' })),
      )
      each++
      await pause(Math.max(0, began + (each * bots.length * 1000) / perSecond - performance.now()))
    }
  })()
  return async () => {
    going = false
    await ended
    return { first, each, rate: (each * bots.length * 1000) / (performance.now() - began) }
  }
}

/** Every update has been answered once, and those of each person in their order: a hello-bot counts how often it has met them. */
export async function answeredOnce(telegram: TelegramClient, bot: string, { first, each }: Crowd): Promise<void> {
  for (let tries = 0; tries < 360; tries++) {
    const { pending, sent } = await telegram.report(bot)
    const mine = Object.entries(sent.byChat).filter(([chat]) => Number(chat) >= first && Number(chat) < first + people)
    if (pending === 0 && mine.reduce((sum, [, n]) => sum + n, 0) >= each) break
    await pause(500)
  }
  for (let person = 0; person < Math.min(people, each); person++) {
    const wrote = Math.floor((each - person - 1) / people) + 1
    const said = (await telegram.chat(bot, first + person)).filter(({ from }) => from === 'bot')
    const met = said.map(({ text }) => Number(/We have met (\d+)/.exec(text)?.[1] ?? 1))
    assert.equal(
      met,
      Array.from({ length: wrote }, (_, i) => i + 1),
      `${bot}: what person ${person} was told`,
    )
  }
}
