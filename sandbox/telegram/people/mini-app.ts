import { createHmac, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { badRequest } from '../errors.ts'
import { userOf } from '../state/chats.ts'
import { type Bot, newest } from '../state/state.ts'
import { changed, type World } from '../state/world.ts'

/** Where a Mini App is opened from. */
export interface Launch {
  readonly chat: number
  /** Left out: that of the menu button. */
  readonly url?: string
  /** By a button under the input field: the app may then send data and close, and has no query to answer. */
  readonly byReplyButton?: boolean
  readonly startParam?: string
}

/** Stands in for Telegram's own key, which third parties check `signature` by. */
const signer = generateKeyPairSync('ed25519').privateKey

/** The URL that a Telegram app would open, with the launch data behind `#`. */
export function launch(world: World, bot: Bot, { chat, url, byReplyButton = false, startParam }: Launch): string {
  const menu = bot.menuButtons[chat] ?? bot.menuButtons['0']
  const address = url ?? (menu?.type === 'web_app' ? menu.web_app.url : undefined)
  if (address === undefined) throw badRequest('the bot has no menu button that opens a Mini App')
  const app = URL.parse(address)
  if (app === null) throw badRequest(`"${address}" is no URL`)
  const queryId = byReplyButton ? undefined : freshQuery(world, bot, chat)
  const data = new URLSearchParams({
    tgWebAppData: initData(bot, { chat, queryId, startParam }),
    ...{ tgWebAppVersion: '9.1', tgWebAppPlatform: 'tdesktop' },
    tgWebAppThemeParams: JSON.stringify({ bg_color: '#ffffff', text_color: '#000000', button_color: '#40a7e3' }),
  })
  app.hash = encoded(data)
  return app.href
}

/** The launch data of a Mini App, signed with the bot's token as Telegram signs it. */
export function initData(
  bot: Bot,
  {
    chat,
    queryId,
    startParam,
    at = Date.now(),
  }: { chat: number; queryId?: string | undefined; startParam?: string | undefined; at?: number },
): string {
  const { id, first_name, last_name = '', username, language_code = 'en' } = userOf(bot, chat)
  const user = { id, first_name, last_name, username, language_code, allows_write_to_pm: true }
  const fields: Record<string, string> = {
    ...(queryId !== undefined && { query_id: queryId }),
    user: JSON.stringify(user),
    auth_date: String(Math.floor(at / 1000)),
    ...(startParam !== undefined && { start_param: startParam }),
  }
  const lines = () =>
    Object.entries(fields)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join('\n')
  fields.signature = sign(null, Buffer.from(`${bot.id}:WebAppData\n${lines()}`), signer).toString('base64url')
  const secret = createHmac('sha256', 'WebAppData').update(bot.token).digest()
  fields.hash = createHmac('sha256', secret).update(lines()).digest('hex')
  return encoded(new URLSearchParams(fields))
}

/** A space as Telegram writes it: not every reader takes a plus for one. */
function encoded(data: URLSearchParams): string {
  return String(data).replaceAll('+', '%20')
}

function freshQuery(world: World, bot: Bot, chat: number): string {
  const id = `AA${randomBytes(16).toString('base64url')}`
  bot.webAppQueries = newest({ ...bot.webAppQueries, [id]: chat }, 1000)
  changed(world, bot)
  return id
}
