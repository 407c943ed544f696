import { randomInt } from 'node:crypto'
import type { Api } from 'grammy'
import type { Database, Work } from '../database.ts'
import type { Log } from '../log.ts'
import { createSender } from './sender.ts'
import { type Call, claim, hasOthers, insert, type Row, release, remove, renew } from './table.ts'

/** Calls to Telegram between the commit of their update and their answer. */
export interface Outbox {
  /** Writes calls down in the transaction of their update. What it returns goes to `send` after the commit. */
  keep(work: Work, updateId: number, calls: readonly Call[]): Promise<readonly Row[]>
  send(rows: readonly Row[]): void
  /** It cannot be known whether a transaction with `keep` was committed: its rows, if there are any, are swept up. */
  doubt(): void
  /** So much waits that updates had better wait at Telegram. */
  isFull(): boolean
  /** Looks for calls that an earlier process has left, now and from time to time. */
  start(): void
  /** Sends what can be sent at once, `limitMs` at most, and leaves the rest to the next process. */
  close(limitMs: number): Promise<void>
}

export interface OutboxOptions {
  readonly db: Database
  readonly api: Api
  readonly log: Log
  readonly secondsToSend?: number | undefined
  /** How often it says that its calls are its own: a third of the lease. */
  readonly renewMs?: number
}

const most = 10_000
/** While there are rows of others, and then ever less often. */
const sweeps = { first: 500, last: 600_000 }
/** What is confirmed meanwhile goes in one statement. A crash in that time sends those replies twice. */
const gatherMs = 20

export function createOutbox({ db, api, log, secondsToSend, renewMs = 5_000 }: OutboxOptions): Outbox {
  let owner = randomInt(1, 2 ** 31)
  /** What is ours and not yet deleted, by id, and when that was last said in the database. */
  const ours = new Map<number, { row: Row; since: number; made: boolean }>()
  const confirmed: number[] = []
  let confirming: Promise<void> | undefined
  let sweeping = false
  let sweepMs = sweeps.first
  let sweepTimer: NodeJS.Timeout | undefined
  let closed = false
  const sender = createSender({ api, log, secondsToSend, isOurs: ({ id }) => ours.has(id), done })
  const renewing = setInterval(() => void quietly(renewAll, 'renewing the calls to make failed'), renewMs).unref()

  async function keep(work: Work, updateId: number, calls: readonly Call[]): Promise<readonly Row[]> {
    return calls.length === 0 ? [] : insert(work, owner, updateId, calls)
  }

  function send(rows: readonly Row[]): void {
    const own = rows.filter((row) => row.owner !== 0)
    if (own.length < rows.length) sweepSoon()
    take(own)
  }

  function take(rows: readonly Row[]): void {
    const fresh = rows.filter(({ id }) => !ours.has(id))
    for (const row of fresh) ours.set(row.id, { row, since: performance.now(), made: false })
    sender.add(fresh)
  }

  function done({ id }: Row): void {
    const entry = ours.get(id)
    if (entry !== undefined) entry.made = true
    confirmed.push(id)
    confirming ??= confirm()
  }

  async function confirm(): Promise<void> {
    while (confirmed.length > 0) {
      await new Promise((resolve) => setTimeout(resolve, gatherMs))
      const ids = confirmed.splice(0)
      try {
        await remove(db, ids)
        for (const id of ids) ours.delete(id)
      } catch (error) {
        confirmed.unshift(...ids)
        if (closed) break
        log.warn({ err: error }, 'confirming calls failed: trying again')
        await new Promise((resolve) => setTimeout(resolve, 1_000))
      }
    }
    confirming = undefined
  }

  async function renewAll(): Promise<void> {
    const due = performance.now() - renewMs / 2
    const old = [...ours.values()].filter(({ since }) => since < due)
    if (old.length === 0) return
    const still = await renew(
      db,
      old.map(({ row }) => row),
    )
    for (const entry of old) entry.since = performance.now()
    const lost = old.filter(({ row, made }) => !made && !still.has(row.id))
    for (const { row } of lost) ours.delete(row.id)
    if (lost.length > 0) log.warn({ calls: lost.length }, 'another process has taken over calls')
  }

  async function sweep(): Promise<void> {
    if (sweeping) return
    sweeping = true
    sweepMs = Math.min(sweepMs * 2, sweeps.last)
    try {
      if (!(await hasOthers(db, owner))) return
      sweepMs = sweeps.first
      take(await claim(db, owner))
    } catch (error) {
      log.debug({ err: error }, 'looking for calls that were left failed: trying again')
    } finally {
      sweeping = false
      schedule()
    }
  }

  function sweepSoon(): void {
    sweepMs = sweeps.first
    schedule()
  }

  function schedule(): void {
    clearTimeout(sweepTimer)
    if (!closed) sweepTimer = setTimeout(() => void sweep(), sweepMs).unref()
  }

  async function quietly(work: () => Promise<void>, what: string): Promise<void> {
    await work().catch((error: unknown) => log.warn({ err: error }, what))
  }

  return {
    keep,
    send,
    doubt() {
      // From now on its rows are another's, so that later ones of the same chat wait for them.
      owner = randomInt(1, 2 ** 31)
      sweepSoon()
    },
    isFull: () => ours.size >= most,
    start: () => void sweep(),
    async close(limitMs) {
      closed = true
      clearTimeout(sweepTimer)
      await sender.close(limitMs)
      clearInterval(renewing)
      await confirming
      const left = [...ours.values()].map(({ row }) => row)
      if (left.length === 0) return
      log.warn({ calls: left.length }, 'calls to Telegram are left for the next start')
      await quietly(() => release(db, left), 'leaving calls to the next start failed')
    },
  }
}
