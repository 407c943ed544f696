import { posix } from 'node:path'
import { parse } from 'yaml'
import { openLock } from '../../../lib/engine/host-lock.ts'
import { allChanges, type PlannedChange, planAll } from '../../../lib/engine/plan.ts'
import { readText } from '../../../lib/engine/read.ts'
import { revertOrphan, withGuard } from '../../../lib/engine/revert-guard.ts'
import { type Step, stepsOf } from '../../../lib/engine/step.ts'
import { applyText, validateText } from '../../../lib/engine/steps.ts'
import type { Reading } from '../../../lib/model/reading.ts'
import { type Change, knownAfterApply, type Resource } from '../../../lib/model/resource.ts'
import { framed } from '../../../lib/ssh/connection.ts'
import { stateOf } from '../plan-of.ts'

/** One text that some shell runs. */
export interface Shell {
  /** Which text it is, in words. */
  readonly place: string
  readonly text: string
  /** The parts that it is put together from, where they can be named: a finding is reported at its part. */
  readonly parts: readonly Part[]
}

export interface Part {
  /** `reading KIND`, `step KIND`, the KIND of `KIND:NAME`, or what else of a run it is. */
  readonly place: string
  readonly text: string
}

/** The number that proves marks; a real one is longer. */
const nonce = '4bd1'
const claim = { holder: 'ops@laptop, site.ts', wait: false }

/** The place of a line of a text, counted from 1: that of its part, where it is in one. */
export function placeOf({ place, text, parts }: Shell, line: number): string {
  const at = text.split('\n', line).join('\n').length
  const around = parts.find((part) =>
    occurrences(text, part.text).some((from) => from < at && at <= from + part.text.length),
  )
  return around?.place ?? place
}

function occurrences(text: string, part: string): number[] {
  const found: number[] = []
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) found.push(at)
  return found
}

/** A text by itself. */
export function shell(place: string, text: string): Shell {
  return { place, text, parts: [] }
}

/** A request as it is sent over a connection; what is in none of its parts is at the place `run`. */
export function request(place: string, text: string, parts: readonly Part[] = []): Shell {
  return { place: parts.length > 0 ? 'run' : place, text: `${openLock}\n${framed(text, nonce)}`, parts }
}

/**
 * The texts of a run that applies these resources in this state: what applies each
 * group of changes, what validates candidates, what installed files and units have in them, and with `reads` what reads the host.
 */
export function runScripts(
  place: string,
  resources: readonly Resource[],
  state: Record<string, unknown>,
  { reads = false } = {},
): Shell[] {
  const readings = reads ? resources.flatMap((each) => each.reads) : []
  const stages = [...stagesOf(resources, state)].map((steps) => steps.filter(isNew)).filter(({ length }) => length > 0)
  const validating = stages.flat().flatMap(({ changes }) => changes.flatMap(validationOf))
  return [
    ...(readings.length === 0 ? [] : [request(`${place}: read`, readText(readings, nonce), kindParts(readings))]),
    ...stages.map((steps, i) =>
      request(`${place}: apply ${i + 1}`, applied(steps, i === 0 ? readings : [], i > 0), [
        ...kindParts(readings),
        ...steps.map(stepPart),
        { place: 'guard', text: revertOrphan.text },
      ]),
    ),
    ...(validating.length === 0
      ? []
      : [request(`${place}: validate`, validateText(validating, nonce), validating.map(stepPart))]),
    ...resources.flatMap(installed),
  ]
}

function applied(steps: readonly Step[], readings: readonly Reading[], wait: boolean): string {
  return applyText(steps, readings, 'f'.repeat(64), { ...claim, wait }, nonce)
}

const known = new Set<string>()

/** A step is a function of its own: one that is in an earlier text already is the same here. */
function isNew({ script }: Step): boolean {
  return known.size < known.add(script.text).size
}

/** The changes as a run groups them: guarded ones apart, and again from the state that all of them leave. */
function* stagesOf(resources: readonly Resource[], start: Record<string, unknown>): Generator<Step[]> {
  const seen = new Set<string>()
  for (const state = stateOf(resources, start); ; ) {
    const changes = allChanges(planAll(resources, state))
    const key = changes.map(({ id, change }) => `${id} ${change.summary}`).join('\n')
    if (changes.length === 0 || seen.has(key)) return
    seen.add(key)
    for (const group of groupsOf(changes)) yield withGuard(stepsOf(group))
    for (const { change } of changes) predict(change, state)
  }
}

/** What only the host could tell stays as it was. */
function predict({ predicts = [] }: Change, state: Map<string, unknown>): void {
  for (const prediction of predicts) {
    if (!state.has(prediction.key) || 'unknownUntilApply' in prediction) continue
    const after = prediction.after(state.get(prediction.key), <S>(reading: Reading<S>) => state.get(reading.key) as S)
    if (after !== knownAfterApply) state.set(prediction.key, after)
  }
}

function groupsOf(changes: readonly PlannedChange[]): PlannedChange[][] {
  const groups: PlannedChange[][] = []
  for (const each of changes) {
    const last = groups.at(-1)
    const isGuarded = ({ change }: PlannedChange) => change.guard !== undefined
    if (last?.[0] !== undefined && isGuarded(last[0]) === isGuarded(each)) last.push(each)
    else groups.push([each])
  }
  return groups
}

function validationOf({ id, change }: PlannedChange): Step[] {
  const { validation: script } = change
  return script ? [{ changes: [{ id, change }], title: `${id}: validate`, script, long: false, guards: [] }] : []
}

/** The parts of a reading, one a kind. */
export function kindParts(readings: readonly Reading[]): Part[] {
  return [...Map.groupBy(readings, ({ kind }) => kind)].map(([kind, of]) => ({
    place: `reading ${kind.name}`,
    text: kind.script([...new Set(of.map(({ name }) => name))]).text,
  }))
}

function stepPart({ changes: [first], script, title }: Step): Part {
  return { place: `step ${(first?.id ?? title).split(':')[0]}`, text: script.text }
}

/** What of a wanted file some shell runs: a script, an entry of cron, lines of a unit, words of a container. */
function installed({ id, wants }: Resource, _: number, all: readonly Resource[]): Shell[] {
  const path = pathOf(id)
  const content = contentOf(wants)
  if (path === undefined || content === undefined) return []
  if (content.startsWith('#!')) return [shell(`file ${path}`, withSourced(path, content, all))]
  if (path.startsWith('/etc/cron.d/')) return [shell(`file ${path}`, cronCommand(content))]
  if (path.endsWith('/compose.yaml')) return commandsOf(content).map((text) => shell(`file ${path}`, text))
  return [...content.matchAll(/^Exec\w+=-?\/bin\/sh -c (['"])(.*)\1$/gm)].map(([, , text = '']) =>
    shell(`file ${path}`, unescaped(text)),
  )
}

function pathOf(id: string): string | undefined {
  return /^file:(.*)$/.exec(id)?.[1]
}

function contentOf(wants: unknown): string | undefined {
  const { content } = Object(wants) as { content?: unknown }
  return typeof content === 'string' ? content : undefined
}

/** With what it reads from its own folder in the place where it does. */
function withSourced(path: string, content: string, all: readonly Resource[]): string {
  return content.replace(/^\. "\$home\/(.*)"$/gm, (line, name) => {
    const sourced = all.find(({ id }) => pathOf(id) === posix.join(posix.dirname(path), name))
    return contentOf(sourced?.wants) ?? line
  })
}

/** The words that a container's shell is given. */
function commandsOf(compose: string): string[] {
  const { services } = parse(compose) as { services: Record<string, Record<string, unknown>> }
  return Object.values(services).flatMap(({ entrypoint, command, healthcheck }) => {
    const words = [entrypoint, command].flat().map(String)
    const [kind, test] = (Object(healthcheck).test ?? []) as string[]
    const at = words.findIndex((word) => /^-e?u?c$/.test(word))
    return [...(at < 0 ? [] : [words[at + 1] ?? '']), ...(kind === 'CMD-SHELL' ? [test ?? ''] : [])].map(unescaped)
  })
}

function unescaped(text: string): string {
  return text.replaceAll('$$', '$').replaceAll('%%', '%')
}

/** The last line without its schedule and user; cron takes a percent sign as it is only behind a backslash. */
export function cronCommand(content: string): string {
  const line = content.trimEnd().split('\n').at(-1) ?? ''
  return line.replace(/^(@\w+|(\S+ ){4}\S+) (root )?/, '').replaceAll('\\%', '%')
}

/** The shell texts that are inside this one: what a step hands to a unit, what a guard leaves, what `sh -c` runs. */
export function within(outer: Shell): Shell[] {
  const { text, parts } = outer
  const around = (at: number) => placeOf(outer, text.slice(0, at).split('\n').length)
  const encoded = [...text.matchAll(/printf %s ([A-Za-z0-9+/=]{8,}) \| base64 -d >("\S*"|\S+)/g)]
  const scripts = encoded.flatMap(({ 1: base64 = '', 2: path = '' }) => {
    const name = /(script|restore|take-back)"?$/.exec(path)?.[1]
    return name === undefined
      ? []
      : { place: name === 'script' ? 'unit of a step' : name, text: decoded(base64), parts }
  })
  const commands = [...text.matchAll(/\bsh -c ((?:'[^']*'|\\')+)/g)].map(({ 1: word = '', index }) =>
    shell(`${around(index)}, sh -c`, word.replaceAll(`'\\''`, '\0').replaceAll("'", '').replaceAll('\0', "'")),
  )
  return [...scripts, ...commands].flatMap((each) => [each, ...within(each)])
}

/** With the same number in the name of its unit each time, so that equal scripts are equal. */
function decoded(base64: string): string {
  return Buffer.from(base64, 'base64')
    .toString()
    .replace(/\/[0-9a-f]{12}-\d+/g, '/RUN')
}
