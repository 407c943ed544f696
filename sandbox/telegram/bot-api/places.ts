import { randomInt } from 'node:crypto'
import { badRequest } from '../errors.ts'
import type { Answer, Call } from './call.ts'
import { send } from './send.ts'

export async function sendLocation(call: Call): Promise<Answer> {
  return send(call, { text: '', content: { location: locationIn(call.args) } })
}

export async function sendVenue(call: Call): Promise<Answer> {
  const { args } = call
  const location = locationIn(args)
  const [title, address] = [required(args, 'title'), required(args, 'address')]
  // The location is there for bots that know no venues.
  return send(call, { text: '', content: { location, venue: { location, title, address } } })
}

export async function sendContact(call: Call): Promise<Answer> {
  const { args } = call
  const [phone_number, first_name] = [required(args, 'phone_number'), required(args, 'first_name')]
  const last_name = args.get('last_name')
  return send(call, { text: '', content: { contact: { phone_number, first_name, ...(last_name && { last_name }) } } })
}

/** How many values each of them has. */
const sides: Readonly<Record<string, number>> = { '🎲': 6, '🎯': 6, '🎳': 6, '🏀': 5, '⚽': 5, '🎰': 64 }

export async function sendDice(call: Call): Promise<Answer> {
  const emoji = call.args.get('emoji') || '🎲'
  const most = sides[emoji]
  if (most === undefined) throw badRequest('DICE_EMOJI_INVALID')
  return send(call, { text: '', content: { dice: { emoji, value: randomInt(1, most + 1) } } })
}

function locationIn(args: ReadonlyMap<string, string>) {
  const [latitude, longitude] = ['latitude', 'longitude'].map((name) => Number(args.get(name) || Number.NaN))
  if (latitude === undefined || !(Math.abs(latitude) <= 90)) throw badRequest('wrong latitude specified')
  if (longitude === undefined || !(Math.abs(longitude) <= 180)) throw badRequest('wrong longitude specified')
  return { latitude, longitude }
}

function required(args: ReadonlyMap<string, string>, name: string): string {
  const text = args.get(name)
  if (!text) throw badRequest(`${name.replace('_', ' ')} is empty`)
  return text
}
