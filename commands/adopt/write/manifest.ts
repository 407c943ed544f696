import * as v from 'valibot'
import { parse, stringify } from 'yaml'
import { Bug } from '../../../lib/std/errors.ts'
import { oneLine, shown } from '../../../lib/std/output.ts'
import { conflictsIn } from '../../../roles/bot/spec/conflicts.ts'
import { buildKeyOf } from '../../../roles/bot/spec/process-conflicts.ts'
import { type BotManifest, botManifestSchema } from '../../../roles/bot/spec/schema.ts'
import { specOf } from '../../../roles/bot/spec/spec.ts'
import type { AdoptedBot } from '../decide/bot.ts'
import type { Entry } from '../decide/entry.ts'
import { withoutLost } from '../decide/public/public-paths.ts'

export interface Manifest {
  readonly text: string
  /** Keys that bot.yaml does not take as they were found. */
  readonly notes: readonly string[]
  /** Names of secrets that it refers to. */
  readonly secrets: readonly string[]
}

/** The text of bot.yaml, with where each value comes from. It has passed the schema. */
export function manifestOf(bot: AdoptedBot): Manifest {
  const keys = bot.entries.map((entry) => [entry, faultOf({ [entry.key]: entry.value })] as const)
  const variables = bot.environment.map(
    (entry) => [entry, faultOf({ environment: { [entry.key]: entry.value } })] as const,
  )
  const good = (all: readonly (readonly [Entry, string | undefined])[]) =>
    all.filter(([, fault]) => fault === undefined).map(([entry]) => entry)
  const { entries, notes } = withoutLost(good(keys))
  const environment = good(variables)
  const text = [
    '# Made from what the repository says, which stands behind each line. Read it, and change what is not so; docs/bots.md has all keys.',
    ...entries.map((entry) => lineOf(entry, '')),
    ...environmentLines(environment, bot.leftOut),
    '',
  ].join('\n')
  prove(text)
  return {
    text,
    notes: [
      ...notes,
      ...[...keys, ...variables].flatMap(([{ key, why, whys }, fault]) =>
        fault === undefined ? [] : [`${why || Object.values(whys ?? {})[0]}: ${key} is left out: ${fault}`],
      ),
    ],
    secrets: environment
      .filter(({ optional }) => !optional)
      .flatMap(({ value }) => /^\$\{secret\.(\w+)\}$/.exec(String(value))?.[1] ?? []),
  }
}

function environmentLines(environment: readonly Entry[], leftOut: ReadonlyMap<string, readonly string[]>): string[] {
  const active = environment.filter(({ optional }) => !optional)
  const optional = environment.filter(({ optional }) => optional)
  return [
    ...(active.length === 0 ? (optional.length === 0 ? [] : ['#environment:']) : ['environment:']),
    ...active.map((entry) => lineOf(entry, '  ')),
    ...(optional.length === 0
      ? []
      : ['  # Take the # from those that you use, and give them a value in .env or in the inventory:']),
    ...optional.map((entry) => lineOf(entry, '  ')),
    ...[...leftOut].map(([reason, names]) => `  # Left out, ${reason}: ${comment(names.join(', '))}`),
  ]
}

function lineOf({ key, value, why, optional, whys }: Entry, indent: string): string {
  const isList = Array.isArray(value)
  if (whys !== undefined && typeof value === 'object' && value !== null)
    return [
      `${optional ? '#' : ''}${key}:${why === '' ? '' : ` # ${comment(why)}`}`,
      ...Object.entries(value).map(
        ([name, each]) =>
          `${optional ? '#' : ''}  ${isList ? '-' : `${name}:`} ${inFlow(each)} # ${comment(whys[name] ?? '')}`,
      ),
    ].join('\n')
  return `${indent}${optional ? '#' : ''}${key}: ${inline(value)}${why === '' ? '' : ` # ${comment(why)}`}`
}

/** A value on one line. */
function inline(value: unknown): string {
  if (typeof value === 'object' && value !== null) return inFlow(value)
  const text = stringify(value, { lineWidth: 0 }).trimEnd()
  return text.includes('\n') ? JSON.stringify(value) : text
}

/** Inside brackets, where commas and braces mean something. */
function inFlow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inFlow).join(', ')}]`
  if (typeof value === 'object' && value !== null)
    return `{ ${Object.entries(value)
      .map(([key, each]) => `${key}: ${inFlow(each)}`)
      .join(', ')} }`
  const list = stringify([value], { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 })
  return list.trimEnd().replace(/^\[|\]$/g, '')
}

/** Names of files and variables are somebody else's: a line of theirs must not end the comment. */
function comment(text: string): string {
  return oneLine(shown(text))
    .replaceAll(/[\r\u2028\u2029\u0085]/g, ' ')
    .slice(0, 400)
}

function faultOf(manifest: object): string | undefined {
  const { issues } = v.safeParse(botManifestSchema, manifest)
  return issues?.map(({ message }) => message)[0]
}

/** What it has is what the reader of bot.yaml takes; else it is a mistake of ours, and nothing is written. */
function prove(text: string): void {
  const { output, issues, success } = v.safeParse(botManifestSchema, parse(text) ?? {})
  const conflicts = success
    ? conflictsIn(specOf('adopted', {}, output, undefined, ownImages(output)))
    : (issues ?? []).map(({ message }) => message)
  if (conflicts.length > 0) throw new Bug(new Error(`the bot.yaml made is not one:\n${conflicts.join('\n')}\n${text}`))
}

/** Processes with an image of their own, which is not built yet, by their names. */
function ownImages({ processes = {} }: BotManifest): Readonly<Record<string, string>> {
  const names = Object.keys(processes).filter((name) => buildKeyOf(processes[name] ?? {}) !== undefined)
  return Object.fromEntries(names.map((name) => [name, `${name}'s own`]))
}
