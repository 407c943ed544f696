import type { Entry, UserAction } from '../telegram/client.ts'

/** A button with a number: what a person does who presses it. */
export interface Choice {
  readonly label: string
  readonly does: Omit<UserAction, 'chat'> | { readonly app: string; readonly byReplyButton: boolean }
}

/** A button as it is shown; without a choice it is only to be read: nothing of it concerns the bot. */
interface Shown {
  readonly text: string
  readonly choice?: Choice['does']
}

/** What a person sees of an entry, as lines of a terminal. */
export function linesOf(entry: Entry): string[] {
  const { kind, text, from, reactions, replyKeyboard } = entry
  if (kind === 'notice') return text === '' ? [] : [`(${text})`]
  const what = [mediaOf(entry), text].filter(Boolean).join(' ')
  if (kind === 'deleted') return [`(deleted) ${what}`]
  if (kind !== 'results' && from === 'user' && reactions?.bot !== undefined) return [`(${reactions.bot} on: ${what})`]
  const first = kind === 'results' ? `results for "${text}":` : entry.editedAt === undefined ? what : `(edited) ${what}`
  let number = 0
  const rows = rowsOf(entry).map((row) =>
    row.map((each) => (each.choice === undefined ? each.text : `[${++number}] ${each.text}`)),
  )
  return [
    ...first.split('\n'),
    ...rows.map((row) => `  ${row.join('  ')}`),
    ...(kind === 'results' && rows.length === 0 ? ['  none'] : []),
    ...(replyKeyboard?.length === 0 ? ['  (the buttons under the input field are gone)'] : []),
  ]
}

/** Whether a person sees something new: all but what he has done himself. */
export function isShown({ from, kind, inlineId, content, reactions }: Entry): boolean {
  if (from === 'bot' || kind === 'deleted' || inlineId !== undefined || reactions?.bot !== undefined) return true
  return content?.successful_payment !== undefined || content?.refunded_payment !== undefined
}

/** The numbered buttons of an entry, in their order. */
export function choicesOf(entry: Entry): Choice[] {
  return rowsOf(entry)
    .flat()
    .flatMap(({ text: label, choice: does }) => (does === undefined ? [] : [{ label, does }]))
}

function rowsOf(entry: Entry): Shown[][] {
  const { message_id, keyboard = [], replyKeyboard = [], results = [], content } = entry
  const ofResults = results.map(({ title, type, description }, index) => [
    { text: [title ?? type, description].filter(Boolean).join(': '), choice: { choose: { index } } },
  ])
  const poll = content?.poll?.is_closed === false ? content.poll.options : []
  return [
    ...ofResults,
    ...poll.map(({ text, voter_count }, index) => [
      { text: `${text}: ${voter_count}`, choice: { message_id, vote: [index] } },
    ]),
    ...keyboard.map((row) => row.map((button) => inlineButton(entry, button))),
    ...replyKeyboard.map((row) => row.map(replyButton)),
  ]
}

type Button = NonNullable<Entry['keyboard']>[number][number]

function inlineButton(
  { message_id, order }: Entry,
  { text, callback_data: data, web_app: app, pay, url }: Button,
): Shown {
  if (data !== undefined) return { text, choice: { data, message_id } }
  if (app !== undefined) return { text: `${text} (app)`, choice: { app: app.url, byReplyButton: false } }
  if (pay === true && order !== undefined) return { text, choice: { pay: {}, message_id } }
  return { text: url === undefined ? text : `${text}: ${url}` }
}

function replyButton({ text, web_app: app, request_contact, request_location }: Button): Shown {
  if (app !== undefined) return { text: `${text} (app)`, choice: { app: app.url, byReplyButton: true } }
  if (request_contact === true) return { text, choice: { contact: {} } }
  return { text, choice: request_location === true ? { location: {} } : { text } }
}

function mediaOf({ content, fields }: Entry): string {
  if (content === undefined) return ''
  const { photo, document, animation, sticker, poll, location, venue, contact, dice, invoice } = content
  const album = fields?.media_group_id === undefined ? '' : 'album, '
  const [size] = photo ?? []
  if (size !== undefined) return `[${album}photo ${size.width}×${size.height}]`
  if (animation !== undefined) return '[animation]'
  if (document !== undefined) return `[${album}document ${document.file_name ?? ''}, ${document.file_size} bytes]`
  if (sticker !== undefined) return `[sticker ${sticker.emoji ?? ''}`.trim().concat(']')
  if (poll !== undefined)
    return `[${poll.is_closed ? 'closed ' : ''}${poll.type === 'quiz' ? 'quiz' : 'poll'}] ${poll.question}`
  if (venue !== undefined) return `[venue ${venue.title}, ${venue.address}]`
  if (location !== undefined) return `[location ${location.latitude}, ${location.longitude}]`
  if (contact !== undefined) return `[contact ${contact.first_name}, ${contact.phone_number}]`
  if (dice !== undefined) return `[${dice.emoji} ${dice.value}]`
  if (invoice !== undefined) return `[invoice] ${invoice.title}: ${invoice.description}, ${moneyOf(invoice)}`
  const { successful_payment: paid, refunded_payment: back, ...other } = content
  if (paid !== undefined) return `(paid ${moneyOf(paid)})`
  if (back !== undefined) return `(got back ${moneyOf(back)})`
  return `[${album}${Object.keys(other)[0]?.replace('_', ' ')}]`
}

/** In the smallest units of the currency, as the Bot API has it. */
function moneyOf({ total_amount, currency }: { total_amount: number; currency: string }): string {
  return `${total_amount} ${currency}`
}
