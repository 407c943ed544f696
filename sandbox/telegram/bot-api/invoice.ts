import { badRequest } from '../errors.ts'
import type { Order } from '../state/state.ts'
import { isObject, isTrue, list } from './arguments.ts'

const needs = ['name', 'phone_number', 'email', 'shipping_address'] as const

/** An invoice by the arguments of sendInvoice and createInvoiceLink. */
export function orderIn(args: ReadonlyMap<string, string>): Order {
  const title = within(args, 'title', 32)
  const description = within(args, 'description', 255)
  const payload = args.get('payload') ?? ''
  if (payload === '' || Buffer.byteLength(payload) > 128) throw badRequest('INVOICE_PAYLOAD_INVALID')
  const currency = args.get('currency') ?? ''
  if (!/^[A-Z]{3}$/.test(currency)) throw badRequest('CURRENCY_INVALID')
  const amounts = list(args, 'prices').map((price) => (isObject(price) ? Number(price.amount) : Number.NaN))
  if (amounts.length === 0) throw badRequest('PRICES_EMPTY')
  const total = amounts.reduce((sum, each) => sum + each, 0)
  if (!Number.isSafeInteger(total) || total <= 0) throw badRequest('CURRENCY_TOTAL_AMOUNT_INVALID')
  checkProvider(currency, args.get('provider_token') ?? '', amounts.length)
  const start_parameter = args.get('start_parameter') ?? ''
  return {
    invoice: { title, description, start_parameter, currency, total_amount: total },
    payload,
    isFlexible: isTrue(args.get('is_flexible')),
    needs: needs.filter((name) => isTrue(args.get(`need_${name}`))),
  }
}

/** Telegram Stars need no provider of payments; anything else needs one, by the token that BotFather gave. */
function checkProvider(currency: string, token: string, prices: number): void {
  if (currency !== 'XTR' && token === '') throw badRequest('PAYMENT_PROVIDER_INVALID')
  if (currency === 'XTR' && token !== '') throw badRequest('STARS_INVOICE_INVALID')
  if (currency === 'XTR' && prices !== 1) throw badRequest('STARS_INVOICE_INVALID')
}

function within(args: ReadonlyMap<string, string>, name: string, most: number): string {
  const text = args.get(name) ?? ''
  if (text === '') throw badRequest(`invoice ${name} must be non-empty`)
  if (text.length > most) throw badRequest(`INVOICE_${name.toUpperCase()}_TOO_LONG`)
  return text
}
