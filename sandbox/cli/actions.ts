import { spawn } from 'node:child_process'
import { once } from 'node:events'
import * as v from 'valibot'
import { botName } from '../../lib/inventory/file-schema.ts'
import { HostError, UsageError } from '../../lib/std/errors.ts'
import { see } from '../machine/inspect.ts'
import { waitUntil } from '../machine/process.ts'
import { telegramControlUrl } from '../services/telegram.ts'
import { type PartStatus, status } from '../status.ts'
import { type TelegramClient, telegramAt } from '../telegram/client.ts'
import { sshConfigFor } from '../vps/index.ts'
import { chat } from './chat.ts'

/** Prints what runs, and where. */
export async function printStatus(): Promise<number> {
  const parts = await status()
  const lines = parts === undefined ? ['down: no Docker daemon answers\n'] : await Promise.all(parts.map(lineOf))
  return print(lines.join(''))
}

/** Hands the terminal to the real ssh. */
export async function shell(host: string, command: readonly string[]): Promise<number> {
  const child = spawn('ssh', ['-F', sshConfigFor(host), host, ...command], { stdio: 'inherit' })
  const [status] = await once(child, 'exit')
  return status ?? 255
}

/** A conversation with a bot, on the terminal or by a pipe. */
export function openChat(bot: string, chatId: number, language: string): Promise<number> {
  const { stdin: input, stdout: output } = process
  return atTelegram((client) => chat(client, bot, { chatId, language, input, output }))
}

/** Prints a bot's token and nothing else, so that an inventory can take it from this command. */
export async function printToken(bot: string): Promise<number> {
  const [fault] = v.safeParse(botName, bot).issues ?? []
  if (fault !== undefined) throw new UsageError(`"${bot}" cannot be the name of a bot: ${fault.message}`)
  const { token } = await atTelegram((client) => client.ensureBot(bot))
  return print(`${token}\n`)
}

export function print(text: string): 0 {
  process.stdout.write(text)
  return 0
}

async function lineOf({ name, state, memory, port }: PartStatus): Promise<string> {
  const control = name === 'telegram' && state === 'running' ? `  control: ${await telegramControlUrl()}` : ''
  const where =
    port === undefined ? control : `  ${Math.round((memory ?? 0) / 2 ** 20)} MB  ssh -F .sandbox/ssh_config ${name}`
  return `${name.padEnd(8)} ${state}${where}\n`
}

async function atTelegram<T>(use: (client: TelegramClient) => Promise<T>): Promise<T> {
  const part = (await see(['telegram'])).get('telegram')
  if (!part?.running) throw new UsageError("the sandbox's Telegram is down; start it: npx zx playbooks/sandbox.ts up")
  const url = await telegramControlUrl()
  // Its container runs a moment before it answers.
  if (!(await waitUntil(15, () => isHealthy(url)))) throw silent(url)
  try {
    return await use(telegramAt(url))
  } catch (error) {
    // As fetch says that a server went away: nothing else about it can be told from other errors.
    throw error instanceof TypeError && /^(fetch failed|terminated)$/.test(error.message) ? silent(url) : error
  }
}

async function isHealthy(url: string): Promise<boolean> {
  const asked = fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2000) })
  return asked.then(
    ({ ok }) => ok,
    () => false,
  )
}

function silent(url: string): HostError {
  return new HostError(`this machine: the sandbox's Telegram does not answer at ${url}`)
}
