import type { Timed } from './crontab.ts'
import { at, type Found, numbered } from './finding.ts'
import { itemsOf, jsonIn, mappingOf, memberOf, textOf } from './untyped.ts'

/** The processes of a fly.toml. */
export function flyProcesses(text: string, file: string): ReadonlyMap<string, Found<string>> {
  const found = new Map<string, Found<string>>()
  let section = ''
  for (const [line, number] of numbered(text)) {
    section = /^\s*\[+\s*([\w.]+)\s*\]+/.exec(line)?.[1] ?? section
    const [, name, double, single] = /^\s*"?([\w-]+)"?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'([^']*)')/.exec(line) ?? []
    const command = (double?.replaceAll(/\\(.)/g, '$1') ?? single ?? '').trim()
    if (section === 'processes' && name !== undefined && command !== '')
      found.set(name, { value: command, from: at(file, number) })
  }
  return found
}

/** What an app.json of Dokku or Heroku runs at times. */
export function appJsonTimes(text: string, file: string): readonly Timed[] {
  return list(memberOf(jsonIn(text), 'cron')).flatMap((each) => {
    const [command, schedule] = [textOf(memberOf(each, 'command')), textOf(memberOf(each, 'schedule'))]
    if (!command?.trim() || schedule === undefined) return []
    return [{ schedule, command, timezone: undefined, from: at(file, lineWith(text, JSON.stringify(command))) }]
  })
}

/** The processes of which an app.json wants none. */
export function unwantedProcesses(text: string): readonly string[] {
  return Object.entries(mappingOf(memberOf(jsonIn(text), 'formation')) ?? {}).flatMap(([name, said]) =>
    memberOf(said, 'quantity') === 0 ? [name] : [],
  )
}

/** The paths that Vercel asks for at times. */
export function vercelTimes(text: string, file: string): readonly Found<{ path: string; schedule: string }>[] {
  return list(memberOf(jsonIn(text), 'crons')).flatMap((each) => {
    const [path, schedule] = [textOf(memberOf(each, 'path')), textOf(memberOf(each, 'schedule'))]
    if (path === undefined || schedule === undefined) return []
    return [{ value: { path, schedule }, from: at(file, lineWith(text, JSON.stringify(path))) }]
  })
}

function list(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? itemsOf(said) : []
}

function lineWith(text: string, piece: string): number {
  return numbered(text).find(([line]) => line.includes(piece))?.[1] ?? 1
}
