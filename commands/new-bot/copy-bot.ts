import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { checkout, localPath } from '../../lib/std/local-path.ts'
import { tokenVariable } from '../../roles/bot/token.ts'

/** The folder, where there is a bot to copy in it. Throws a `UsageError`. */
export function modelOf(folder: string): string {
  if (existsSync(join(folder, 'bot.yaml'))) return folder
  throw new UsageError(
    `--from: no bot to copy at ${folder}: ${existsSync(folder) ? 'no bot.yaml in it' : 'no such folder'}`,
  )
}

/**
 * Copies a bot under another name. It is made beside and renamed: a cut leaves no half bot, and what it leaves the next run takes
 * away.
 */
export function copyBot(model: string, folder: string, name: string): void {
  const draft = join(dirname(folder), `.${name}.new`)
  try {
    mkdirSync(dirname(folder), { recursive: true })
    rmSync(draft, { recursive: true, force: true })
    cpSync(model, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => isOfTheApp(relative(model, path)),
    })
    const files = readdirSync(draft, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const file of files) rename(join(file.parentPath, file.name), basename(resolve(model)), name)
    renameSync(draft, folder)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    throw new HostError(`this machine: ${model} cannot be copied to ${folder}: ${(error as Error).message}`)
  }
}

/** Not what was installed, what it remembers, or what it must not tell. */
function isOfTheApp(path: string): boolean {
  if (path === 'data' || path === 'logs') return false
  return !/^(node_modules|\.git|\.env(?!\.example$).*|.*\.log)$/.test(basename(path))
}

function rename(file: string, from: string, to: string): void {
  const before = readFileSync(file, 'utf8')
  // No text: written back it would be another file.
  if (before.includes('\uFFFD')) return
  const after = /^package(-lock)?\.json$/.test(basename(file)) ? named(before, to) : renamed(file, before, from, to)
  if (after !== before) writeFileSync(file, after)
}

/** The names of its packages stay, even of one that is called like the model. */
function named(text: string, to: string): string {
  const json = JSON.parse(text)
  json.name = to
  if (json.packages?.['']) json.packages[''].name = to
  return `${JSON.stringify(json, null, 2)}\n`
}

/** In code only a name with a dash: "start" may be any of its words. */
function renamed(file: string, text: string, from: string, to: string): string {
  if (!from.includes('-') && /\.[cm]?[jt]sx?$/.test(file)) return text
  // Without a dash the first two are one word, and the last one counts.
  const spellings = new Map([
    [snake(from), snake(to)],
    [from, to],
    [tokenVariable(from), tokenVariable(to)],
  ])
  const words = [...spellings.keys()].map((each) => each.replace(/[^\w-]/g, String.raw`\$&`))
  return text.replace(
    new RegExp(`(?<![\\w-])(?:${words.join('|')})(?!-?\\w)`, 'g'),
    (word) => spellings.get(word) ?? word,
  )
}

function snake(name: string): string {
  return name.replaceAll('-', '_')
}

/** Makes a bot from the model in `bots/` of a folder, unless it is there, or here. Returns the path of the new one. */
export function makeFromModel(name: string, folder: string): string | undefined {
  if (existsSync(localPath(join('bots', name)))) return undefined
  const made = join(folder, 'bots', name)
  copyBot(join(checkout, 'bots/hello-bot'), made, name)
  return made
}
