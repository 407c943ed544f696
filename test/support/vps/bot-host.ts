import { askStandIns, freshVps, inVps, telegramControlUrl } from '../../../sandbox/index.ts'
import { type TelegramClient, telegramAt } from '../../../sandbox/telegram/client.ts'
import { inventoryOf, type Run, resultOf, run } from '../runner.ts'

/** What a host of the sandbox with bots must be told: its Telegram and its certificate authority. */
export const vars = {
  bot: { telegram: 'http://telegram.sandbox:8081', settle: 3, drain: 5 },
  nginx: { telegram: ['10.212.0.0/16'] },
  certbot: { server: 'https://pebble.sandbox:14000/dir', authority: '.sandbox/acme-ca.pem' },
}

/** A VPS that bots are released to, and the sandbox's Telegram, which knows a bot for each of these names. */
export function botHost(host: string, names: readonly string[]) {
  const domain = `${host}.sandbox`
  const tokens: Record<string, string> = {}
  const bots: Record<string, Record<string, unknown>> = { 'hello-bot': { host } }
  const inventory = (more: object = {}, entry: object = { domain }, bot: object = {}) =>
    inventoryOf(
      host,
      { ...vars, bot: { ...vars.bot, ...bot } },
      { hosts: { [host]: entry }, bots: { ...bots, ...more } },
    )
  const site = (file = inventory()) => run(['playbooks/site.ts', '-i', file, '--json'])
  const deploy = (args: string[], file = inventory(), env = tokens) =>
    run(['playbooks/bot.ts', '-i', file, '--json', ...args], env)
  const hello = (file?: string, env?: Record<string, string>) => deploy(['--name', 'hello-bot'], file, env)
  const changed = (result: Run) => resultOf(result, host).ids as string[]
  const inside = async (command: string) => (await inVps(host, command)).stdout.trim()

  let client: TelegramClient
  // The sandbox's Telegram remembers what earlier runs were told, and several may run at once.
  let chatId = Math.floor(Date.now() / 1000)
  const called = (name: string) => `${host}-${name}`

  /** What a bot answers to a text, in a chat of its own unless one is given, whose person has the same number. */
  const answer = async (text: string, name = 'hello-bot', chat = chatId++): Promise<string> => {
    const before = (await client.chat(called(name), chat)).at(-1)?.seq ?? 0
    await client.act(called(name), { chat, text, language: 'en' })
    for (let after = before, tries = 0; tries < 20; tries++) {
      for (const entry of await client.chat(called(name), chat, { after, wait: 1 })) {
        after = entry.seq
        if (entry.from === 'bot') return entry.text
      }
    }
    return 'no answer'
  }

  const begin = () => beginWith({})
  /** With a registry that has further images, and an inventory of the test's own. */
  const beginWith = async ({ standIns = [], file = inventory() }: { standIns?: readonly string[]; file?: string }) => {
    await askStandIns(standIns)
    await freshVps(host)
    client = telegramAt(await telegramControlUrl())
    for (const name of names)
      tokens[`${name.toUpperCase().replaceAll('-', '_')}_TOKEN`] = (await client.ensureBot(called(name))).token
    const { code, stdout, stderr } = await site(file)
    if (code !== 0) throw new Error(stdout + stderr)
  }
  return {
    telegram: () => client,
    called,
    bots,
    tokens,
    inventory,
    site,
    deploy,
    hello,
    changed,
    inside,
    answer,
    begin,
    beginWith,
  }
}
