import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { type Edit, editYaml, valueAt } from '../../lib/inventory/edit-yaml.ts'
import { git, gitSettings } from '../../lib/shell/git.ts'
import { localFault } from '../../lib/shell/local.ts'
import { InventoryError } from '../../lib/std/errors.ts'
import { checkout, operatorFolder } from '../../lib/std/local-path.ts'
import type { Secret } from '../../lib/std/secret.ts'
import { tokenVariable } from '../../roles/bot/token.ts'
import type { Answers } from './answers.ts'

/** Makes the folder of a bot from the model, unless it is there. Returns its path where it did. */
export type Making = (bot: string, folder: string) => string | undefined

interface Written {
  readonly file: string
  /** The text of the inventory. */
  readonly after: string
  readonly envFile: string
  readonly answers: Answers
  readonly makeBot: Making
  readonly say: (line: string) => void
}

/** Writes what differs: `.env` first, so that an inventory never stands without its token. */
export async function writeAnswers({ file, after, envFile, answers, makeBot, say }: Written): Promise<void> {
  const { bot, token } = answers
  if (token !== undefined) {
    const before = existsSync(envFile) ? readFileSync(envFile, 'utf8') : ''
    mkdirSync(dirname(envFile), { recursive: true })
    const ignore = await keepFromGit(envFile)
    if (ignore !== undefined) say(`${ignore}  written, so that git leaves ${envFile} out`)
    const changed = writeChanged(envFile, envText(before, tokenVariable(bot), token), 0o600)
    say(`${envFile}  ${changed ? 'written' : 'is as answered'}`)
  }
  say(`${file}  ${writeChanged(file, after) ? 'written' : 'is as answered'}`)
  const entry = valueAt(after, ['bots', bot]) as { source?: unknown; image?: unknown } | null
  const made = entry?.source === undefined && entry?.image === undefined ? makeBot(bot, operatorFolder()) : undefined
  if (made !== undefined) say(`${made}  made from the model`)
}

/** The text of the inventory with these answers: what was answered the same stays as it is. */
export function inventoryText(text: string, file: string, answers: Answers): string {
  const edits = editsOf(text, answers)
  const edited = editYaml(text === '' ? heading(file) : text, edits)
  if (edited !== undefined) return edited
  const lines = edits.map(({ path, value }) => `  ${path.join('.')}: ${value ?? '(take it out)'}`)
  throw new InventoryError(`${file}: is written in a way that cannot be changed here: set by hand\n${lines.join('\n')}`)
}

function editsOf(text: string, { name, ssh, domain, email, bot }: Answers): Edit[] {
  const ownEmail = valueAt(text, ['hosts', name, 'certbot', 'email']) !== undefined
  const isThere = valueAt(text, ['bots', bot]) !== undefined
  const botHost = valueAt(text, ['bots', bot, 'host'])
  const hosts = Object.keys((valueAt(text, ['hosts']) as object | null | undefined) ?? {})
  // The name of a host is its alias where it has no other.
  const isImplied = ssh === name && hosts.includes(name) && valueAt(text, ['hosts', name, 'ssh']) === undefined
  return [
    ...(domain === ''
      ? []
      : [
          {
            path: ownEmail ? ['hosts', name, 'certbot', 'email'] : ['vars', 'certbot', 'email'],
            value: email || undefined,
          },
        ]),
    ...(isImplied ? [] : [{ path: ['hosts', name, 'ssh'], value: ssh }]),
    { path: ['hosts', name, 'domain'], value: domain || undefined },
    ...(isThere && botHost === undefined && hosts.every((each) => each === name)
      ? []
      : [{ path: ['bots', bot, 'host'], value: name }]),
  ]
}

function heading(file: string): string {
  const here = relative(dirname(resolve(file)), join(checkout, 'inventory'))
  const beside = (name: string) => (here === '' ? name : `${here}/${name}`)
  return `# yaml-language-server: $schema=${beside('schema.json')}
# Written by init.ts, which changes in it what is answered otherwise. All keys: ${beside('example.yaml')}
`
}

/** The text of a `.env` file in which a variable has this value; every other line stays. */
export function envText(text: string, variable: string, value: Secret): string {
  const line = `${variable}=${value.reveal()}`
  const own = new RegExp(`^(export )?${variable}=.*$`, 'm')
  if (own.test(text)) return text.replace(own, () => line)
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`
}

/** Writes a file where it differs, whole or not at all. Returns whether it did; `mode`: of a file that keeps a secret. */
export function writeChanged(file: string, text: string, mode?: number): boolean {
  try {
    const isSame = existsSync(file) && readFileSync(file, 'utf8') === text
    if (isSame && mode !== undefined && (statSync(file).mode & 0o777) !== mode) chmodSync(file, mode)
    if (isSame) return false
    const wanted = mode ?? (existsSync(file) ? statSync(file).mode & 0o777 : 0o644)
    const draft = join(dirname(file), `.${process.pid}.new`)
    mkdirSync(dirname(file), { recursive: true })
    rmSync(draft, { force: true })
    writeFileSync(draft, text, { mode: wanted, flag: 'wx' })
    renameSync(draft, file)
    return true
  } catch (error) {
    throw localFault(error)
  }
}

/** Has git ignore a file that keeps a secret, where its folder is in a repository that does not. Returns the file that says so. */
export async function keepFromGit(file: string): Promise<string | undefined> {
  const folder = dirname(file)
  const run = git({ seconds: 60 })
  if ((await run`git ${gitSettings} -C ${folder} rev-parse --is-inside-work-tree`).exitCode !== 0) return undefined
  // 1: it is not ignored.
  if ((await run`git ${gitSettings} -C ${folder} check-ignore --quiet -- ${resolve(file)}`).exitCode !== 1)
    return undefined
  const ignore = join(folder, '.gitignore')
  const before = existsSync(ignore) ? readFileSync(ignore, 'utf8') : ''
  writeChanged(ignore, `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}.env\n`)
  return ignore
}
