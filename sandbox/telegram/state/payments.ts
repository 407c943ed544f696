import { randomBytes } from 'node:crypto'
import { message, messageOf, notice, userOf } from './chats.ts'
import { type Bot, type Checkout, newest, type Order, type Payment } from './state.ts'
import { queueUpdate } from './updates.ts'
import { changed, type World } from './world.ts'

/** What every person of the sandbox gives away when asked. */
const person = { name: 'Ann Smith', phone_number: '15550100', email: 'ann@example.org' }
const address = {
  ...{ country_code: 'US', state: 'CA', city: 'Springfield' },
  ...{ street_line1: '1 Main Street', street_line2: '', post_code: '90001' },
}

/** A person presses the pay button: the bot is asked for shipping options where they depend on the address, else at once. */
export function startPayment(world: World, bot: Bot, chat: number, order: Order): number | undefined {
  if (!order.isFlexible) return askToConfirm(world, bot, { chat, order, total: order.invoice.total_amount })
  const id = freshId()
  remember(bot, id, { chat, order, asked: 'shipping', total: order.invoice.total_amount, at: Date.now() })
  const query = { id, from: userOf(bot, chat), invoice_payload: order.payload, shipping_address: address }
  return queueUpdate(world, bot, chat, { shipping_query: query })
}

/** The pre-checkout query: the bot confirms that it can deliver, or says why not. */
export function askToConfirm(
  world: World,
  bot: Bot,
  { chat, order, total, shippingOption }: Pick<Checkout, 'chat' | 'order' | 'total' | 'shippingOption'>,
): number | undefined {
  const id = freshId()
  const option = { ...(shippingOption !== undefined && { shippingOption }) }
  remember(bot, id, { chat, order, asked: 'payment', total, at: Date.now(), ...option })
  const query = {
    ...{ id, from: userOf(bot, chat), currency: order.invoice.currency, total_amount: total },
    ...{ invoice_payload: order.payload, ...detailsOf(order, shippingOption) },
  }
  return queueUpdate(world, bot, chat, { pre_checkout_query: query })
}

/** The money is moved: the bot gets the message about it. */
export function completePayment(world: World, bot: Bot, { chat, order, total, shippingOption }: Checkout): void {
  const { currency } = order.invoice
  const chargeId = `stx${randomBytes(24).toString('base64url')}`
  bot.payments.push({ chargeId, chat, currency, total, payload: order.payload, at: Date.now() })
  const entry = message(world, bot, {
    ...{ chat, from: 'user', text: '' },
    content: {
      successful_payment: {
        ...{ currency, total_amount: total, invoice_payload: order.payload, telegram_payment_charge_id: chargeId },
        ...{ provider_payment_charge_id: chargeId.slice(-12), ...detailsOf(order, shippingOption) },
      },
    },
  })
  queueUpdate(world, bot, chat, { message: messageOf(bot, entry) })
}

export function refusePayment(world: World, bot: Bot, { chat }: Checkout, why: string): void {
  notice(world, bot, chat, `payment refused: ${why}`)
}

/** Gives Stars back; the bot gets the message about that, too. */
export function refund(world: World, bot: Bot, payment: Payment): void {
  const { chat, currency, total: total_amount, payload: invoice_payload, chargeId } = payment
  payment.refundedAt = Date.now()
  const refunded_payment = {
    currency: currency as 'XTR',
    total_amount,
    invoice_payload,
    telegram_payment_charge_id: chargeId,
  }
  const entry = message(world, bot, { chat, from: 'user', text: '', content: { refunded_payment } })
  queueUpdate(world, bot, chat, { message: messageOf(bot, entry) })
  changed(world, bot)
}

function detailsOf({ needs }: Order, shippingOption: string | undefined) {
  const known = { ...person, shipping_address: address }
  const told = Object.fromEntries(needs.map((name) => [name, known[name]]))
  return {
    ...(shippingOption !== undefined && { shipping_option_id: shippingOption }),
    ...(needs.length > 0 && { order_info: told }),
  }
}

function remember(bot: Bot, id: string, checkout: Checkout): void {
  bot.checkouts = newest({ ...bot.checkouts, [id]: checkout }, 1000)
}

function freshId(): string {
  return String(randomBytes(8).readBigUInt64BE() >> 1n)
}
