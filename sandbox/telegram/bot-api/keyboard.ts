import { badRequest } from '../errors.ts'
import type { Button } from '../state/state.ts'
import { json } from './arguments.ts'

/** The inline keyboard in `reply_markup`; undefined when there is none, or another kind of markup. */
export function parseKeyboard(args: ReadonlyMap<string, string>): Button[][] | undefined {
  const markup = json(args, 'reply_markup', "can't parse reply keyboard markup JSON object")
  if (markup === undefined) return undefined
  if (!isObject(markup)) throw badRequest('object expected as reply markup')
  const rows = markup.inline_keyboard
  if (rows === undefined) return undefined
  if (!Array.isArray(rows)) throw badRequest('field "inline_keyboard" must be of type Array')
  const keyboard = rows.map(parseRow).filter((row) => row.length > 0)
  return keyboard.length === 0 ? undefined : keyboard
}

function parseRow(row: unknown): Button[] {
  if (!Array.isArray(row)) throw badRequest('field "inline_keyboard" must be an Array of Arrays')
  return row.map((button) => {
    if (!isObject(button))
      throw badRequest("can't parse inline keyboard button: InlineKeyboardButton must be an Object")
    const { text, callback_data: data } = button
    if (typeof text !== 'string') throw badRequest(`can't parse inline keyboard button: Can't find field "text"`)
    if (Object.keys(button).length < 2)
      throw badRequest("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard")
    // Counted in bytes: half as many letters fit in other alphabets.
    if (data !== undefined && (typeof data !== 'string' || data === '' || Buffer.byteLength(data) > 64))
      throw badRequest('BUTTON_DATA_INVALID')
    return button as Button
  })
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
