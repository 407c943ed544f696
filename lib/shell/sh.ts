import { Secret } from '../std/secret.ts'

/** Text for a POSIX shell, and the same text as it may be shown to people. */
export interface Script {
  readonly text: string
  readonly shown: string
}

type Value = string | number | Script | Secret | readonly (string | number)[]

/**
 * A script in which every interpolated value is one shell word (an array: one word each); another script goes in as it is.
 * Backslashes are the shell's; only a backtick and a dollar sign of the shell's own need one before them here.
 * A secret may only be where it reaches no argv: as an argument of a shell builtin, `printf` above all.
 */
export function sh(parts: TemplateStringsArray, ...values: Value[]): Script {
  const raw = parts.raw.map((part) => part.replace(/\\([`$])/g, '$1'))
  return { text: join(raw, values, wordOf), shown: dedent(join(raw, values, shownWordOf)) }
}

/** One word of a POSIX shell that stands for exactly these characters. NUL cannot be said in a shell. */
export function quote(word: string): string {
  if (word.includes('\0')) throw new TypeError('a NUL byte cannot be passed to a shell')
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** Several scripts, one after the other. */
export function lines(scripts: readonly Script[]): Script {
  return {
    text: scripts.map((script) => script.text).join('\n'),
    shown: scripts.map((script) => script.shown).join('\n'),
  }
}

function join(parts: readonly string[], values: Value[], word: (value: Value) => string): string {
  return parts.reduce((text, part, i) => text + word(values[i - 1] as Value) + part)
}

function wordOf(value: Value): string {
  if (value instanceof Secret) return quote(value.reveal())
  if (isScript(value)) return value.text
  return Array.isArray(value) ? value.map((each) => quote(String(each))).join(' ') : quote(String(value))
}

function shownWordOf(value: Value): string {
  if (isScript(value)) return value.shown
  return wordOf(value instanceof Secret ? String(value) : value)
}

function isScript(value: Value): value is Script {
  return typeof value === 'object' && 'shown' in value
}

function dedent(text: string): string {
  const rows = text.split('\n').filter((row) => row.trim() !== '')
  const indent = rows.reduce((least, row) => Math.min(least, row.search(/\S/)), Number.POSITIVE_INFINITY)
  return rows.map((row) => row.slice(indent)).join('\n')
}
