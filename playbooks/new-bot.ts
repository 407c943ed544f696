import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join, matchesGlob, relative, resolve } from 'node:path'
import * as v from 'valibot'
import { type Flags, givenFlags, spellingOf } from '../lib/cli/flags.ts'
import { main } from '../lib/cli/main.ts'
import { scriptArguments } from '../lib/cli/options.ts'
import { botName } from '../lib/inventory/file-schema.ts'
import { HostError, UsageError } from '../lib/std/errors.ts'
import { writeOut } from '../lib/std/output.ts'

const flags: Flags = {
  name: { value: 'NAME', help: 'what the new bot is called; its folder is bots/NAME' },
  from: { value: 'FOLDER', help: 'the bot to copy (default: bots/hello-bot)' },
  adopt: { value: 'FOLDER|GIT-URL', help: 'make a bot of a repository that was not written for botgarden' },
  help: { short: 'h', npm: true, help: 'show this' },
}

await main(async () => {
  const given = parse(scriptArguments(process.argv, process.env, 'new-bot.ts', flags))
  if (given.has('help')) return print(usage())
  const name = nameOf(given.get('name')?.[0])
  const adopted = given.get('adopt')?.[0]
  if (adopted !== undefined) return print(await adoptedAs(name, adopted, given))
  const model = modelOf(given.get('from')?.[0] ?? 'bots/hello-bot')
  const folder = join('bots', name)
  if (existsSync(folder)) throw new UsageError(`${folder} is there already`)
  copyBeside(folder, name, model)
  return print(whatIsLeft(name, model))
})

/** A folder is adopted where it is, so bots/NAME may be that folder; a clone goes there. */
async function adoptedAs(name: string, place: string, given: ReadonlyMap<string, readonly string[]>): Promise<string> {
  if (given.has('from'))
    throw new UsageError('--from copies a bot and --adopt makes one of a repository: give one of them')
  const folder = join('bots', name)
  if (existsSync(folder) && resolve(place) !== resolve(folder)) throw new UsageError(`${folder} is there already`)
  const { adopt } = await import('../commands/adopt/index.ts')
  return adopt(place, name)
}

function parse(argv: readonly string[]): Map<string, string[]> {
  try {
    return givenFlags(argv, flags)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    // A stray word is a host or an inventory to other playbooks.
    const message = error.message.replace(/"--(limit|inventory) /, '"--name ')
    throw new UsageError(`${message}\nsee: npx zx playbooks/new-bot.ts --help`)
  }
}

/** By the inventory's rule, where it will stand. */
function nameOf(name: string | undefined): string {
  if (name === undefined) throw new UsageError('--name is missing: npx zx playbooks/new-bot.ts --name NAME')
  const [fault] = v.safeParse(botName, name).issues ?? []
  if (fault === undefined) return name
  const allowed = fault.type === 'max_length' ? `at most ${fault.requirement} characters long` : fault.message
  throw new UsageError(`--name: should be ${allowed}, found "${name}"`)
}

function modelOf(folder: string): string {
  if (existsSync(join(folder, 'bot.yaml'))) return folder
  throw new UsageError(
    `--from: no bot to copy at ${folder}: ${existsSync(folder) ? 'no bot.yaml in it' : 'no such folder'}`,
  )
}

/** Made beside and renamed: a cut leaves no half bot, and what it leaves the next run takes away. */
function copyBeside(folder: string, name: string, model: string): void {
  const draft = join('bots', `.${name}.new`)
  try {
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
    [tokenOf(from), tokenOf(to)],
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

/** The environment variable that its token may come from. */
function tokenOf(name: string): string {
  return `${snake(name).toUpperCase()}_TOKEN`
}

function whatIsLeft(name: string, model: string): string {
  const folder = `bots/${name}`
  const places = [
    ['the environment', `${tokenOf(name)}=123456:ABC-def`],
    [`${folder}/.env`, 'BOT_TOKEN=123456:ABC-def'],
    ['the inventory', `token: { command: pass show ${name} }`],
    ['or, in the sandbox', `token: { command: npx zx playbooks/sandbox.ts token ${name} }`],
  ]
  const width = Math.max(...places.map(([place = '']) => place.length))
  const start = isWorkspace(folder) ? `npm install && cd ${folder}` : `cd ${folder} && npm ci`
  return `${folder} is made from ${model}. What is left:

1. in the inventory, under "bots:"
     ${name}: { host: vps1, source: ${folder} }

2. its token, from BotFather, in one of these
${places.map(([place = '', line]) => `     ${place.padEnd(width)}  ${line}`).join('\n')}

3. npx zx playbooks/bot.ts --name ${name}

To work on it: ${start} && npm test
`
}

/** One that the package.json here counts among its own: `npm ci` fails until the lockfile beside it knows it as well. */
function isWorkspace(folder: string): boolean {
  if (!existsSync('package.json')) return false
  try {
    const { workspaces = [] } = JSON.parse(readFileSync('package.json', 'utf8'))
    return workspaces.some((pattern: string) => matchesGlob(folder, pattern))
  } catch {
    // It is npm's to say what is wrong with it.
    return false
  }
}

function usage(): string {
  const rows = Object.entries(flags).map(([name, flag]) => [spellingOf(name, flag), flag.help] as const)
  return `new-bot: makes a bot from the model, in a folder of its own, or of a repository that you have

usage: npx zx playbooks/new-bot.ts --name NAME [--from FOLDER | --adopt FOLDER|GIT-URL]

options:
${rows.map(([spelling, help]) => `  ${spelling.padEnd(27)}  ${help}`).join('\n')}

--adopt reads the Dockerfile, the compose file, .env.example and the like, and runs nothing. A folder gets its bot.yaml where
it is; a URL (https, ssh) is cloned to bots/NAME. What cannot be mapped is listed.

examples:
  npx zx playbooks/new-bot.ts --name shop-bot
  npx zx playbooks/new-bot.ts --name shop-bot --adopt ../shop
`
}

function print(text: string): 0 {
  writeOut(text.trimEnd())
  return 0
}
