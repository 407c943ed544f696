import { badRequest } from '../errors.ts'
import type { Button } from '../state/state.ts'
import { isObject, json } from './arguments.ts'

/** The buttons that come with a message: under it, or under the input field. */
export interface Markup {
  readonly keyboard?: Button[][]
  /** None: those that were there are taken away. */
  readonly replyKeyboard?: Button[][]
}

/** What is in `reply_markup`. */
export function parseMarkup(args: ReadonlyMap<string, string>): Markup {
  const markup = json(args, 'reply_markup', "can't parse reply keyboard markup JSON object")
  if (markup === undefined) return {}
  if (!isObject(markup)) throw badRequest('object expected as reply markup')
  if (markup.inline_keyboard !== undefined) {
    const keyboard = parseRows(markup.inline_keyboard, 'inline_keyboard', parseInlineButton)
    return keyboard.length === 0 ? {} : { keyboard }
  }
  if (markup.keyboard !== undefined) return { replyKeyboard: parseRows(markup.keyboard, 'keyboard', parseReplyButton) }
  return markup.remove_keyboard === true ? { replyKeyboard: [] } : {}
}

/** The inline keyboard in `reply_markup`, which is the only kind that an edited message can have. */
export function parseKeyboard(args: ReadonlyMap<string, string>): Button[][] | undefined {
  return parseMarkup(args).keyboard
}

function parseRows(rows: unknown, field: string, parse: (button: unknown) => Button): Button[][] {
  if (!Array.isArray(rows)) throw badRequest(`field "${field}" must be of type Array`)
  return rows
    .map((row) => {
      if (!Array.isArray(row)) throw badRequest(`field "${field}" must be an Array of Arrays`)
      return row.map(parse)
    })
    .filter((row) => row.length > 0)
}

function parseInlineButton(button: unknown): Button {
  if (!isObject(button)) throw badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
  const { text, callback_data: data, url, web_app: app } = button
  if (typeof text !== 'string') throw badRequest(`can't parse inline keyboard button: Can't find field "text"`)
  if (Object.keys(button).filter((name) => !['text', 'style', 'icon_custom_emoji_id'].includes(name)).length === 0)
    throw badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
  // Counted in bytes: half as many letters fit in other alphabets.
  if (data !== undefined && (typeof data !== 'string' || data === '' || Buffer.byteLength(data) > 64))
    throw badRequest('BUTTON_DATA_INVALID')
  if (url !== undefined) checkUrl('inline keyboard button URL', url)
  if (app !== undefined) checkApp('inline keyboard button Web App URL', app)
  return { ...button, text }
}

/** A button may be text alone. */
function parseReplyButton(button: unknown): Button {
  if (typeof button === 'string') return { text: button }
  if (!isObject(button)) throw badRequest("can't parse keyboard button: KeyboardButton must be an Object")
  const { text, web_app: app } = button
  if (typeof text !== 'string') throw badRequest(`can't parse keyboard button: Can't find field "text"`)
  if (app !== undefined) checkApp('keyboard button Web App URL', app)
  return { ...button, text }
}

/** A name without a dot is nothing that others could open. */
function checkUrl(what: string, url: unknown): void {
  const parsed = typeof url === 'string' ? URL.parse(/^[a-z]+:/i.test(url) ? url : `http://${url}`) : null
  const isWeb = parsed !== null && /^https?:$/.test(parsed.protocol)
  if (parsed === null || (isWeb ? !parsed.hostname.includes('.') : parsed.protocol !== 'tg:'))
    throw badRequest(`${what} '${url}' is invalid: Wrong HTTP URL`)
}

export function checkApp(what: string, app: unknown): void {
  const url = isObject(app) ? app.url : undefined
  if (typeof url !== 'string' || URL.parse(url)?.protocol !== 'https:')
    throw badRequest(`${what} '${url}' is invalid: Only HTTPS links are allowed`)
}
