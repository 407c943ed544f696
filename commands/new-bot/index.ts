import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import * as v from 'valibot'
import { botName } from '../../lib/inventory/file-schema.ts'
import { UsageError } from '../../lib/std/errors.ts'
import { writeOut } from '../../lib/std/output.ts'
import { writeWorkflow } from './ci.ts'
import { copyBot, modelOf } from './copy-bot.ts'
import { whatIsLeft } from './report.ts'

export { makeFromModel } from './copy-bot.ts'

export const newBotFlags = {
  name: { value: 'NAME', help: 'what the new bot is called; its folder is bots/NAME' },
  from: { value: 'FOLDER', help: 'the bot to copy (default: bots/hello-bot)' },
  adopt: { value: 'FOLDER|GIT-URL', help: 'make a bot of a repository that was not written for botgarden' },
  ci: { value: 'SYSTEM', help: 'github: write the workflow that releases a bot whenever its repository is pushed to' },
  in: { value: 'FOLDER', help: 'with --ci: where the bot is, in a repository of its own (default: bots/NAME)' },
  botgarden: {
    value: 'GIT-URL',
    help: 'with --ci: where CI gets botgarden from (default: the origin of this checkout)',
  },
  help: { short: 'h', npm: true, help: 'show this' },
} as const

/** Makes a bot of a repository; returns what is to be said. */
type Adopt = (place: string, name: string) => Promise<string>

/** The command new-bot.ts: a bot from the model, or of a repository. Throws a `UsageError`. */
export async function newBot(
  given: ReadonlyMap<string, readonly string[]>,
  loadAdopt: () => Promise<Adopt>,
): Promise<number> {
  const name = nameOf(given.get('name')?.[0])
  const adopted = given.get('adopt')?.[0]
  const system = given.get('ci')?.[0]
  if (system !== undefined) return print(await workflowFor(name, system, given))
  const stray = ['in', 'botgarden'].find((flag) => given.has(flag))
  if (stray !== undefined) throw new UsageError(`--${stray} goes with --ci github`)
  if (adopted !== undefined && given.has('from'))
    throw new UsageError('--from copies a bot and --adopt makes one of a repository: give one of them')
  const folder = join('bots', name)
  // A folder is adopted where it is, so bots/NAME may be that folder; a clone goes there.
  if (existsSync(folder) && (adopted === undefined || resolve(adopted) !== resolve(folder)))
    throw new UsageError(`${folder} is there already`)
  if (adopted !== undefined) return print(await (await loadAdopt())(adopted, name))
  const model = modelOf(given.get('from')?.[0] ?? 'bots/hello-bot')
  copyBot(model, folder, name)
  return print(whatIsLeft(name, model))
}

function workflowFor(bot: string, system: string, given: ReadonlyMap<string, readonly string[]>): Promise<string> {
  const stray = ['from', 'adopt'].find((flag) => given.has(flag))
  if (stray !== undefined)
    throw new UsageError(`--${stray} makes a bot, and --ci is for one that is there: give one of them`)
  const folder = given.get('in')?.[0] ?? join('bots', bot)
  return writeWorkflow({ bot, folder, system, botgarden: given.get('botgarden')?.[0] })
}

/** By the inventory's rule, where it will stand. */
function nameOf(name: string | undefined): string {
  if (name === undefined) throw new UsageError('--name is missing: npx zx playbooks/new-bot.ts --name NAME')
  const [fault] = v.safeParse(botName, name).issues ?? []
  if (fault === undefined) return name
  const allowed = fault.type === 'max_length' ? `at most ${fault.requirement} characters long` : fault.message
  throw new UsageError(`--name: should be ${allowed}, found "${name}"`)
}

function print(text: string): 0 {
  writeOut(text.trimEnd())
  return 0
}
