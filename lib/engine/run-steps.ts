import { StringDecoder } from 'node:string_decoder'
import type { Reading, State } from '../model/reading.ts'
import { type Connection, ConnectionLost } from '../ssh/connection.ts'
import type { FrameHandlers } from '../ssh/framing.ts'
import { collecting, unanswered } from '../ssh/sections.ts'
import { CommandFailed, HostError } from '../std/errors.ts'
import { masked } from '../std/secret.ts'
import { blocksOf, predecessorsOf } from './blocks.ts'
import { Busy, heldBy, type LockRequest, openLock, takeLock } from './host-lock.ts'
import { digestOf, parseReadings, readText } from './read.ts'
import type { Step } from './step.ts'
import { applyText, validateText } from './steps.ts'

/** The events while steps run on a host. */
export interface Progress {
  begin(step: Step): void
  output(line: string, step: Step): void
  /** Another run holds the host, and we wait. */
  waiting(line: string): void
  end(step: Step, seconds: number): void
  failed?(step: Step, seconds: number): void
}

/** What was read at one moment. */
export interface Snapshot {
  readonly state: State
  /** The checksum of everything that must not change before the plan is applied. */
  readonly digest: string
}

/** Reads everything in one round trip. */
export async function read(connection: Connection, readings: readonly Reading[]): Promise<Snapshot> {
  const sections = collecting()
  await connection.request((nonce) => readText(readings, nonce), sections.handlers)
  return snapshotOf(readings, sections.sections())
}

/**
 * Applies steps in order in one round trip, under the host's lock, and reads everything after the last. The first that
 * fails ends it. Returns undefined where the host has changed since it was read; then nothing was done.
 */
export async function applySteps(
  connection: Connection,
  steps: readonly Step[],
  {
    readings,
    digest,
    claim,
    progress,
  }: { readings: readonly Reading[]; digest: string; claim: LockRequest; progress: Progress },
): Promise<Snapshot | undefined> {
  const script = (nonce: string) => applyText(steps, readings, digest, claim, nonce)
  const heard = await runSteps(connection, steps, script, progress, openLock)
  return heard.drifted ? undefined : snapshotOf(readings, heard.sections())
}

/** Takes the lock of the host for as long as the connection lasts, before the uploads for the steps that follow. */
export async function hold(connection: Connection, claim: LockRequest, progress: Progress): Promise<void> {
  await runSteps(connection, [], (nonce) => takeLock(claim, nonce), progress, openLock)
}

/** Has candidates validated in one round trip, without making any change. */
export async function validate(connection: Connection, steps: readonly Step[], progress: Progress): Promise<void> {
  await runSteps(connection, steps, (nonce) => validateText(steps, nonce), progress)
}

async function runSteps(
  connection: Connection,
  steps: readonly Step[],
  script: (nonce: string) => string,
  progress: Progress,
  prelude?: string,
): Promise<StageOutput> {
  const heard = listening(steps, progress)
  const status = await connection.request(script, heard.handlers, prelude).catch((error: unknown) => {
    const titles = [...heard.running.values()].map(({ step }) => step.title)
    throw error instanceof ConnectionLost && titles.length > 0 ? error.during(titles.join(', ')) : error
  })
  if (heard.failed.length > 0) throw together(heard.failed)
  if (status === 75) throw new Busy(`is being changed by ${heldBy(heard.text('holder'))}: --wait waits for it`)
  if (status !== 0) throw new HostError(`ended with exit code ${status} outside any step: ${heard.text('')}`)
  const left = heard.drifted && heard.begun === 0 ? [] : steps.filter((step) => !heard.ended.has(step))
  if (left.length > 0 || (heard.drifted && heard.begun > 0))
    throw unanswered(`it says that all is done, and nothing of ${(left[0] ?? steps[0])?.title}`)
  return heard
}

/** The first failure, which also tells of the others: steps that run side by side may fail together. */
function together([first, ...others]: readonly CommandFailed[]): CommandFailed {
  if (first === undefined) throw new Error('a failure of no step')
  for (const { message } of others)
    for (const [i, line] of message.split('\n').entries()) first.with(i === 0 ? `also failed: ${line}` : `  ${line}`)
  return first
}

interface Running {
  readonly step: Step
  /** The end of what it printed. */
  output: string
  readonly decoder: StringDecoder
  readonly since: number
}

interface StageOutput {
  readonly handlers: FrameHandlers
  /** By index. */
  readonly running: ReadonlyMap<number, Running>
  begun: number
  /** Those that have ended well. */
  readonly ended: ReadonlySet<Step>
  readonly failed: readonly CommandFailed[]
  drifted: boolean
  text(section: string): string
  sections(): Map<string, Buffer>
}

/** Follows what a stage prints: its steps, who holds the lock, and what it reads behind them. */
function listening(steps: readonly Step[], progress: Progress): StageOutput {
  const sections = collecting()
  const predecessors = predecessorsOf(blocksOf(steps))
  const [running, ended, failed] = [new Map<number, Running>(), new Set<Step>(), [] as CommandFailed[]]
  let speaker: Running | undefined
  const begin = (index: number) => {
    const step = steps[index]
    const before = predecessors.get(index) ?? []
    const isDue = before.every((each) => ended.has(steps[each] as Step))
    if (!step || running.has(index) || ended.has(step) || !isDue) throw unanswered(`begin ${index}`)
    speaker = { step, output: '', decoder: new StringDecoder(), since: Date.now() }
    running.set(index, speaker)
    heard.begun++
    progress.begin(step)
  }
  const end = (index: number, result = '') => {
    const run = running.get(index)
    if (!run || !/^\d{1,3}$/.test(result)) throw unanswered(`end ${index} ${result}`)
    running.delete(index)
    speaker = undefined
    const failure = ending(run, Number(result), progress)
    if (failure) failed.push(failure)
    else ended.add(run.step)
  }
  const heard: StageOutput = {
    ...sections,
    ...{ running, begun: 0, ended, failed, drifted: false },
    handlers: {
      text: (bytes) => {
        if (speaker) return progressOf(speaker, bytes, progress)
        // Between two lines of steps that run side by side nothing else is printed.
        if (running.size > 0) return
        sections.handlers.text(bytes)
        if (sections.current() === 'holder') progress.waiting(`waiting for ${heldBy(masked(bytes.toString()))}`)
      },
      mark: ([word = '', index = '', result]) => {
        if (word === 'begin') begin(Number(index))
        else if (word === 'end') end(Number(index), result)
        else if (word === 'line') {
          speaker = running.get(Number(index))
          if (!speaker) throw unanswered(`line ${index}`)
        } else if (word === 'drift') heard.drifted = true
        else sections.handlers.mark([word, index])
      },
    },
  }
  return heard
}

function progressOf(running: Running, bytes: Buffer, progress: Progress): void {
  const from = running.output.lastIndexOf('\n') + 1
  running.output += running.decoder.write(bytes)
  for (const line of running.output.slice(from).split('\n').slice(0, -1)) progress.output(masked(line), running.step)
  if (running.output.length > 200_000) running.output = running.output.slice(-100_000)
}

function ending(run: Running, status: number, progress: Progress): CommandFailed | undefined {
  const { step, output, since } = run
  const seconds = (Date.now() - since) / 1000
  if (status === 0) {
    progress.end(step, seconds)
    return undefined
  }
  progress.failed?.(step, seconds)
  const ids = step.changes.map(({ id }) => id)
  return new CommandFailed(step.title, status, step.script.shown, masked(lastLines(output)), ids)
}

function snapshotOf(readings: readonly Reading[], outputs: ReadonlyMap<string, Buffer>): Snapshot {
  return { state: parseReadings(readings, outputs), digest: digestOf(readings, outputs) }
}

/** The end of an output: a failed apt prints the reason in its last lines. */
function lastLines(output: string): string {
  const lines = output.trimEnd().split('\n')
  return lines.length > 30 ? `… ${lines.length - 30} lines before\n${lines.slice(-30).join('\n')}` : lines.join('\n')
}
