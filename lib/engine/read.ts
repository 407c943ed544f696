import { createHash } from 'node:crypto'
import { type Kind, type Reading, reading, type State, type Untold } from '../model/reading.ts'
import { markCommand } from '../ssh/framing.ts'
import { HostError, RunnerError } from '../std/errors.ts'
import { lanesOf, sideBySide } from './lanes.ts'

/** Shell text that reads all of these: one command a kind, each behind a mark `read KIND`, several kinds at a time. */
export function readText(readings: readonly Reading[], nonce: string): string {
  const ofKind = ([kind, names]: KindNames) => `${markCommand(nonce, `read ${kind.name}`)}\n${kind.script(names).text}`
  // The exit status of a reading means nothing: that something is absent is an answer too.
  return [sideBySide(lanesOf(byKind(readings)).map((lane) => lane.map(ofKind).join('\n'))), ':'].join('\n')
}

/** Shell text that prints, without marks, all that must not change between a plan and its application. */
export function digestible(readings: readonly Reading[]): string {
  const lanes = lanesOf(steady(readings)).map((lane) => lane.map(([kind, names]) => kind.script(names).text).join('\n'))
  // Where nothing is to be printed it is still a command.
  return [sideBySide(lanes), ':'].join('\n')
}

/** The checksum of what that text prints, from what each kind's command printed before. */
export function digestOf(readings: readonly Reading[], outputs: ReadonlyMap<string, Buffer>): string {
  const hash = createHash('sha256')
  for (const [kind] of lanesOf(steady(readings)).flat()) hash.update(outputs.get(kind.name) ?? '')
  return hash.digest('hex')
}

/** The states of these readings, from what each kind's command printed. */
export function parseReadings(readings: readonly Reading[], outputs: ReadonlyMap<string, Buffer>): State {
  const state = new Map<string, unknown>()
  for (const [kind, names] of byKind(readings)) {
    const output = outputs.get(kind.name)
    if (output === undefined) throw new HostError(`the host answers, but not about ${kind.name}`)
    const states = parsed(kind, output.toString(), names)
    for (const name of names) {
      if (!states.has(name))
        throw new HostError(`the host does not answer about ${kind.name} ${name}:\n${excerpt(output)}`)
      state.set(reading(kind, name).key, states.get(name))
    }
  }
  return state
}

/** Programs on a host may print anything: output that cannot be parsed is an error of the host, not a bug. */
function parsed<S>(kind: Kind<S>, output: string, names: readonly string[]): Map<string, S | Untold> {
  try {
    return kind.parse(output, names)
  } catch (error) {
    if (error instanceof RunnerError) throw error
    const reason = `what the host says of ${kind.name} cannot be parsed`
    throw new HostError(`${reason} (${(error as Error).message}):\n${excerpt(output)}`, { cause: error })
  }
}

function excerpt(output: string | Buffer): string {
  const text = output.toString().trim()
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}

type KindNames = readonly [Kind<unknown>, readonly string[]]

function steady(readings: readonly Reading[]): Map<Kind<unknown>, string[]> {
  return byKind(readings.filter(({ kind }) => !kind.volatile))
}

/** Throws where two kinds have one name: what the host sends is told apart by it. */
function byKind(readings: readonly Reading[]): Map<Kind<unknown>, string[]> {
  const kinds = new Map<Kind<unknown>, string[]>()
  const named = new Map<string, Kind<unknown>>()
  for (const { kind, name } of readings) {
    if ((named.get(kind.name) ?? kind) !== kind) throw new TypeError(`two kinds of readings are called ${kind.name}`)
    named.set(kind.name, kind)
    const names = kinds.get(kind) ?? []
    if (!names.includes(name)) kinds.set(kind, [...names, name])
  }
  return kinds
}
