import { randomBytes } from 'node:crypto'
import { badRequest } from '../errors.ts'
import { askToConfirm, completePayment, refund, refusePayment } from '../state/payments.ts'
import { type Checkout, newest } from '../state/state.ts'
import { changed, scaled } from '../state/world.ts'
import { integer, isObject, isTrue, list } from './arguments.ts'
import { type Answer, answer, type Call } from './call.ts'
import { orderIn } from './invoice.ts'
import { send } from './send.ts'

export async function sendInvoice(call: Call): Promise<Answer> {
  const order = orderIn(call.args)
  const { invoice } = order
  const pay = [[{ text: `Pay ${invoice.total_amount} ${invoice.currency}`, pay: true }]]
  // A keyboard of the bot's own comes instead, and its first button pays.
  const keyboard = call.args.get('reply_markup') ? {} : { keyboard: pay }
  return send(call, { text: '', content: { invoice }, order, ...keyboard })
}

export async function createInvoiceLink({ world, bot, args }: Call): Promise<Answer> {
  const slug = randomBytes(12).toString('base64url')
  bot.invoiceLinks = newest({ ...bot.invoiceLinks, [slug]: orderIn(args) }, 1000)
  changed(world, bot)
  return answer(`https://t.me/$${slug}`)
}

export async function answerShippingQuery(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const checkout = checkoutOf(call, 'shipping', 'shipping_query_id')
  if (!isTrue(args.get('ok'))) return refused(call, checkout)
  const [option] = list(args, 'shipping_options')
  if (!isObject(option) || typeof option.id !== 'string' || !Array.isArray(option.prices))
    throw badRequest('SHIPPING_OPTIONS_EMPTY')
  done(call, 'shipping_query_id')
  const cost = option.prices.reduce((sum: number, price) => sum + Number(isObject(price) ? price.amount : 0), 0)
  askToConfirm(world, bot, { ...checkout, total: checkout.total + cost, shippingOption: option.id })
  return answer(true)
}

export async function answerPreCheckoutQuery(call: Call): Promise<Answer> {
  const { world, bot, args } = call
  const checkout = checkoutOf(call, 'payment', 'pre_checkout_query_id')
  if (!isTrue(args.get('ok'))) return refused(call, checkout)
  done(call, 'pre_checkout_query_id')
  completePayment(world, bot, checkout)
  return answer(true)
}

export async function refundStarPayment({ world, bot, args }: Call): Promise<Answer> {
  const [user, charge] = [integer(args, 'user_id', 0), args.get('telegram_payment_charge_id') ?? '']
  if (bot.users[user] === undefined) throw badRequest('user not found')
  const payment = bot.payments.find(({ chargeId, chat }) => chargeId === charge && chat === user)
  if (payment === undefined || payment.currency !== 'XTR') throw badRequest('CHARGE_ID_INVALID')
  if (payment.refundedAt !== undefined) throw badRequest('CHARGE_ALREADY_REFUNDED')
  refund(world, bot, payment)
  return answer(true)
}

export async function getMyStarBalance({ bot }: Call): Promise<Answer> {
  const amounts = bot.payments
    .filter(({ currency, refundedAt }) => currency === 'XTR' && refundedAt === undefined)
    .map(({ total }) => total)
  return answer({ amount: amounts.reduce((sum, each) => sum + each, 0) })
}

/** Oldest first; a refund is a transaction of its own. */
export async function getStarTransactions({ bot, args }: Call): Promise<Answer> {
  const transactions = bot.payments
    .filter(({ currency }) => currency === 'XTR')
    .flatMap(({ chargeId: id, total: amount, at, chat, payload: invoice_payload, refundedAt }) => {
      const partner = { type: 'user', transaction_type: 'invoice_payment', user: bot.users[chat], invoice_payload }
      const paid = { id, amount, date: Math.floor(at / 1000), source: partner }
      if (refundedAt === undefined) return [paid]
      return [paid, { id, amount, date: Math.floor(refundedAt / 1000), receiver: partner }]
    })
  const offset = integer(args, 'offset', 0, [0, Number.MAX_SAFE_INTEGER])
  return answer({ transactions: transactions.slice(offset, offset + integer(args, 'limit', 100, [1, 100])) })
}

function refused(call: Call, checkout: Checkout): Answer {
  const why = call.args.get('error_message') ?? ''
  if (why === '') throw badRequest('error message must be non-empty')
  done(call, checkout.asked === 'shipping' ? 'shipping_query_id' : 'pre_checkout_query_id')
  refusePayment(call.world, call.bot, checkout, why)
  return answer(true)
}

/** A bot has 10 seconds to answer. */
function checkoutOf({ world, bot, args }: Call, asked: Checkout['asked'], name: string): Checkout {
  const checkout = bot.checkouts[args.get(name) ?? '']
  if (checkout?.asked !== asked || Date.now() > checkout.at + scaled(world, 10))
    throw badRequest('query is too old and response timeout expired or query ID is invalid')
  return checkout
}

function done({ world, bot, args }: Call, name: string): void {
  delete bot.checkouts[args.get(name) ?? '']
  changed(world, bot)
}
