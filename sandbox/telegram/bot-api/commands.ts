import { badRequest } from '../errors.ts'
import { changed } from '../state/world.ts'
import { json, list } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'

export async function setMyCommands({ world, bot, args }: Call): Promise<Answer> {
  const commands = list(args, 'commands') as Record<string, unknown>[]
  if (commands.length > 100) throw badRequest('too much commands')
  bot.commands[keyOf(args)] = commands.map(parseCommand)
  changed(world, bot)
  return answer(true)
}

export async function getMyCommands({ bot, args }: Call): Promise<Answer> {
  return answer(bot.commands[keyOf(args)] ?? [])
}

export async function deleteMyCommands({ world, bot, args }: Call): Promise<Answer> {
  delete bot.commands[keyOf(args)]
  changed(world, bot)
  return answer(true)
}

function keyOf(args: ReadonlyMap<string, string>): string {
  const scope = json(args, 'scope', "can't parse BotCommandScope JSON object") ?? { type: 'default' }
  return `${JSON.stringify(scope)} ${args.get('language_code') ?? ''}`.trim()
}

function parseCommand(value: Record<string, unknown>): { command: string; description: string } {
  const { command, description } = value ?? {}
  if (typeof command !== 'string') throw badRequest(`can't parse BotCommand: Can't find field "command"`)
  if (typeof description !== 'string') throw badRequest(`can't parse BotCommand: Can't find field "description"`)
  const name = command.replace(/^\//, '')
  if (!/^[a-z0-9_]{1,32}$/.test(name)) throw badRequest('BOT_COMMAND_INVALID')
  if (description.length < 1 || description.length > 256) throw badRequest('BOT_COMMAND_DESCRIPTION_INVALID')
  return { command: name, description }
}
