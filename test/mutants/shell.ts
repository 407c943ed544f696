// What can be changed in shell, awk and configuration files: by lines and words, since all of them are made of these.
import { spawnSync } from 'node:child_process'
import { type Edit, type Mutant, mutated } from './mutant.ts'

/** Lines that hold others together: without them nothing parses. */
const structure = /^(fi|done|esac|else|then|do|[{}();&|]+|;;|'\S*|\{\{[#/^].*)?$/

/** What a pattern finds (in its first group, or whole) becomes another text. */
const rules: readonly [operator: string, pattern: RegExp, text: (found: string) => string][] = [
  ['swap operator', /&&|\|\|/g, (found) => (found === '&&' ? '||' : '&&')],
  ['negate test', /\b(?:if|elif|while|until) (?!! )()/g, () => '! '],
  ['negate test', /\b(?:if|elif|while|until) (! )/g, () => ''],
  ['negate test', /(?<!\[)\[ (?!! )()/g, () => '! '],
  ['negate test', /(?<!\[)\[ (! )/g, () => ''],
  ['swap comparison', / (-eq|-ne|-lt|-le|-gt|-ge|-n|-z) /g, (found) => opposite[found] ?? found],
  ['swap comparison', /(?<=[^!=<>])(==|!=)(?=[^=])/g, (found) => (found === '==' ? '!=' : '==')],
  ['number + 1', /(?<![\w$&>.{-])(\d+)(?![\w<>]|\.\d)/g, (found) => plusOne(found)],
  ['empty word', /"([^"\n]+)"/g, () => ''],
  ['empty word', /(?<![\w"])'([^'\n]+)'/g, () => ''],
  [
    'drop command',
    /(?:^|&& |; |\{ )((?!if |elif |while |until |for |case |then |do |else )[^;&|\n{}()]+(?:&&|;(?!;)) )/gm,
    () => '',
  ],
  ['drop fallback', /( \|\| [^;&|\n{}()]+)/g, () => ''],
]

const opposite: Readonly<Record<string, string>> = {
  '-eq': '-ne',
  '-ne': '-eq',
  '-lt': '-le',
  '-le': '-lt',
  '-gt': '-ge',
  '-ge': '-gt',
  '-n': '-z',
  '-z': '-n',
}

/** Those that can still be parsed, if the text could be before: a part of a script may be none by itself. */
export function shellMutants(text: string, parses: (text: string) => boolean): Mutant[] {
  const isWhole = once(() => parses(text))
  return [...droppedLines(text), ...rules.flatMap((rule) => found(text, ...rule))].map((edit) => ({
    ...edit,
    parses: () => !isWhole() || parses(mutated(text, edit)),
  }))
}

export function shellParses(text: string): boolean {
  return spawnSync('sh', ['-n'], { input: text }).status === 0
}

export function awkParses(text: string): boolean {
  return spawnSync('awk', [text], { input: '', timeout: 5000 }).status !== 2
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

function* droppedLines(text: string): Generator<Edit> {
  let start = 0
  for (const line of text.split('\n')) {
    const end = start + line.length
    if (!isIdle(line)) yield { operator: 'drop line', start, end: Math.min(end + 1, text.length), text: '' }
    start = end + 1
  }
}

function found(text: string, operator: string, pattern: RegExp, change: (found: string) => string): Edit[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const word = match[1] ?? match[0]
    const start = match.index + match[0].indexOf(word, match[1] === '' ? match[0].length : 0)
    const line = text.slice(start > 0 ? text.lastIndexOf('\n', start - 1) + 1 : 0).trimStart()
    return line.startsWith('#') ? [] : [{ operator, start, end: start + word.length, text: change(word) }]
  })
}

function isIdle(line: string): boolean {
  return structure.test(line.trim()) || line.trimStart().startsWith('#')
}

function plusOne(digits: string): string {
  return String(Number(digits) + 1).padStart(digits.length, '0')
}
